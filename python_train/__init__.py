"""Training of the worlds that yanrt plays: data, VAE, simulator. Imports torch and nothing else of this repository."""
