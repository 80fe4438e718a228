"""STOMP servers to measure, each as it comes, on loopback and with files of its own."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from benchmarks.brokers.broker import Broker, Server
from benchmarks.brokers.rabbitmq_server import RabbitMQ, launch_node
from benchmarks.processes import free_port
from benchmarks.systems import HUBBUB


class Hubbub(Broker):
    """Hub that is only a STOMP server, without a configuration."""

    name = "hubbub"
    package = "hubbub"
    program = str(HUBBUB)
    how = "``hubbub stomp``, which has no settings; a RECEIPT comes once the message is synced"

    def launch(self, server: Server, directory: Path) -> None:
        """Start the hub."""
        server.spawn(
            [self.program, "stomp", "--listen", f"127.0.0.1:{server.port}", "--state-dir", str(directory / "state")]
        )

    def version(self) -> str:
        """Version of this build."""
        return version("hubbub")


class StompRabbitMQ(Broker):
    """RabbitMQ with its STOMP plugin."""

    name = "rabbitmq"
    package = RabbitMQ.package
    program = RabbitMQ.program
    how = "its STOMP plugin, and its defaults; a RECEIPT of a persistent message comes once it is written"

    def launch(self, server: Server, directory: Path) -> None:
        """Start the port mapper, then the node."""
        settings = f"stomp.listeners.tcp.1 = 127.0.0.1:{server.port}\n"
        launch_node(server, directory, self.program, free_port(), settings, "[rabbitmq_stomp].")


class ActiveMQ(Broker):
    """ActiveMQ Classic with its file store and one STOMP connector."""

    name = "activemq"
    package = "activemq"
    program = "/usr/bin/activemq"
    how = "KahaDB, 512 MB of heap as Debian sets it; a RECEIPT of a persistent message comes once it is synced"

    _home = Path("/usr/share/activemq")
    _configuration = """\
<beans xmlns="http://www.springframework.org/schema/beans"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.springframework.org/schema/beans
    http://www.springframework.org/schema/beans/spring-beans-2.0.xsd
    http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" useJmx="false" brokerName="bench" dataDirectory="{directory}">
    <persistenceAdapter><kahaDB directory="{directory}/kahadb"/></persistenceAdapter>
    <transportConnectors><transportConnector name="stomp" uri="stomp://127.0.0.1:{port}"/></transportConnectors>
  </broker>
</beans>
"""

    def launch(self, server: Server, directory: Path) -> None:
        """Start the broker in a virtual machine of its own."""
        configuration = directory / "activemq.xml"
        configuration.write_text(self._configuration.format(directory=directory, port=server.port))
        places = [f"-Dactivemq.{name}={directory}" for name in ("base", "data", "conf")]
        memory = ["-Xms512M", "-Xmx512M", "-Dorg.apache.activemq.UseDedicatedTaskRunner=true"]
        jar = ["-jar", str(self._home / "bin" / "activemq.jar")]
        command = ["java", *memory, f"-Dactivemq.home={self._home}", *places, *jar]
        server.spawn([*command, "start", f"xbean:file:{configuration}"])


SERVERS: dict[str, Broker] = {server.name: server for server in (Hubbub(), StompRabbitMQ(), ActiveMQ())}
"""Servers by their names in the tables."""
