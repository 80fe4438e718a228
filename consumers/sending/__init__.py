"""Parts that consumers which send share: templates, filters, destinations, rates, tallies, and two errors."""
