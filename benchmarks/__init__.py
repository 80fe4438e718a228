"""hubbub beside a bare receive loop and beside moksha.hub, in one interleaved run: ``python -m benchmarks --help``."""
