"""Recording of games, the on-disk data set, and the samplers that read clips from it (docs/dataset.md)."""
