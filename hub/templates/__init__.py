"""Templates for an installation: a ``hub.conf``, and configuration files of other programs.

They are part of the package; ``hubbub init`` writes them out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

PLACE = "/opt/hubbub"
"""Directory of the program in the template files."""
_MODULES = f"{PLACE}/lib/python3.11/site-packages"


@dataclass(frozen=True)
class Template:
    """The template files for one program.

    :param name: name of the directory here, and of the option of ``hubbub init``.
    :param help: help text of the option.
    :param steps: installation steps, a line each; ``{files}`` stands for the files' directory.
    """

    name: str
    help: str
    steps: tuple[str, ...]

    def steps_for(self, directory: Path) -> list[str]:
        """The steps for files in ``directory``."""
        return [step.format(files=directory) for step in self.steps]

    def texts(self, program: Path | None = None, modules: Path | None = None) -> Iterator[tuple[str, str]]:
        """Names and texts of the files, with the paths of this installation.

        :param program: directory of the ``hubbub`` command; ``None``: that of this process.
        :param modules: directory of the hub's packages; ``None``: that of this package.
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
        "Configuration of collectd: the hub's numbers, and thresholds of the backlog.",
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
            "the head of each file has the sudo rule that it needs",
        ),
    ),
    Template(
        "snmp",
        "Configuration of snmpd to answer for the hub, and the MIB.",
        (
            "install -D -m 644 {files}/snmpd.conf /etc/snmp/snmpd.conf.d/hubbub.conf    # its head: what sudo allows",
            "install -D -m 644 {files}/HUBBUB-MIB.txt /usr/share/snmp/mibs/HUBBUB-MIB.txt",
            "systemctl restart snmpd",
        ),
    ),
    Template(
        "nginx",
        "Configuration of nginx as the web page's proxy, with TLS.",
        (
            "in {files}/hubbub.conf: the name, the certificate and its key; in hub.conf: public_hosts of [servers.web]",
            "install -m 644 {files}/hubbub.conf /etc/nginx/sites-enabled/hubbub",
            "nginx -t && systemctl reload nginx",
        ),
    ),
)


def configuration() -> str:
    """The text of a small, complete ``hub.conf``."""
    return (files(__name__) / "hub.conf").read_text(encoding="utf-8")


def program_directory(environment: Path = Path(sys.prefix), place: Path = Path(PLACE)) -> Path:
    """Directory of the ``hubbub`` command in a virtual environment; below ``place`` if that links to it, for
    upgrades."""
    lasting = place.resolve() == environment.resolve()
    return (place if lasting else environment) / "bin"
