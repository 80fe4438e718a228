"""Virtual environments of what hubbub is measured beside: the project itself depends on none of it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Venv:
    """Made in the project's root at the first use, and again whenever what it requires has changed."""

    name: str
    requires: tuple[str, ...]

    def python(self) -> Path:
        """Its interpreter.

        :raises subprocess.CalledProcessError: pip could not install it.
        :raises OSError: there is no python3.11.
        """
        python = ROOT / self.name / "bin" / "python"
        ready, wanted = ROOT / self.name / "ready", "\n".join(self.requires)
        if not ready.exists() or ready.read_text() != wanted:
            subprocess.run(["python3.11", "-m", "venv", "--clear", str(ROOT / self.name)], check=True)
            subprocess.run([str(python), "-m", "pip", "install", "-qq", *self.requires], check=True)
            ready.write_text(wanted)
        return python


MOKSHA = Venv(".venv-moksha", ("setuptools==65.5.0", "moksha.hub==1.5.17"))
"""Nothing else is pinned: its users have what pip finds."""
BROKERS = Venv(".venv-brokers", ("nats-py==2.16.0", "redis[hiredis]==8.1.0", "pika==1.4.4"))
