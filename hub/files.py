"""Imports plugins that are files: each file is a module of its own, with the modules beside it.

A file is imported as ``hub.files.PATH``, with PATH quoted, so that it can't shadow an installed module or be shadowed,
and so that a process started by ``multiprocessing`` can import it by that name: importing this module suffices. Modules
beside the file are found after all installed ones.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from urllib.parse import quote, unquote

import msgspec

from hub.collectors import replaced
from hub.trust import Trust

__path__: list[str] = []
"""Makes this module a package, whose modules :class:`Finder` finds."""
PREFIX = f"{__name__}."


class Loaded(msgspec.Struct, frozen=True):
    """The newest module of a file. :ivar fingerprint: hash of its content and of the modules beside it."""

    module: ModuleType
    fingerprint: str


_newest: dict[Path, Loaded] = {}
_numbers: dict[Path, int] = {}
"""Number of imports of each file."""
_directories: set[Path] = set()
"""Directories of the imported files."""
_beside: dict[str, Path] = {}
"""Modules that files imported from their own directories, by name."""


class Finder(importlib.abc.MetaPathFinder):
    """Finds a plugin's file by its module's name, and modules beside it, if they are trusted, see :mod:`hub.trust`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module for the import system. :raises ImportError: the file can be written by somebody who is not
        trusted."""
        if fullname.startswith(PREFIX):
            return importlib.util.spec_from_file_location(fullname, path_of(fullname))
        if path is not None and not any(_is_beside(place) for place in path):
            return None
        spec = PathFinder.find_spec(fullname, path, target) if _directories else None
        if spec is None or spec.origin is None or not _is_beside(spec.origin):
            return None
        if (refusal := Trust.now().refusal(Path(spec.origin))) is not None:
            raise ImportError(f"{spec.origin} is not imported: {refusal}", name=fullname, path=spec.origin)
        return spec


def _is_beside(place: str) -> bool:
    return any(Path(place).is_relative_to(directory) for directory in _directories)


def beside() -> list[Path]:
    """Files that plugins' files imported from their own directories."""
    return sorted(set(_beside.values()))


def name_of(path: Path, number: int) -> str:
    """The module's name for a file. :param number: number of the import, from 1."""
    name = PREFIX + quote(str(path)).replace(".", "%2E")
    return name if number == 1 else f"{name};{number}"


def path_of(name: str) -> Path:
    """The file of a module."""
    return Path(unquote(name.removeprefix(PREFIX).partition(";")[0]))


def load(path: Path) -> Loaded:
    """Return the module of a file; import it anew if it, or a module beside it, has changed.

    :raises OSError: it can't be read. Any error of its import is passed on.
    """
    # Read before the import, so that a later save counts as a change. Raises if the file can't be read.
    content = path.read_bytes()
    known = _newest.get(path)
    if known is not None and known.fingerprint == _fingerprint(path, content):
        return known
    number = _numbers[path] = _numbers.get(path, 0) + 1
    _forget_bytecode(path)
    with _imports_of(path.parent, anew=number > 1), replaced(path):
        module = _execute(path, number)
    _newest[path] = Loaded(module, _fingerprint(path, content))
    return _newest[path]


def _execute(path: Path, number: int) -> ModuleType:
    name = name_of(path, number)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _forget_bytecode(file: Path) -> None:
    """Delete the bytecode: Python would use it for a file changed within the same second to the same size."""
    with suppress(OSError):  # not writable, so this process did not write it
        Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)


def renew(modules: Collection[str]) -> None:
    """Import the files of these modules anew on the next load: a replaced plugin must not get resources that its module
    has closed."""
    for path in [path for path, loaded in _newest.items() if loaded.module.__name__ in modules]:
        del _newest[path]


def forget_others(modules: Collection[str]) -> None:
    """Drop all modules of files except these, which are in use."""
    for path in [path for path, loaded in _newest.items() if loaded.module.__name__ not in modules]:
        del _newest[path]
    unused = [name for name in list(sys.modules) if name.startswith(PREFIX) and name not in modules]
    for name in unused:
        del sys.modules[name]
    if unused:
        gc.collect()  # a module and its functions form cycles, and the hub's collector runs rarely


def _fingerprint(path: Path, content: bytes) -> str:
    total = hashlib.sha256(content)
    for file in sorted({file for file in _beside.values() if file.is_relative_to(path.parent)}):
        total.update(file.read_bytes() if file.exists() else b"")
    return total.hexdigest()


@contextmanager
def _imports_of(directory: Path, anew: bool) -> Iterator[None]:
    """Make modules of a directory importable while one of its files is imported, after all installed modules. Modules
    of the same names from other directories are hidden.

    :param anew: import the modules of this directory once more.
    """
    set_aside = {
        name: sys.modules.pop(name)
        for name, file in _beside.items()
        if name in sys.modules and (anew or not file.is_relative_to(directory))
    }
    if anew:
        for helper in {file for file in _beside.values() if file.is_relative_to(directory)}:
            _forget_bytecode(helper)
    _find_first(directory)
    before = set(sys.modules)
    try:
        yield
    finally:
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file is not None and not name.startswith(PREFIX) and Path(file).is_relative_to(directory):
                _beside[name] = Path(file)
        for name, module in set_aside.items():
            sys.modules.setdefault(name, module)


def _find_first(directory: Path) -> None:
    """Put the directory before those of other files."""
    _directories.add(directory)
    with suppress(ValueError):
        sys.path.remove(str(directory))
    others = [sys.path.index(str(path.parent)) for path in _newest if str(path.parent) in sys.path]
    sys.path.insert(min(others, default=len(sys.path)), str(directory))
    importlib.invalidate_caches()


if not any(isinstance(finder, Finder) for finder in sys.meta_path):
    sys.meta_path.insert(sys.meta_path.index(PathFinder), Finder())
