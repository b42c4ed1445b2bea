"""An agent that learns to see new places (paper, "Data": a PPO policy for depth beside a random one for breadth)."""
