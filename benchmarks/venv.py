"""Virtual environments of the systems that hubbub is compared with; the project itself depends on none of them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Venv:
    """Virtual environment in the project's root, made at the first use and whenever its requirements change."""

    name: str
    requires: tuple[str, ...]

    def python(self) -> Path:
        """Interpreter of the environment, which is made if needed.

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
"""Environment of moksha.hub. Its dependencies are not pinned: its users, too, get what pip finds."""
BROKERS = Venv(".venv-brokers", ("nats-py==2.16.0", "redis[hiredis]==8.1.0", "pika==1.4.4"))
