"""Files that an installation begins with: a ``hub.conf``, and for each program beside the hub what that is told of it.

They are in the package, so that every installation has them; ``hubbub init`` writes them out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

PLACE = "/opt/hubbub"
"""Where the files take the program to be."""
_MODULES = f"{PLACE}/lib/python3.11/site-packages"


@dataclass(frozen=True)
class Template:
    """What one program is told of the hub.

    :param name: of the directory here, and of the option of ``hubbub init``.
    :param help: of the option.
    :param steps: what to do with the files, a line each; ``{files}`` stands for their directory.
    """

    name: str
    help: str
    steps: tuple[str, ...]

    def steps_for(self, directory: Path) -> list[str]:
        """The steps, where the files are in ``directory``."""
        return [step.format(files=directory) for step in self.steps]

    def texts(self, program: Path | None = None, modules: Path | None = None) -> Iterator[tuple[str, str]]:
        """Its files, by name, with the paths of this installation.

        :param program: the directory of the ``hubbub`` command; ``None``: that of this process.
        :param modules: the directory that our packages are in; ``None``: that of this package.
        """
        program, modules = program or program_directory(), modules or Path(__file__).parents[2]
        for file in sorted((files(__name__) / self.name).iterdir(), key=lambda file: file.name):
            text = file.read_text(encoding="utf-8")
            yield file.name, text.replace(_MODULES, str(modules)).replace(f"{PLACE}/bin", str(program))


TEMPLATES = (
    Template(
        "systemd",
        "The unit of systemd.",
        (
            "install -D -m 644 {files}/hubbub.service /etc/systemd/system/hubbub.service",
            "systemctl daemon-reload && systemctl enable --now hubbub    # its configuration is /etc/hubbub/hub.conf",
        ),
    ),
    Template(
        "collectd",
        "What collectd needs to get the numbers, and to tell of a backlog.",
        (
            'in hub.conf: [exporters.collectd] with type = "collectd"',
            "install -m 644 {files}/hubbub-push.conf {files}/hubbub-threshold.conf /etc/collectd/collectd.conf.d/",
            "systemctl restart collectd    # hubbub-plugin.conf instead of hubbub-push.conf: collectd asks the hub",
        ),
    ),
    Template(
        "nagios",
        "Commands and services for Nagios, Naemon and Icinga.",
        (
            "install -m 644 {files}/hubbub.cfg /etc/nagios4/conf.d/    # Nagios, Naemon, Icinga 1",
            "install -m 644 {files}/icinga2.conf /etc/icinga2/conf.d/hubbub.conf    # Icinga 2",
            "the head of each says what sudo has to allow",
        ),
    ),
    Template(
        "snmp",
        "What snmpd needs to answer for the hub, and the MIB.",
        (
            "install -D -m 644 {files}/snmpd.conf /etc/snmp/snmpd.conf.d/hubbub.conf    # its head: what sudo allows",
            "install -D -m 644 {files}/HUBBUB-MIB.txt /usr/share/snmp/mibs/HUBBUB-MIB.txt",
            "systemctl restart snmpd",
        ),
    ),
    Template(
        "nginx",
        "nginx as the web page's proxy, with TLS.",
        (
            "in {files}/hubbub.conf: the name, the certificate and its key; in hub.conf: public_hosts of [servers.web]",
            "install -m 644 {files}/hubbub.conf /etc/nginx/sites-enabled/hubbub",
            "nginx -t && systemctl reload nginx",
        ),
    ),
)


def configuration() -> str:
    """A small ``hub.conf`` that runs as it is."""
    return (files(__name__) / "hub.conf").read_text(encoding="utf-8")


def program_directory(environment: Path = Path(sys.prefix), place: Path = Path(PLACE)) -> Path:
    """Where the ``hubbub`` of that virtual environment is; ``place`` where that is a link to it, for upgrades."""
    lasting = place.resolve() == environment.resolve()
    return (place if lasting else environment) / "bin"
