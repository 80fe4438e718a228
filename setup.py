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
    "SQLAlchemy>=2.0",  # the archive, on SQLite as well as on PostgreSQL
]
EXTRAS = {
    "postgres": ["psycopg2-binary>=2.9"],  # the archive on PostgreSQL
    "collectd-encrypt": ["cryptography>=42"],  # collectd's SecurityLevel Encrypt (AES-256-OFB)
}
TESTS = [
    "pytest>=8",  # the test runner
    "pytest-timeout>=2.3",  # no test hangs CI
    "hypothesis>=6.100",  # property and state machine tests
    "mypy>=1.11",  # static types
    "ruff>=0.6",  # lint and format
]
DOCS = ["sphinx>=7.3"]  # the documentation

setup(
    name="hubbub",
    version="0.1.0",
    description="A message hub: every consumer has its own queue, its own threads, and a backlog that is a number",
    long_description=Path(__file__).with_name("README.rst").read_text(encoding="utf-8"),
    long_description_content_type="text/x-rst",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["hub*", "backends*", "consumers*", "monitoring*"]),
    package_data={"hub": ["py.typed"], "monitoring": ["py.typed"], "consumers": ["py.typed"], "backends": ["py.typed"]},
    install_requires=REQUIRES,
    extras_require={**EXTRAS, "test": [*TESTS, *sum(EXTRAS.values(), [])], "docs": DOCS},
    entry_points={
        "console_scripts": ["hubbub = hub.cli:main"],
        "hub.backends": ["zeromq = backends.zeromq:ZeroMQ", "memory = backends.memory:Memory"],
        "hub.consumers": [
            "archive = consumers.archive:Archive",
            "log = consumers.log:Log",
            "slow = consumers.slow:Slow",
        ],
        "hub.exporters": ["collectd = monitoring.collectd_push:CollectdPush"],
        "hub.commands": ["archive = consumers.archive.command:archive", "graph = monitoring.graph:graph"],
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
