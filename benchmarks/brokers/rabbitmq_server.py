"""RabbitMQ with durable queues."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.brokers.broker import PythonBroker, Server
from benchmarks.processes import free_port


def launch_node(server: Server, directory: Path, program: str, port: int, settings: str, plugins: str = "[].") -> None:
    """Start a port mapper and a RabbitMQ node with its own name, ports and directories.

    A node that finds no port mapper starts one that outlives it.

    :param port: of AMQP. :param settings: lines of its ``rabbitmq.conf``. :param plugins: its enabled plugins.
    """
    mapper, configuration = free_port(), directory / "rabbitmq.conf"
    configuration.write_text(f"log.file.level = warning\n{settings}")
    (directory / "plugins").write_text(f"{plugins}\n")
    environment = {
        **os.environ,
        "HOME": str(directory),
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RUNNING_UNDER_SYSTEMD": "1",  # or else a shell stays between the node and us
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_CONFIG_FILE": str(configuration),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(directory / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
        "RABBITMQ_NODENAME": "hubbub-bench@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
        "RABBITMQ_LOG_BASE": str(directory / "log"),
        "RABBITMQ_PID_FILE": str(directory / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
    }
    server.spawn(["epmd", "-port", str(mapper), "-address", "127.0.0.1"], environment)
    server.spawn([program], environment)


class RabbitMQ(PythonBroker):
    """RabbitMQ node that is spoken to by AMQP."""

    name = "rabbitmq"
    package = "rabbitmq-server"
    program = "/usr/lib/rabbitmq/bin/rabbitmq-server"
    script = "rabbitmq"
    how = (
        "durable queues (version 2), persistent messages; confirmed once written, not synced; at most 2,000 unconfirmed"
    )

    def launch(self, server: Server, directory: Path) -> None:
        """Start the port mapper, then the node."""
        launch_node(server, directory, self.program, server.port, "")
