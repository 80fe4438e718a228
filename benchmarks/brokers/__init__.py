"""Message brokers as alternatives to the hub: their servers, and Python programs that use them."""
