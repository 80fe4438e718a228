"""``hub.conf``: every setting, once; how it is read, checked, and explained."""
