"""Measures of pictures and of rollouts."""
