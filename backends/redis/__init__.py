"""Redis as a bus: streams with consumer groups, and pub/sub.

All that talks to the server runs in threads: :mod:`~hub.backends.redis.link` keeps one connection each, for the reader,
for the keeper (which acknowledges, claims, counts and trims), and for the publisher. :mod:`~hub.backends.redis.client`
is the backend, in the reactor's thread.
"""
