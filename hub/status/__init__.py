"""The status document: its types, with the kind, unit and meaning of each number.

:mod:`hub.snapshot` makes the document. Exporters, servers and the control socket receive it as plain dictionaries.
"""
