"""Files that are read again when they changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.errors import ConfigError
from hub.watched_files import WatchedFiles


class Watch:
    """Two files, of which the first holds a number."""

    def __init__(self, directory: Path, keeps: bool) -> None:
        self.path, self.other = directory / "number", directory / "other"
        self.reads = 0
        self.complaints: list[str] = []
        self.files = WatchedFiles([self.path, self.other], self._read, self.complaints.append, keeps)

    def _read(self) -> int:
        self.reads += 1
        try:
            return int(self.path.read_text())
        except (OSError, ValueError) as error:
            raise ConfigError([f"no number: {type(error).__name__}"]) from error


@pytest.fixture(params=[False, True], ids=["drops", "keeps"])
def watch(request: pytest.FixtureRequest, tmp_path: Path) -> Watch:
    return Watch(tmp_path, request.param)


def test_files_are_read_once_until_one_changes(watch: Watch) -> None:
    watch.path.write_text("1")
    assert [watch.files.content() for _ in range(3)] == [1, 1, 1]
    watch.other.write_text("")
    assert (watch.files.content(), watch.reads) == (1, 2)
    watch.path.write_text("22")
    assert (watch.files.content(), watch.reads) == (22, 3)


def test_what_was_never_there_is_no_complaint(watch: Watch) -> None:
    assert (watch.files.content(), watch.complaints, watch.reads) == (None, [], 0)
    with pytest.raises(ConfigError, match="no number: FileNotFoundError"):
        watch.files.load()


@pytest.mark.parametrize(("keeps", "meanwhile"), [(False, None), (True, 1)])
def test_files_that_can_not_be_used_are_told_once(tmp_path: Path, keeps: bool, meanwhile: int | None) -> None:
    watch = Watch(tmp_path, keeps)
    watch.path.write_text("1")
    assert watch.files.load() == 1
    watch.path.write_text("one")
    assert [watch.files.content() for _ in range(2)] == [meanwhile, meanwhile]
    assert (watch.complaints, watch.files.problem) == (["no number: ValueError"], "no number: ValueError")
    watch.path.unlink()
    assert watch.files.content() == meanwhile
    assert watch.complaints[1:] == ["no number: FileNotFoundError"]
    watch.path.write_text("333")
    assert (watch.files.content(), watch.files.problem, len(watch.complaints)) == (333, "", 2)
