"""What one gets by ``pip install``: a wheel that was built from the sdist, in an environment without this checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from pathlib import Path

import pytest

from hub.templates import TEMPLATES
from tests.support import ROOT, free_port, require
from tests.system.distribution import Distribution, install
from tests.system.hubs import RunningHub

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]
SITE = "import sysconfig; print(sysconfig.get_path('purelib'))"
OWN_CONSUMER = """
from pathlib import Path
from hub import Consumer
from monitoring.words import WORD

class Badges(Consumer):
    topics = ["org.example.#"]

    def consume(self, message):
        (self.context.state_dir / ".." / WORD).write_text(message.topic)
"""
OWN_PACKAGES = """
[backends.bus]
type = "zeromq"
bind = ["{endpoint}"]
publish_connect = ["{endpoint}"]
[consumers.badges]
type = "consumers.badges:Badges"
[consumers.log]
type = "log"
[consumers.archive]
type = "archive"
database = "sqlite:///archive.db"
"""
NEEDY = """
[backends.bus]
type = "stomp"
connect = ["stomp+ssl://localhost:{port}"]
destinations = ["/queue/work"]
[backends.door]
type = "stomp-server"
[consumers.archive]
type = "archive"
database = "postgresql:///archive"
[exporters.otel]
type = "opentelemetry"
"""
CHARTS = "static/vendor/uPlot.iife.min.js"


@pytest.fixture(scope="module")
def programs(distribution: Distribution, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the installed commands."""
    return install(distribution.wheel, tmp_path_factory.mktemp("installed") / "venv")


@pytest.fixture
def environment() -> dict[str, str]:
    """Without what would find this checkout."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def test_the_wheel_has_the_templates_the_manual_pages_and_the_charts(distribution: Distribution) -> None:
    names = set(zipfile.ZipFile(distribution.wheel).namelist())
    templates = {str(path.relative_to(ROOT)) for path in (ROOT / "hub" / "templates").rglob("*") if path.is_file()}
    assert {name for name in templates if "__pycache__" not in name} <= names
    assert f"hub/monitoring/web/{CHARTS}" in names
    assert {name.rpartition("/")[2] for name in names if "/share/man/" in name} == {"hubbub.1", "hub.conf.5"}
    assert {name.split("/")[0] for name in names} == {"hub", "hubbub-0.1.0.dist-info", "hubbub-0.1.0.data"}


def test_the_sdist_has_all_that_the_repository_has(distribution: Distribution) -> None:
    require((ROOT / ".git").exists(), "this is no clone, whose files could be listed")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    committed = {name for name in listed.splitlines() if (ROOT / name).exists()}
    with tarfile.open(distribution.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert committed - names == {".gitignore"}


def test_the_installed_command_begins_a_hub_that_runs_and_whose_page_has_its_charts(
    programs: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    hubbub = programs / "hubbub"
    options = [f"--{template.name}" for template in TEMPLATES]
    subprocess.run([hubbub, "init", *options], cwd=tmp_path, env=environment, check=True, capture_output=True)
    unit = (tmp_path / "systemd" / "hubbub.service").read_text()
    assert f"ExecStart={programs}/python -P {hubbub} run -c /etc/hubbub/hub.conf\n" in unit
    plugin = (tmp_path / "collectd" / "hubbub-plugin.conf").read_text()
    modules = plugin.partition('ModulePath "')[2].partition('"')[0]
    assert (Path(modules) / "collectd_plugin.py").is_file()
    assert Path(modules).is_relative_to(programs.parent)
    page = free_port()
    text = (tmp_path / "hub.conf").read_text().replace("9940", str(free_port())).replace("9941", str(page))
    with RunningHub(tmp_path, text, program=hubbub) as hub:
        assert hub.command("check").returncode == 0
        hub.command("publish", "org.example.hello", '{"n": 1}')
        hub.wait_for("log", "finished", 1)
        with urllib.request.urlopen(f"http://127.0.0.1:{page}/{CHARTS}", timeout=10) as answer:
            assert b"uPlot" in answer.read()


def test_without_any_extra_the_check_names_what_is_missing(
    programs: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "hub.conf").write_text(NEEDY.format(port=free_port()))
    command = [str(programs / "hubbub"), "check", "--json", "-c", "hub.conf"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 78, done.stderr
    assert json.loads(done.stdout)["problems"] == [
        "backends.bus: TLS to a broker needs an optional library: pip install 'hubbub[stomp]'",
        "backends.door: WebSocket needs an optional library: pip install 'hubbub[stomp]'",
        "consumers.archive: an archive in PostgreSQL needs an optional library: pip install 'hubbub[postgres]'",
        "exporters.otel: an exporter of the type opentelemetry needs an optional library: "
        "pip install 'hubbub[opentelemetry]'",
    ]


def test_packages_of_ones_own_may_be_called_as_the_hubs_are(
    programs: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """They are installed beside the wheel."""
    site = Path(subprocess.check_output([programs / "python", "-c", SITE], env=environment, text=True).strip())
    own = [site / package for package in ("backends", "consumers", "monitoring")]
    for package in own:
        package.mkdir()
        (package / "__init__.py").touch()
    (site / "consumers" / "badges.py").write_text(OWN_CONSUMER)
    (site / "monitoring" / "words.py").write_text("WORD = 'own'\n")
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    hub = RunningHub(tmp_path, OWN_PACKAGES.format(endpoint=endpoint), program=programs / "hubbub")
    try:
        with hub:
            assert "consumer badges: consumers.badges:Badges" in hub.command("check").stdout
            hub.command("publish", "org.example.hello", '{"n": 1}')
            for name in ("badges", "log", "archive"):
                hub.wait_for(name, "finished", 1)
        assert (tmp_path / "own").read_text() == "org.example.hello"
        search = [str(programs / "hubbub"), "archive", "search"]  # a command of a package that is called so, too
        assert b"org.example.hello" in subprocess.check_output(search, cwd=tmp_path, env=environment)
    finally:
        for package in own:
            shutil.rmtree(package)


def test_no_wheel_is_built_without_the_charts(tmp_path: Path) -> None:
    """Where there is neither npm nor what brings it."""
    sources = tmp_path / "sources"
    for name in ("contrib", "monitoring"):
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("vendor", "node_modules"))
    script = "import build_backend; build_backend.build_wheel('.')"
    bare = tmp_path / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    (tmp_path / "bin").mkdir()
    for program in ("bash", "dirname", "basename"):
        found = shutil.which(program)
        assert found is not None
        (tmp_path / "bin" / program).symlink_to(found)
    (sources / "setuptools").mkdir()
    (sources / "setuptools" / "__init__.py").touch()
    (sources / "setuptools" / "build_meta.py").touch()
    environment = {"PATH": str(tmp_path / "bin"), "PYTHONPATH": f"{sources / 'contrib'}:{sources}"}
    command = [str(bare / "bin" / "python"), "-c", script]
    done = subprocess.run(command, cwd=sources, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "hubbub is not built: the charts of the web page can't be made: no npm here" in done.stderr
