"""The verbs of the control socket, by what they are about; :mod:`hub.control` lists them."""
