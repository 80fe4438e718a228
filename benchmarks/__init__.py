"""hubbub beside a bare loop, moksha.hub and brokers, in one interleaved run: ``python -m benchmarks --help``."""
