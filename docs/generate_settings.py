"""Writes docs/settings.rst from the declarations. Run by ``make docs``; a test holds the file against them."""

from __future__ import annotations

import json
from pathlib import Path

from hub.defaults import default_of, documented
from hub.settings import Settings

PLACE = Path(__file__).with_name("settings.rst")
HEAD = """\
Settings
========

All that can be set in ``hub.conf``. Made from the declarations in the code; ``hubbub config --defaults``
prints the same as a commented file, ``hubbub config --show`` what is in force and where it was set.

The file is TOML, checked strictly: ``hubbub check`` names every unknown setting and wrong value at once.
``hub.conf.d/*.conf`` beside it is merged over it, in the order of the names. The environment
(``HUBBUB_CONSUMERS__ARCHIVE__THREADS=4``) beats the files, ``--set consumers.archive.threads=4`` beats the
environment. Durations are written ``"250ms"``, ``"30s"``, ``"1h30m"``, sizes ``"64KiB"``, ``"8MiB"``; a
number is seconds, or bytes. Relative paths are taken from the directory of ``hub.conf``.
"""


def render() -> str:
    """The whole page."""
    parts = [HEAD]
    for section, name, purpose, model in documented():
        title = f"[{section}]" if section == "hub" else f"[{section}.NAME]" + (f' with type = "{name}"' if name else "")
        parts.append(f"\n{title}\n{'-' * len(title)}\n\n{purpose[:1].upper()}{purpose[1:]}.\n")
        parts += [_setting(model, setting) for setting in model.model_fields]
    return "".join(parts)


def _setting(model: type[Settings], name: str) -> str:
    info, default = model.model_fields[name], default_of(model, name)
    shown = "must be set" if info.is_required() else "unset" if default is None else f"``{json.dumps(default)}``"
    return f"\n``{name}`` ({shown})\n    {info.description}\n"


if __name__ == "__main__":
    PLACE.write_text(render(), encoding="utf-8")
