"""Where the log goes, and the levels of its parts."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import os
import socket
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from twisted.logger import globalLogBeginner

from hub.logs import logs
from hub.logs.collapse import REPEATS
from hub.logs.handler import OURS, Handler
from hub.logs.journal import Journald
from hub.logs.stream import LogStream
from hub.partlog import part_log

ALEMBIC = """
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys =
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
"""
"""As its env.py gives it to fileConfig()."""


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("", OURS)]
    before = [(logger, list(logger.handlers), logger.level) for logger in loggers]
    yield
    logs.set_levels("warning", {})
    logging.captureWarnings(False)
    logs._guard = None
    for logger, handlers, level in before:
        for handler in logger.handlers:
            if isinstance(handler, Handler):
                handler.writer.stop()
        logger.handlers[:] = handlers
        logger.setLevel(level)


def level_of(part: str) -> str:
    return logging.getLevelName(logging.getLogger(logs.logger_of(part)).getEffectiveLevel()).lower()


def test_a_part_is_called_as_its_lines_call_it() -> None:
    assert logs.logger_of("backend.bus") == part_log("backend", "bus").logger.name
    assert logs.logger_of("consumer") == "hubbub.consumer"
    assert logs.logger_of("sqlalchemy.engine") == "sqlalchemy.engine"


def test_each_part_has_the_level_that_names_it_most_exactly() -> None:
    logs.set_levels("info", {"consumer": "error", "consumer.archive": "debug", "sqlalchemy": "warning"})
    parts = ("consumer.archive", "consumer.other", "backend.bus", "sqlalchemy.engine")
    assert [level_of(part) for part in parts] == ["debug", "error", "info", "warning"]


def test_a_level_that_is_no_longer_set_is_the_default_again() -> None:
    logs.set_levels("info", {"backend.bus": "debug", "twisted": "debug"})
    logs.set_levels("error", {})
    assert [level_of(part) for part in ("backend.bus", "hub.store", "twisted")] == ["error", "error", "warning"]


def test_the_default_is_the_level_of_all_others() -> None:
    logs.set_levels("debug", {})
    assert level_of("hub.service") == "debug"


class Shown:
    """A file in the place of stderr, and what is in it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lines(self) -> list[str]:
        logging.getLogger(OURS).handlers[0].writer.flush()  # type: ignore[attr-defined]
        return self._path.read_text().splitlines()


def configured(monkeypatch: pytest.MonkeyPatch, directory: Path, **options: str) -> Shown:
    """What goes to stderr."""
    path = directory / "stderr"
    monkeypatch.setattr(sys, "stderr", path.open("w"))
    monkeypatch.setattr(globalLogBeginner, "beginLoggingTo", lambda *_, **__: None)
    logs.configure("info", options.pop("to", "stderr"), **options)  # type: ignore[arg-type]
    return Shown(path)


def test_lines_are_for_people_unless_it_says_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = configured(monkeypatch, tmp_path)
    part_log("consumer", "archive").info("hello", extra={"action": "greet"})
    (line,) = shown.lines()
    assert line[20:] == "info    consumer.archive: hello  action=greet"


def test_lines_may_be_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = configured(monkeypatch, tmp_path, form="json")
    part_log("consumer", "archive").info("hello\nyou", extra={"action": "greet"})
    assert json.loads(shown.lines()[0])["message"] == "hello\nyou"


def test_what_was_not_shown_is_told_at_the_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = configured(monkeypatch, tmp_path)
    for number in range(REPEATS + 7):
        part_log("consumer", "archive").error("failed %d", number)
    logs.flush()
    assert len(shown.lines()) == REPEATS
    logs.flush(final=True)
    assert "and 7 more like it in 1 s, the last: failed 11" in shown.lines()[-1]


def test_the_journal_is_used_where_stderr_is_connected_to_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    configured(monkeypatch, tmp_path, form="json")
    status = os.fstat(2)
    with listening(tmp_path / "journal"):
        for stream, kind in ((f"{status.st_dev}:{status.st_ino}", Journald), ("1:2", LogStream)):
            environ = {"JOURNAL_STREAM": stream}
            writer = logs.configure("info", "auto", environ=environ, journal=str(tmp_path / "journal"))
            assert type(writer.destination) is kind
            writer.stop()


def test_without_a_journal_the_log_goes_to_stderr_and_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = configured(monkeypatch, tmp_path, to="journal", journal=str(tmp_path / "none"))
    part_log("hub", "service").info("ready")
    told, ready = shown.lines()
    assert "there is no journal that takes lines: the log goes to standard error" in told
    assert ready.endswith("service: ready")


@contextmanager
def listening(path: Path) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(path))
        yield


@pytest.mark.parametrize(
    "take_over",
    [
        lambda: logging.config.dictConfig({"version": 1, "root": {"level": "ERROR"}}),
        lambda: logging.config.dictConfig({"version": 1}),
        lambda: logging.config.fileConfig(io.StringIO(ALEMBIC)),
        lambda: logging.basicConfig(level="CRITICAL", force=True),
        lambda: logging.getLogger().handlers.clear(),
        lambda: logging.getLogger(OURS).handlers.clear(),
    ],
    ids=["dictConfig", "dictConfig without a root", "fileConfig", "basicConfig", "root cleared", "ours cleared"],
)
def test_a_library_that_sets_up_logging_silences_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, take_over: Callable[[], object]
) -> None:
    shown = configured(monkeypatch, tmp_path)
    part, library = part_log("consumer", "archive"), logging.getLogger("some.library")
    off = logging.getLogger("some.other.library")
    off.disabled = True  # by whoever wants it so
    take_over()
    if logging.getLogger(OURS).handlers:
        part.info("at once")
        assert any(line.endswith("consumer.archive: at once") for line in shown.lines())
    logs.flush()
    part.info("still here")
    library.info("I too")
    told, ours, its = shown.lines()[-3:]
    assert "a library reconfigured Python's logging" in told
    assert (ours[20:], its[20:]) == ("info    consumer.archive: still here", "info    some.library: I too")
    assert off.disabled
    logs.flush()
    assert shown.lines()[-1] == its, "told once"


def test_a_handler_of_a_consumers_own_stays_and_no_line_stands_twice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown = configured(monkeypatch, tmp_path)
    own = logging.FileHandler(tmp_path / "own")
    logging.basicConfig(handlers=[own, logging.StreamHandler()], force=True)
    logs.flush()
    part_log("consumer", "archive").info("once")
    assert sum("once" in line for line in shown.lines()) == 1
    assert (tmp_path / "own").read_text().endswith("once\n")
    own.close()


def test_warnings_of_python_go_to_the_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = configured(monkeypatch, tmp_path)
    warnings.warn("old ways", DeprecationWarning, stacklevel=1)
    assert "py.warnings: " in shown.lines()[0]
    assert "old ways" in shown.lines()[0]


def test_what_twisted_says_of_descriptors_is_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    """The hub says it itself, in a line."""
    observers: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(globalLogBeginner, "beginLoggingTo", lambda given, **_: observers.extend(given))
        logs.configure("info", "stderr", environ={})
    twisted = logging.getLogger("twisted")
    twisted.critical("Could not reserve EMFILE recovery file descriptor.")
    twisted.critical("something else")
    logs.flush(final=True)
    shown = capfd.readouterr().err
    assert "something else" in shown
    assert "EMFILE" not in shown
