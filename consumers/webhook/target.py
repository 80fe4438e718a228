"""Targets: the URLs that requests go to."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from hub.consumers.sending.destination import Destination
from hub.consumers.sending.field import Content, Lacking
from hub.consumers.sending.outcome import ForGood
from hub.consumers.sending.template import Template

LONGEST = 8000
"""Characters of a URL."""
_URL = re.compile(r"https?://[!-~]+", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?|\[[0-9a-f:.]+\]")
_DOTS = re.compile(r"/(\.|%2e){1,2}(?=/|$)", re.IGNORECASE)
"""A step that leads to another path. Dots can't be quoted: ``%2E`` is the same to servers."""
_ALONE = re.compile(r"\{[^{}]*\}")
_FIXED = re.compile(r"https?://[^/?#{}]+[/?#]", re.IGNORECASE)
"""The beginning of a template, if no field can be part of its host, or lengthen it."""


class Target:
    """Where a consumer's requests go.

    :param url: a template. Its fields are quoted, so that a message can add neither a path nor a parameter; but one
        that is a single field is the message's whole URL. In others no field stands before the end of the host.
    :raises ValueError: the syntax is wrong, a field can change the host, or no request can go to the URL.
    :ivar constant: it has no fields. :ivar fixed_host: the host is the operator's, whatever a message has.
    """

    def __init__(self, url: str) -> None:
        self._template = Template(url)
        self._alone = _ALONE.fullmatch(url) is not None
        self.constant = self._template.constant
        self.fixed_host = not self._alone
        if self.constant:
            destination_of(url.replace("{{", "{").replace("}}", "}"))
        elif self.fixed_host:
            if (found := _FIXED.match(url)) is None:
                raise ValueError(
                    "expected a host without fields and a '/' after it, as in 'https://example.org/{topic}', or one "
                    "field alone, which is the whole URL"
                )
            destination_of(found.group())

    def of(self, content: Content) -> Destination:
        """The destination of a message. :raises ForGood: it has none."""
        try:
            text = self._template.render(content, str if self._alone else _quoted, LONGEST)
        except Lacking:
            raise
        except ForGood:  # its text has the template, which may be secret
            raise ForGood(f"the message's URL would have more than {LONGEST} characters") from None
        if not self._alone and not self.constant and _DOTS.search(text.partition("?")[0]):
            raise ForGood("a field of the message would make '.' or '..' a step of the URL's path")
        try:
            return destination_of(text)
        except ValueError as error:
            raise ForGood(str(error)) from None


def destination_of(url: str) -> Destination:
    """Read a URL. Its host and port are the destination's name: paths may be secret, as Slack's are.

    :raises ValueError: it is no URL that a request can go to. The text has nothing of the path.
    """
    if not _URL.fullmatch(url) or len(url) > LONGEST or "\\" in url:
        shown = url[:30].partition("?")[0] if not _URL.match(url) else "its host's"
        raise ValueError(f"expected a URL of http or https, in ASCII and without spaces, not {shown!r}...")
    try:
        parts = urlsplit(url)
        host, port = parts.netloc.lower().rpartition("@")[2], parts.port
    except ValueError:
        raise ValueError("expected a URL with a host, and a port from 1 to 65535") from None
    if "@" in parts.netloc:
        raise ValueError("a user and password are not written into a URL: use 'bearer'")
    name = host if port is None else host.rpartition(":")[0]
    if not _HOST.fullmatch(name) or port == 0 or host.endswith(":") or len(name) > 253:
        raise ValueError(f"expected a URL with a host such as 'example.org' or '[::1]', not {host[:60]!r}")
    default = {"http": 80, "https": 443}[parts.scheme]
    return Destination(url, name if port in (None, default) else f"{name}:{port}")


def _quoted(text: str) -> str:
    return quote(text, safe="")
