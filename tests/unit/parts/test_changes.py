"""What a reload finds different."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from hub.configuration.schema import Configuration, HubSettings, Part
from hub.parts.changes import Changes, in_force
from hub.secret import Secret
from hub.settings import Settings, setting
from tests.unit.doubles import Scripted, backend_part, consumer_part


def configuration(*consumers: Part, backends: dict[str, Part] | None = None, **hub: Any) -> Configuration:
    return Configuration(
        file=None,
        hub=HubSettings(**hub),
        state_dir=Path("/nonexistent"),
        control_socket=Path("/nonexistent/hub.sock"),
        parts={"backends": backends or {}, "consumers": {part.name: part for part in consumers}},
    )


def test_nothing_differs_from_itself() -> None:
    changes = Changes.between(configuration(consumer_part("c")), configuration(consumer_part("c")))
    assert changes.lines == []
    assert (changes.of("consumers").changed, changes.of("consumers").removed) == ([], [])


def test_added_removed_and_changed_consumers_are_told_apart() -> None:
    old = configuration(consumer_part("same"), consumer_part("gone"), consumer_part("other"))
    new = configuration(consumer_part("same"), consumer_part("new"), consumer_part("other", threads=2))
    changes = Changes.between(old, new)
    assert (changes.of("consumers").changed, changes.of("consumers").removed) == (["new", "other"], ["gone"])
    assert changes.lines == [
        "consumer new: added",
        "consumer other: changed (threads)",
        "consumer gone: removed, its queue is kept",
    ]


def test_other_code_under_the_same_name_is_a_change() -> None:
    old, new = consumer_part("c"), consumer_part("c", Scripted, fingerprint="v2")
    changes = Changes.between(configuration(old), configuration(new))
    assert (changes.of("consumers").changed, changes.lines) == (["c"], ["consumer c: changed (its code)"])
    both = replace(new, settings=consumer_part("c", threads=2).settings)
    assert Changes.between(configuration(old), configuration(both)).lines == ["consumer c: changed (its code, threads)"]


def test_a_secret_of_another_content_is_a_change(tmp_path: Path) -> None:
    secret = Secret(f"file:{tmp_path}/secret")
    (tmp_path / "secret").write_text("one")
    old = replace(consumer_part("c"), secrets={"password": secret.state()})
    same = replace(consumer_part("c"), secrets={"password": secret.state()})
    assert Changes.between(configuration(old), configuration(same)).lines == []
    (tmp_path / "secret").write_text("another")
    new = replace(consumer_part("c"), secrets={"password": secret.state()})
    assert Changes.between(configuration(old), configuration(new)).lines == ["consumer c: changed (password)"]


def test_settings_that_one_of_the_two_classes_does_not_have_are_named() -> None:
    class Tuned(Settings):
        speed: int = setting(1, "Any.")

    old = replace(consumer_part("c"), config=Tuned())
    for one, other in ((old, consumer_part("c")), (consumer_part("c"), old)):
        assert Changes.between(configuration(one), configuration(other)).lines == ["consumer c: changed (speed)"]


def test_backends_come_and_go_like_consumers() -> None:
    old = configuration(backends={"bus": backend_part("bus")})
    new = configuration(backends={"two": backend_part("two")})
    changes = Changes.between(old, new)
    assert (changes.of("backends").changed, changes.of("backends").removed) == (["two"], ["bus"])
    assert changes.lines == ["backend two: added", "backend bus: removed"]


def test_what_a_reload_can_not_apply_is_named() -> None:
    changes = Changes.between(configuration(), configuration(control_mode="0600", log_level="debug"))
    assert changes.lines == ["hub.control_mode: changed, which takes a restart", "hub.log_level: changed"]


def test_what_takes_a_restart_is_not_in_force_and_is_told_at_each_reload() -> None:
    old = configuration(max_disk="1GiB")
    new = replace(configuration(control_mode="0600", max_disk="2GiB"), state_dir=Path("/other"))
    for _ in range(2):
        assert "hub.control_mode: changed, which takes a restart" in Changes.between(old, new).lines
        old = in_force(old, new, {})
    assert (old.hub.max_disk, old.hub.control_mode, old.state_dir) == (2 << 30, "0660", Path("/nonexistent"))


def test_a_backend_that_has_not_taken_its_settings_is_tried_again_by_the_next_reload() -> None:
    old = configuration(backends={"bus": backend_part("bus")})
    wanted = {"bus": backend_part("bus", fingerprint="v2"), "two": backend_part("two")}
    new = configuration(consumer_part("c"), backends=wanted)
    now = in_force(old, new, {"backends": old.of("backends")})
    assert Changes.between(old, now).lines == ["consumer c: added"]
    assert Changes.between(now, new).of("backends").changed == ["bus", "two"]


def test_a_setting_may_be_called_as_a_method_of_a_mapping_is() -> None:
    class Named(Settings):
        keys: int = setting(1, "Any.")
        items: int = setting(1, "Any.")

    old, new = (replace(consumer_part("c"), config=Named(keys=number)) for number in (1, 2))
    assert Changes.between(configuration(old), configuration(new)).lines == ["consumer c: changed (keys)"]
