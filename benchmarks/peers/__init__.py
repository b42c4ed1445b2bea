"""The runtimes that bench_peers.py compares, each in a process of its own (worker.py)."""
