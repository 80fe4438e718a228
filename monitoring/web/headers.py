"""Security headers of every answer, errors included."""

from __future__ import annotations

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Content security policy: only our own files run, and they connect only to us. The page's escaping is the first
defence, this is the second."""
SECURITY = {
    b"Content-Security-Policy": POLICY.encode(),
    b"X-Content-Type-Options": b"nosniff",
    b"Referrer-Policy": b"no-referrer",
    b"Cross-Origin-Opener-Policy": b"same-origin",
    b"Cross-Origin-Resource-Policy": b"same-origin",
    b"Cache-Control": b"no-store",
    b"Server": b"hubbub",
}
LINES = b"".join(name + b": " + value + b"\r\n" for name, value in SECURITY.items())
"""Headers as bytes, for an answer that is written without Twisted's request."""
