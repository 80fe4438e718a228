"""Every setting there is, as a commented file."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from hub.configuration.defaults import default_file, documented
from hub.configuration.loading import load
from hub.configuration.sections import SECTIONS
from hub.settings import Settings, setting

ENABLED = re.compile(r"^# (?=[^ ])", re.MULTILINE)
NEEDED = {
    "zeromq": ('backends.zeromq.connect=["tcp://127.0.0.1:9940"]',),
    "stomp": ('backends.stomp.connect=["stomp://127.0.0.1"]', 'backends.stomp.destinations=["/queue/x"]'),
    "amqp": ('backends.amqp.connect=["amqp://127.0.0.1"]', "backends.amqp.queues={x={}}"),
    "redis": ('backends.redis.connect="redis://127.0.0.1"', 'backends.redis.streams=["a"]'),
    "announcements": ('clusters.announcements.backend="zeromq"',),
    "relay": ('consumers.relay.to=["zeromq"]',),
    "webhook": ('consumers.webhook.url="https://example.org/"',),
    "trigger": ('consumers.trigger.command=["/bin/sh", "/etc/hubbub/on-message.sh"]',),
    "watch": ("consumers.watch.backlog={archive=1000}",),
    "udp-monitor": ("exporters.udp-monitor.port=9950",),
}
"""What a plugin asks for beyond its defaults."""


class Sample(Settings):
    must: str = setting(..., "It must.", example="a")
    bare: str = setting(..., "It must, too.")
    may: str | None = setting(None, "It may.", example="b")
    rather: list[int] = setting([], "It had better.", example=[1])


def test_all_of_it_can_be_enabled(tmp_path: Path) -> None:
    """Each plugin's table with its defaults spelled out says the same as one that is silent."""
    (tmp_path / "hub.conf").write_text(ENABLED.sub("", default_file()))
    flags = tuple(flag for needed in NEEDED.values() for flag in needed)
    silent = "".join(f'[{s}.{name}]\ntype = "{name}"\n' for s, name, _, _ in documented() if name)
    (tmp_path / "silent.conf").write_text(silent)
    spelled, bare = (load(tmp_path / name, flags, {}) for name in ("hub.conf", "silent.conf"))
    assert spelled.hub == bare.hub
    for section in SECTIONS:
        assert set(spelled.of(section)) == set(bare.of(section)) != set()
        for name, part in spelled.of(section).items():
            assert part.identity == bare.of(section)[name].identity


def test_it_says_nothing_as_it_is() -> None:
    assert tomllib.loads(default_file()) == {"hub": {}}


@pytest.mark.parametrize(("section", "name", "model"), [(s, n, m) for s, n, _, m in documented()])
def test_every_setting_has_its_help(section: str, name: str, model: type[Settings]) -> None:
    assert [key for key, field in model.model_fields.items() if not field.description] == [], (section, name)


def test_an_example_stands_where_there_is_no_default() -> None:
    from hub.configuration.defaults import _settings

    lines = [line for line in _settings(Sample) if line != "#"]
    assert lines == [
        "#   It must. (text)",
        '# must = "a"  # must be set',
        "#   It must, too. (text)",
        "#   bare must be set",
        "#   It may. (text)",
        '#   may = "b"  # an example; the default: unset',
        "#   It had better. (list)",
        "# rather = [1]  # an example; the default: []",
    ]
