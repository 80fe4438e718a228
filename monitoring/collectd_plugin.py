"""collectd plugin in Python: reads a hub's numbers from its control socket.

Standard library only: collectd embeds the distribution's own Python. Load it with::

    LoadPlugin python
    <Plugin python>
        ModulePath "/opt/hubbub/lib/python3.11/site-packages/hub/monitoring"
        Import "collectd_plugin"
        <Module collectd_plugin>
            Socket "/run/hubbub/hub.sock"
            Plugin "hubbub"
            PluginInstance "hub"
        </Module>
    </Plugin>

Use this or the push, not both under one name: collectd takes two sources of one value for one.
"""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any

import collectd  # the module that collectd's Python plugin provides, not a file of this project

try:
    from collectd_values import rows  # collectd's ModulePath is this directory
except ImportError:
    from hub.monitoring.collectd_values import rows

TIMEOUT = 5.0
settings = {"socket": "/run/hubbub/hub.sock", "plugin": "hubbub", "plugininstance": "hub"}


class _Connection(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(settings["socket"])


def configure(config: Any) -> None:
    """Configure the plugin: collectd's callback for the Module block."""
    for child in config.children:
        key = child.key.lower()
        if key in settings:
            settings[key] = str(child.values[0])
        else:
            collectd.error(f"hubbub: unknown option {child.key}")


def ask(path: str) -> Any:
    """Request a document from the hub.

    :raises OSError: no hub answers. :raises ValueError: the answer is that of another version.
    """
    connection = _Connection("localhost")
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            raise ValueError(f"{path}: {answer.status} {answer.reason}")
        return json.loads(answer.read())
    finally:
        connection.close()


def read() -> None:
    """Dispatch all values: collectd's callback for each interval. If the hub is down, it logs a line in collectd's log,
    and the graph has a gap."""
    try:
        snapshot, catalogue = ask("/status"), ask("/catalogue")
    except (OSError, ValueError, http.client.HTTPException) as error:
        collectd.error(f"hubbub: no status from {settings['socket']}: {error}")
        return
    for type_, instance, kind, number in rows(snapshot, catalogue):
        values = collectd.Values(type=type_, type_instance=instance)
        values.plugin = settings["plugin"]
        values.plugin_instance = settings["plugininstance"]
        values.dispatch(values=[number if kind == "gauge" else int(number)])


collectd.register_config(configure)
collectd.register_read(read)
