"""Message brokers, as a user would otherwise build the same thing: their servers, and Python programs around them."""
