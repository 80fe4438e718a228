"""STOMP, the text protocol of ActiveMQ, RabbitMQ and others, in its versions 1.0, 1.1 and 1.2.

Frames go from :mod:`~hub.backends.stomp.connection` (or :mod:`~hub.backends.stomp.websocket`) through
:mod:`~hub.backends.stomp.parser` to a session; :mod:`~hub.backends.stomp.frame` encodes what the session answers.
The specification: https://stomp.github.io/stomp-specification-1.2.html
"""
