"""Masks: secrets taken out of what hosts answer."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote, unquote

SHOWN = "***"
LEAST = 8
"""Characters of a part of a URL from which on it is hidden by itself. Shorter ones are in many harmless texts."""
_FIELD = re.compile(r"\{[^{}]*\}")


class Mask:
    """Hides secrets in texts of hosts, which may repeat what they were sent: as it was, decoded, or escaped.

    :param secrets: texts to hide. :param url: a URL whose path and query are secret; empty: there is none.
    """

    def __init__(self, secrets: Sequence[str] = (), url: str = "") -> None:
        texts = [*secrets, *_parts_of(url)]
        forms = {form for text in texts if text for form in _forms_of(text)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if forms else None

    def over(self, text: str) -> str:
        """The text without secrets."""
        return text if self._pattern is None else self._pattern.sub(SHOWN, text)


def _parts_of(url: str) -> Iterator[str]:
    """The URL, what follows its host, and each part of that which is long enough."""
    yield url
    rest = re.split(r"[/?#]", url.partition("//")[2], maxsplit=1)[1:]
    yield from rest
    path, _, query = url.partition("//")[2].partition("#")[0].partition("?")
    values = [pair.partition("=")[2] or pair for pair in query.split("&")]
    for part in (*path.split("/")[1:], *values):
        for text in _FIELD.split(part):
            if len(text) >= LEAST:
                yield text


def _forms_of(text: str) -> set[str]:
    """A text as a host may have written it: decoded, quoted, and either within JSON or HTML."""
    plain = {text, unquote(text), quote(text, safe=""), quote(unquote(text), safe="")}
    return plain | {one.replace("/", "\\/") for one in plain} | {html.escape(one) for one in plain}
