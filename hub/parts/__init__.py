"""The parts that ``hub.conf`` names, as they are now: consumers, backends, exporters, servers. Made, changed, ended."""
