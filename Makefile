# The newcomer's two commands are 'make run' and 'make test'; 'make help' lists the others.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# What the system tests talk to. On Debian and Ubuntu apt brings it; elsewhere the tests name what is missing, and skip.
SERVERS := postgresql pgbouncer collectd-core collectd-utils rrdtool fonts-dejavu-core libmicrohttpd12 libprotobuf-c1 libyajl2 libpython3.11 \
	libcurl3-gnutls systemd systemd-container python3-venv graphite-carbon snmpd snmp chromium mandoc man-db nginx-light haproxy \
	faketime zsh fish curl jq lmdb-utils openssl procps libatomic1 ruby-stomp libnet-stomp-perl rabbitmq-server activemq redis-server redis-sentinel iproute2

# What the benchmark measures hubbub beside; it leaves out, and names, what is missing.
BROKERS := nats-server redis-server rabbitmq-server activemq

# What the web page draws with, and what its tests check it with, from npm's registry. Where there is no npm, pip brings one.
NPM := $(shell command -v npm)
CHARTS := monitoring/web/static/vendor/uPlot.iife.min.js
AXE := monitoring/web/node_modules/axe-core/axe.min.js

.PHONY: run test unit lowest newest faults mutants lint servers charts bench bench-stomp bench-amqp bench-jobs brokers docs man clean help

help:            ## this list
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/:/' | column -t -s:

run: $(VENV)/run $(CHARTS) ## the hub on its shipped configuration, with sample messages; Ctrl-C stops it
	@exec contrib/demo.sh $(BIN)

test: servers $(AXE) lint ## everything: servers, ruff, mypy, all tests; TESTS="tests/system" for some of them
	$(BIN)/python -m pytest $(TESTS)

unit: $(VENV)/test ## the tests that need no servers
	$(BIN)/python -m pytest tests/unit tests/contracts

lowest: ## the unit tests on the lowest versions that setup.py admits
	$(PYTHON) -m venv --clear .venv-lowest
	.venv-lowest/bin/pip install --quiet --disable-pip-version-check uv
	.venv-lowest/bin/uv pip install --quiet --python .venv-lowest/bin/python --resolution lowest-direct -e '.[test]'
	.venv-lowest/bin/python -m pytest tests/unit tests/contracts

newest: ## the unit tests on the newest versions that setup.py admits
	$(PYTHON) -m venv --clear .venv-newest
	.venv-newest/bin/pip install --quiet --disable-pip-version-check uv
	.venv-newest/bin/uv pip install --quiet --python .venv-newest/bin/python --upgrade -e '.[test]'
	.venv-newest/bin/uv pip list --quiet --python .venv-newest/bin/python --outdated --format json | .venv-newest/bin/python contrib/newest.py
	.venv-newest/bin/python -m pytest tests/unit tests/contracts

faults: export HUBBUB_FAULTS := full
faults: $(VENV)/test ## what the hub survives, at full size: kills, full disks, a million behind; takes some forty minutes
	$(BIN)/python -m pytest tests/faults

mutants: $(VENV)/mutants ## changes in the core that no unit test notices; MUTANTS="--sample 50 hub/stats" for some of it
	nice -n 19 $(BIN)/python -m tests.mutants $(MUTANTS)

lint: $(VENV)/test ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

servers: $(VENV)/test ## what the system tests talk to
	@contrib/install-servers.sh $(SERVERS)

charts: $(CHARTS) ## what the web page draws its graphs with

bench: $(VENV)/test ## hubbub beside its peers; takes some twenty minutes
	$(BIN)/python -m benchmarks $(BENCH)

bench-stomp: $(VENV)/test ## the STOMP server beside RabbitMQ's and ActiveMQ's; takes some fifteen minutes
	$(BIN)/python -m benchmarks.stomp $(BENCH)

bench-amqp: $(VENV)/test ## the AMQP client beside fedora-messaging and a plain loop; takes some ten minutes
	$(BIN)/python -m benchmarks.amqp $(BENCH)

bench-jobs: $(VENV)/test ## the job queue beside procrastinate and TheSchwartz; takes some ten minutes
	$(BIN)/python -m benchmarks.jobs $(BENCH)

brokers: ## the servers that 'make bench', 'bench-stomp' and 'bench-amqp' measure too
	@contrib/install-servers.sh $(BROKERS)

docs: $(VENV)/docs ## the documentation, in docs/_build
	$(BIN)/python -m docs.generate_settings
	$(BIN)/python -m docs.generate_metrics
	$(BIN)/python -m docs.generate_command
	$(BIN)/sphinx-build -W -b html docs docs/_build

man: $(VENV)/docs ## the manual pages, in docs/_build/man
	$(BIN)/python -m docs.generate_settings
	$(BIN)/python -m docs.generate_metrics
	$(BIN)/python -m docs.generate_command
	$(BIN)/sphinx-build -q -b man -d docs/_build/.man docs docs/_build/man

clean: ## what make made
	rm -rf $(VENV) .venv-* build dist *.egg-info docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		monitoring/web/node_modules monitoring/web/static/vendor

$(CHARTS): monitoring/web/package-lock.json | $(if $(NPM),,$(VENV)/charts)
	@PYTHON=$(BIN)/python monitoring/web/build.sh || echo "the web page will do without its large graphs"

$(AXE): monitoring/web/package-lock.json | $(VENV)/test
	@PYTHON=$(BIN)/python monitoring/web/build.sh --dev || echo "the tests of the web page will skip"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "hubbub needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/run: setup.py | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/test: setup.py | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@ $(VENV)/run

$(VENV)/mutants: setup.py | $(VENV)/test
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[test,mutants]'
	@touch $@

$(VENV)/charts: setup.py | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[charts]'
	@touch $@ $(VENV)/run

$(VENV)/docs: setup.py | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[docs]'
	@touch $@
