"""A network that can be cut off: a network namespace, joined to the machine by a pair of virtual Ethernet devices."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.support import require, require_root, wait_until
from tests.system.server import program

INSIDE = "02:00:00:00:00:02"
"""Ethernet address of the device inside."""


class Network:
    """``with Network() as network:``. Programs that are run by :meth:`command` are in it, and listen on ``address``.

    It is the namespace of a process, and ends with it: a run that is killed leaves no device behind.

    :ivar address: IPv4, inside. :ivar outside: IPv4 of this machine, as it is seen from inside.
    """

    def __init__(self) -> None:
        require_root("makes a network namespace")
        self._ip = program("ip", "iproute2")
        # A block for benchmarks, which is routed nowhere (RFC 2544), in pairs.
        pair = 4 * random.randrange(1 << 15)
        self.outside, self.address = (
            f"198.{18 + (host >> 16)}.{host >> 8 & 255}.{host & 255}" for host in (pair + 1, pair + 2)
        )
        self._device = f"hb{os.getpid()}x{pair // 4}"
        self._holder: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        own = os.readlink("/proc/self/ns/net")
        try:
            wait_until(lambda: os.readlink(self._namespace) != own, 10, "a network namespace (unshare --net)")
            self._join_machine()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End it. What still runs in it keeps the namespace."""
        assert self._holder is not None
        self._holder.kill()
        self._holder.wait()
        subprocess.run([self._ip, "link", "delete", self._device], capture_output=True, check=False)

    @property
    def _namespace(self) -> str:
        assert self._holder is not None
        return f"/proc/{self._holder.pid}/ns/net"

    def _join_machine(self) -> None:
        assert self._holder is not None
        there = ["peer", "name", "inside", "address", INSIDE, "netns", str(self._holder.pid)]
        made = subprocess.run(
            [self._ip, "link", "add", self._device, "type", "veth", *there], capture_output=True, text=True
        )
        require(made.returncode == 0, f"no virtual Ethernet device can be made: {made.stderr.strip()}")
        self._run("addr", "add", f"{self.outside}/30", "dev", self._device)
        self._run("link", "set", self._device, "up")
        self._run("addr", "add", f"{self.address}/30", "dev", "inside", inside=True)
        self._run("link", "set", "lo", "up", inside=True)
        self.join()
        # Without it the machine soon says 'no route to host' of what is cut off; a router in between never would.
        self._run("neigh", "replace", self.address, "lladdr", INSIDE, "nud", "permanent", "dev", self._device)

    def _run(self, *arguments: str, inside: bool = False) -> None:
        command = [self._ip, *arguments]
        subprocess.run(self.command(command) if inside else command, check=True)

    def command(self, command: Sequence[str]) -> list[str]:
        """The command that runs it there."""
        return ["nsenter", f"--net={self._namespace}", *command]

    def script(self, file: Path, program: Path) -> Path:
        """Write a script that runs a program there, as a program of its own."""
        file.write_text(f'#!/bin/sh\nexec {" ".join(self.command([str(program)]))} "$@"\n')
        file.chmod(0o700)
        return file

    def cut(self) -> None:
        """From now on all packets are dropped, both ways, and nobody is told."""
        self._run("link", "set", "inside", "down", inside=True)

    def join(self) -> None:
        """Packets go through again."""
        self._run("link", "set", "inside", "up", inside=True)
