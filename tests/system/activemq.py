"""A real ActiveMQ Classic that speaks STOMP, with files of its own, on loopback."""

from __future__ import annotations

from pathlib import Path

from tests.support import free_port, require
from tests.system.server import Server, listens, program

HOME = Path("/usr/share/activemq")
CONFIGURATION = """\
<beans xmlns="http://www.springframework.org/schema/beans"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.springframework.org/schema/beans
    http://www.springframework.org/schema/beans/spring-beans-2.0.xsd
    http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" useJmx="false" brokerName="test" dataDirectory="{directory}">
    <persistenceAdapter><kahaDB directory="{directory}/kahadb"/></persistenceAdapter>
    <transportConnectors><transportConnector name="stomp" uri="stomp://127.0.0.1:{port}"/></transportConnectors>
  </broker>
</beans>
"""
FAST = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
"""It starts sooner, and takes less memory, than a broker that is to run for long."""


class ActiveMQ(Server):
    """It speaks STOMP on ``port``, and asks nobody who they are."""

    def __init__(self, directory: Path) -> None:
        require((HOME / "bin" / "activemq.jar").exists(), "ActiveMQ is not installed (Debian's activemq)")
        java = program("java", "default-jre-headless")
        self.port = free_port()
        configuration = directory / "activemq.xml"
        places = [f"-Dactivemq.{name}={directory}" for name in ("base", "data", "conf")]
        super().__init__(
            directory,
            [
                *(java, *FAST, f"-Dactivemq.home={HOME}", *places, "-jar", str(HOME / "bin" / "activemq.jar")),
                *("start", f"xbean:file:{configuration}"),
            ],
        )
        configuration.write_text(CONFIGURATION.format(directory=directory, port=self.port))

    def answers(self) -> bool:
        return listens(self.port)
