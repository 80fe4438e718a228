"""The configuration, ``hub.conf``: declares every setting; reads, checks and explains them."""
