"""Distribution metadata. Tool settings are in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

REQUIRES = [
    "Twisted>=24.7",  # the reactor, the control socket's HTTP
    "pyzmq>=26",  # the ZeroMQ bus
    "msgspec>=0.19",  # the Message struct and JSON, three times faster than the standard library
    "lmdb>=1.4",  # the store: a transaction that a crash can't tear, without a server
    "pydantic>=2.9,<3",  # checks hub.conf and names every error in it at once
    "click>=8.1",  # the command line
    "rich>=13",  # tables, colours and progress bars on a terminal
    "textual>=4.0",  # the live screen of 'hubbub top'
    "SQLAlchemy>=2.0",  # the archive, on SQLite as well as on PostgreSQL
    "prometheus-client>=0.20",  # what a scrape is answered with, in either of Prometheus' formats
]
EXTRAS = {
    "postgres": ["psycopg2-binary>=2.9"],  # the archive on PostgreSQL
    "collectd-encrypt": ["cryptography>=42"],  # collectd's SecurityLevel Encrypt (AES-256-OFB)
    "opentelemetry": [
        "opentelemetry-api>=1.45",  # what a consumer's instrumented libraries join by
        "opentelemetry-sdk>=1.45",  # spans, sampling, batches
        "opentelemetry-exporter-otlp-proto-http>=1.45",  # OTLP to a collector
    ],
}
TESTS = [
    "pytest>=8",  # the test runner
    "opentelemetry-proto>=1.45",  # reads what the exporter sent, by the official definitions
    "pytest-timeout>=2.3",  # no test hangs CI
    "playwright>=1.48",  # drives the Chromium that opens the web page; it downloads none, the system's is used
    "hypothesis>=6.100",  # property and state machine tests
    "pyte>=0.8",  # a terminal whose screen a test can read
    "openapi-spec-validator>=0.7",  # the API's description, by its specification's own schema
    "docutils>=0.20",  # reads the documents as a forge does, without Sphinx
    "setuptools>=78.1.1",  # builds the template of a consumer's package, without the network
    "mypy>=1.11",  # static types
    "ruff>=0.6",  # lint and format
]
DOCS = ["sphinx>=7.3"]  # the documentation, the manual pages
MAN = [(f"share/man/man{page.suffix[1:]}", [str(page)]) for page in sorted(Path("build/man").glob("*.[15]"))]
"""As 'make man' made them; there are none where it did not."""

setup(
    name="hubbub",
    version="0.1.0",
    description="A message hub: every consumer has its own queue, its own threads, and a backlog that is a number",
    long_description=Path(__file__).with_name("README.rst").read_text(encoding="utf-8"),
    long_description_content_type="text/x-rst",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["hub*", "backends*", "consumers*", "monitoring*"]),
    package_data={
        "hub": ["py.typed"],
        "monitoring": ["py.typed", "web/static/**/*"],
        "consumers": ["py.typed"],
        "backends": ["py.typed"],
    },
    data_files=MAN,
    install_requires=REQUIRES,
    extras_require={**EXTRAS, "test": [*TESTS, *DOCS, *sum(EXTRAS.values(), [])], "docs": DOCS},
    entry_points={
        "console_scripts": ["hubbub = hub.cli:main"],
        "hub.backends": ["zeromq = backends.zeromq:ZeroMQ", "memory = backends.memory:Memory"],
        "hub.consumers": [
            "archive = consumers.archive:Archive",
            "log = consumers.log:Log",
            "slow = consumers.slow:Slow",
        ],
        "hub.exporters": [
            "collectd = monitoring.collectd_push:CollectdPush",
            "opentelemetry = monitoring.opentelemetry_push:OpenTelemetryPush",
            "graphite = monitoring.graphite:Graphite",
            "statsd = monitoring.statsd:Statsd",
            "udp-monitor = monitoring.udp_monitor:UdpMonitor",
            "moksha = monitoring.moksha:MokshaMonitor",
        ],
        "pytest11": ["hubbub = hub.testing"],
        "hub.servers": ["web = monitoring.web:Web"],
        "hub.commands": [
            "archive = consumers.archive.command:archive",
            "graph = monitoring.graph:graph",
            "snmp = monitoring.snmp:snmp",
            "web = monitoring.web.command:web",
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
