"""Writes a Content-Security-Policy, and draws its nonces. Knows nothing of other headers."""

import re
from collections.abc import Iterable

from framework.errors import ConfigurationError
from framework.middleware.nonce import NONCE, find_nonce, nonce

__all__ = ["NONCE", "content_security_policy", "find_nonce", "nonce"]

# Content Security Policy Level 3, and Trusted Types.
_DIRECTIVES = {
    "base-uri", "child-src", "connect-src", "default-src", "fenced-frame-src", "font-src",
    "form-action", "frame-ancestors", "frame-src", "img-src", "manifest-src", "media-src",
    "object-src", "report-to", "report-uri", "require-trusted-types-for", "sandbox",
    "script-src", "script-src-attr", "script-src-elem", "style-src", "style-src-attr",
    "style-src-elem", "trusted-types", "upgrade-insecure-requests", "worker-src",
}  # fmt: skip
_QUOTED = {
    "none", "nonce", "report-sample", "script", "self", "strict-dynamic", "unsafe-eval",
    "unsafe-hashes", "unsafe-inline", "wasm-unsafe-eval",
}  # fmt: skip
_VALUE = re.compile(r"[!-+\--:<-~]+")


def content_security_policy(**directives: str | Iterable[str]) -> str:
    """Return the policy of *directives*, in their order, for `secure_headers`.

    ``script_src=["'self'", NONCE]`` becomes ``script-src 'self' 'nonce-...'``. A directive that
    takes no value is given as ``""``. Raises `ConfigurationError` for an unknown directive, for a
    keyword without its quotes, for ``'none'`` beside others, and for a value that would end its
    directive.
    """
    if not directives:
        raise ConfigurationError("a policy without a directive allows everything")
    return "; ".join(
        _directive(name.replace("_", "-"), given) for name, given in directives.items()
    )


def _directive(name: str, given: str | Iterable[str]) -> str:
    if name not in _DIRECTIVES:
        raise ConfigurationError(f"{name!r} is no directive of a Content-Security-Policy")
    values = given.split() if isinstance(given, str) else list(given)
    for value in values:
        if not _VALUE.fullmatch(value):
            raise ConfigurationError(f"{name}: {value!r} would end the directive")
        if value.lower() in _QUOTED and not name.startswith(("report", "trusted")):
            raise ConfigurationError(f"{name}: write \"'{value}'\", with its quotes")
    if "'none'" in values and len(values) > 1:
        raise ConfigurationError(f"{name}: 'none' stands alone")
    return " ".join([name, *values])
