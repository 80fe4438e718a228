"""What all consumers that send have in common: templates, filters, destinations, rates, tallies, and two errors."""
