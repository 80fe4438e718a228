"""The program of a command: where it is, and whether it can be run."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from hub.errors import HubError
from hub.trust import Trust


def located(program: str, search: str) -> str:
    """Return the path of a program. :param search: directories, as in ``PATH``, for a name without a slash.

    :raises HubError: it is missing, or this user can't run it; the text says what to do.
    """
    found = problem(program, search)
    if found is not None:
        raise HubError(found)
    path = program if "/" in program else shutil.which(program, path=search)
    if path is None or not os.access(path, os.X_OK):
        raise HubError(f"{program} can't be run by this user: look at its permissions, and those of its directories")
    return os.path.abspath(path)


def problem(program: str, search: str) -> str | None:
    """Return why nobody could run a program; ``None``: somebody can, perhaps another user than this one."""
    if "/" in program:
        if not program.startswith("/"):
            return f"expected an absolute path, or a name to search in PATH, not {program!r}"
        return _fault(Path(program))
    path = shutil.which(program, path=search) if program else None
    if path is None:
        return f"no program {program!r} is in PATH, {search}"
    return _fault(Path(path))


def _fault(path: Path) -> str | None:
    try:
        found = path.stat()
    except PermissionError:
        return None
    except OSError as error:
        return f"there is no program {path}: {error.strerror}"
    if not stat.S_ISREG(found.st_mode):
        return f"{path} is not a file"
    if not found.st_mode & 0o111:
        return f"{path} is not executable: chmod +x {path}"
    refusal = Trust.now().refusal(path)
    return None if refusal is None else f"{path} is not run: {refusal}"
