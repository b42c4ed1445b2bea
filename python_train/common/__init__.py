"""What every training has: the loop, checkpoints, optimizers, EMA, seeding, processes."""
