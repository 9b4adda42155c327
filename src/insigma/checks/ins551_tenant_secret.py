"""Tenant: secret

## What it does

Looks for secrets in a profile.

- `privacy.hmac_key_ref` says where the key is kept: `kv://`, `vault://`, `awssm:`, `gcpsm:`, `env:` or `file:`.
- Nothing is written under a key that is called password, secret, token, API key, private key or connection string, unless it is such a
  reference.
- No text has the form of a secret: a private key, a connection string with its password, an address with one, a signed token, an
  access key of a cloud or of a code host.

The message says what it looks like and never shows it.

## Why it is bad

Profiles are read by everybody who reviews them, and stay in the history of a repository for good. With the key of the hashes, anybody who
sees an alert can try account numbers until the hash fits.

## Example

```yaml
# bad
privacy: {hmac_key_ref: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08}

# good
privacy: {hmac_key_ref: kv://acme/sigma-hmac}
```

## Fix

Take the secret for known: replace it where it is used, and write a reference here. Taking it out of the file leaves it in the history.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from insigma.checks.base import Context, finding
from insigma.checks.profiles import profiles
from insigma.checks.scope import dig
from insigma.content.yaml_reader import Key
from insigma.diagnostics.model import Diagnostic

CODE = "INS551"
_REFERENCE = re.compile(r"(?:(?:kv|vault)://|(?:awssm|gcpsm|env|file):)[^\s?&@]+")
_HINT = "replace the secret where it is used, and write where it is kept: kv://..., vault://..., awssm:..., env:..., file:..."
_SHORTEST = 8
"""No form below is shorter."""
_TELLING = re.compile(
    r"pass(?:word|wd|phrase)|pwd|secret|(?:^|_)token$|(?:api|private|access|shared|account|signing)_?key|credential|connection_?string|(?:^|_)sas$"
)
_FORMS = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"(?i)(?:AccountKey|SharedAccessKey|Password|Pwd)\s*=\s*[^;\s]+"), "a connection string with its secret"),
    (re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@"), "an address with a password"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"), "a signed token"),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), "an access key of a cloud"),
    (re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|glpat-[A-Za-z0-9_-]{16,}|xox[abprs]-[A-Za-z0-9-]{10,})"), "an access token"),
    (re.compile(r"[?&]sig=[A-Za-z0-9%+/=]{20,}"), "a signed address"),
    (re.compile(r"(?i)\bauthorization:\s*\S|\bbearer\s+(?=[^\s]*[0-9])[a-z0-9._~+/-]{20,}"), "an authorization header"),
)


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each value that looks like a secret; the value is never part of it."""
    for tenant in profiles(context):
        document = tenant.document
        reference = ("privacy", "hmac_key_ref")
        written = dig(document, *reference)
        if isinstance(written, str) and written and not _REFERENCE.fullmatch(written):
            message = "hmac_key_ref is no reference: it may be the key itself"
            yield finding(CODE, document.place(*reference), message, _HINT)
        for key, text in _texts(document.data, ()):
            if key != reference and (told := _looks_like(key, text)) is not None:
                yield finding(CODE, document.place(*key), f"this looks like {told}", _HINT)


def _texts(node: Any, key: Key) -> Iterator[tuple[Key, str]]:
    """Every text of the profile, with its key."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _texts(value, (*key, name))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _texts(value, (*key, index))
    elif isinstance(node, str):
        yield key, node


def _looks_like(key: Key, text: str) -> str | None:
    """What kind of secret the text looks like, by its form or by what it is called; None for anything else."""
    told = next((what for form, what in _FORMS if form.search(text)), None) if len(text) >= _SHORTEST else None
    named = next((step for step in reversed(key) if isinstance(step, str)), "")
    if told is None and text and _TELLING.search(_words(named)) and not _REFERENCE.fullmatch(text) and not _is_field(key):
        told = f"what it is called: {named}" if named.isascii() and named.isprintable() else "what it is called"
    return told


def _words(name: str) -> str:
    """The words of a key with underscores between them, in small letters: `apiKey`, `api-key` and `API_KEY` are one."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower())


def _is_field(key: Key) -> bool:
    """Whether the key stands where fields, log sources, rules or lists are named: such names are no labels of secrets."""
    places = {"field_overrides", "where", "fill", "index", "data_stream", "sourcetype", "table", "delay", "duty_officers"}
    return any(step in places for step in key) or key[:1] in (("timespans",), ("products",), ("context",), ("lists",))
