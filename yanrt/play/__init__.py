"""Playing a world: action files, videos and the window. Needs the `play` extra (pygame, PyAV) only where used."""
