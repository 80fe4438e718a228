"""Classes to configure, and a directory to do it in."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.configuration.loading import load
from hub.configuration.schema import Configuration
from hub.errors import ConfigError

CLASSES = """
from hub import Consumer, Settings, setting
from hub.settings import Duration, FilePath, SecretRef, Size
from pydantic import model_validator

class Good(Consumer):
    topics = ("a.#",)
    threads = 3
    every = "30s"

    class Config(Settings):
        place: FilePath | None = setting(None, "A file.")
        pause: Duration = setting("1s", "A pause.")
        password: SecretRef | None = setting(None, "A secret.")

    def consume(self, message):
        pass

    def tick(self):
        pass

class Ticking(Consumer):
    every = "1m"

    def tick(self):
        pass

class Bulk(Consumer):
    def consume_batch(self, messages):
        pass

class Plain(Consumer):
    def consume(self, message):
        pass

class Careless(Consumer):
    topics = 5
    threads = 0
    batch_wait = "soon"

    def consume(self, message):
        pass

class Inner(Settings):
    size: int = setting(1, "A size.", ge=1)
    secret: SecretRef | None = setting(None, "A secret.")

class Rich(Consumer):
    class Config(Settings):
        choice: int | str = setting(1, "Either.")
        inner: Inner = setting(Inner(), "A table.")
        name: str = setting(..., "A name.", min_length=2, max_length=4)
        api_token: str = setting("", "Not declared a secret, and named like one.")
        keys: list[SecretRef] = setting([], "Secrets.")
        limit: Size = setting("1MiB", "A limit.", ge=1024)
        wait: Duration | None = setting(None, "A wait.")

        @model_validator(mode="after")
        def _tell(self):
            if self.choice == 13:
                raise ValueError(f"13 is not for {self.name} with {self.api_token}")
            if self.choice == 14:
                return {}["a fault"]
            return self

    def consume(self, message):
        pass

class Idle(Consumer):
    pass

class Greedy(Consumer):
    class Config(Settings):
        threads: int = setting(1, "Ours, we think.")

    def consume(self, message):
        pass

class Stranger:
    def consume(self, message):
        pass
"""


def configure(directory: Path, text: str, overrides: tuple[str, ...] = (), **environ: str) -> Configuration:
    (directory / "classes.py").write_text(CLASSES)
    file = directory / "hub.conf"
    file.write_text(text)
    return load(file, overrides, environ)


def problems(directory: Path, text: str, overrides: tuple[str, ...] = (), **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        configure(directory, text, overrides, **environ)
    return [problem.replace(f"{directory}/", "") for problem in caught.value.problems]
