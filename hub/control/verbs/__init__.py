"""The verbs by what they are about; :mod:`hub.control.api` lists them."""
