"""Parts of a running hub (consumers, backends, exporters, servers): starts, reloads and stops them."""
