"""Writes docs/settings.rst from the declarations. Run by ``make docs``; a test holds the file against them."""

from __future__ import annotations

import json
import re
from pathlib import Path

from hub.configuration.defaults import default_of, documented
from hub.configuration.type_names import kind_of
from hub.settings import Settings

PLACE = Path(__file__).with_name("settings.rst")
HEAD = """\
Settings
========

All that can be set in ``hub.conf``. Made from the declarations in the code; ``hubbub config --defaults``
prints the same as a commented file, ``hubbub config --show`` what is in force and where it was set.

The file is TOML, checked strictly: ``hubbub check`` names every unknown setting and wrong value at once.
Durations are written ``"250ms"``, ``"30s"``, ``"1h30m"``, sizes ``"64KiB"``, ``"8MiB"``; a number is seconds, or bytes.

Later sources beat earlier ones, setting by setting:

1. ``hub.conf``.
2. ``hub.conf.d/*.conf`` beside it, in the order of their names (for ``-c my.conf`` it is ``my.conf.d``). A list is
   replaced, not added to. A table's ``type`` may stand in one file only: a second one is a second part of the same
   name, which is an error that names both places. A file that only changes some settings of a part leaves it out.
3. The environment: ``HUBBUB_CONSUMERS__ARCHIVE__THREADS=4``, two underscores between the levels, one where a name has
   ``-`` or ``.``. Whatever begins with ``HUBBUB_``, has ``__`` in it and is no setting is an error.
4. ``--set consumers.archive.threads=4``, as often as needed.

Values in the environment and after ``--set`` are read as TOML (``4``, ``true``, ``["a.#"]``), and as a text where they
are not TOML.

Relative paths are taken from the directory of the file they stand in; in the environment and after ``--set``, from the
directory of ``hub.conf``. ``~`` is not expanded.

A part with ``enabled = false`` is checked all the same. A part's class is imported by the check, and nothing else is
done: no file or directory is made. If a file can't be read or is not TOML, only that is said, as the rest would be
guesswork.
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
    # A word that ends with "_" would be a link.
    help_ = re.sub(r"(?<=\w)_(?!\w)", r"\\_", str(info.description))
    return f"\n``{name}`` ({kind_of(info)}; {shown})\n    {help_}\n"


if __name__ == "__main__":
    PLACE.write_text(render(), encoding="utf-8")
