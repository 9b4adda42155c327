"""A user's own Splunk as an engine: each search runs over its REST API and brings its events along (`splunk_inline`).

`POST /services/search/v2/jobs/export` answers with one JSON object a line (REST API Reference Manual, "Search endpoints",
search/v2/jobs/export). It only reads: nothing is written into the Splunk. The values of rows come as text.

The token is a Splunk authentication token ("Set up authentication with tokens"), sent as `Authorization: Bearer`. It is never
written anywhere, and never sent to another host: redirections and proxies are not followed.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request, build_opener

from insigma_prove.process import EngineDied, Reply
from insigma_prove.splunk_inline import POSITION, inline_search
from insigma_prove.workers.serve import QueryFault
from insigma_prove.workers.spl.clock import epoch

TOKEN_VARIABLE = "SPLUNK_TOKEN"
EXPORT = "/services/search/v2/jobs/export"
INFO = "/services/server/info"
LARGEST_ANSWER = 64 << 20
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_FATAL = frozenset({"FATAL", "ERROR"})


class SplunkSettingsError(Exception):
    """The address or the token of the Splunk is missing or of the wrong form."""


def read_token(environment: Mapping[str, str], file: Path | None = None) -> str:
    """The token, from a file if one is named, else from SPLUNK_TOKEN. Raises `SplunkSettingsError`, which never says the token."""
    if file is not None:
        try:
            token = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SplunkSettingsError(f"the Splunk token's file {file} cannot be read ({type(error).__name__})") from None
        where = f"the file {file}"
    else:
        token, where = environment.get(TOKEN_VARIABLE, "").strip(), TOKEN_VARIABLE
    if not token:
        raise SplunkSettingsError(f"{where} holds no Splunk token")
    if not token.isascii() or any(not char.isprintable() or char.isspace() for char in token):
        raise SplunkSettingsError(f"what {where} holds is no Splunk token: it has spaces or characters beyond ASCII")
    return token


class SplunkRest:
    """A client with the methods of an engine's process (`process.Client`).

    `url` is the management address, such as https://splunk.example:8089. `insecure` takes any TLS certificate.
    Raises `SplunkSettingsError` for an address that is not HTTPS (plain HTTP is taken for this machine alone).
    """

    def __init__(self, url: str, token: str, *, insecure: bool = False, timeout_s: float = 120.0) -> None:
        self._url = _checked(url)
        self._token = token
        self._timeout_s = timeout_s
        self._opener = _opener(insecure)
        self._events: Sequence[Mapping[str, Any]] = ()

    def __repr__(self) -> str:
        return f"SplunkRest({self._url!r})"

    def hello(self) -> Reply:
        """Splunk's version. Raises `EngineDied`."""
        status, body = self._ask(f"{INFO}?output_mode=json", None)
        try:
            version = json.loads(body)["entry"][0]["content"]["version"] if status == 200 else None
        except (ValueError, LookupError, TypeError):
            version = None
        if not isinstance(version, str):
            raise EngineDied(f"{self._url} does not answer as Splunk's REST API does (HTTP {status})")
        return {
            "engine": "Splunk",
            "version": version,
            "languages": {"spl": "executed"},
            "notes": ["events come with the search: indexing, automatic extraction and index look-up are not proved"],
        }

    def open(self, store: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None:  # noqa: ARG002 - nothing to say of the store
        """Keep the events for the searches to come; nothing is sent."""
        self._events = tuple(events)

    def run(self, language: str, query: str, times: Mapping[str, str]) -> Reply:
        """`hits`, `rows` or `error`, and `warnings` if Splunk has any. Raises `EngineDied` if Splunk cannot be reached."""
        try:
            if language != "spl":
                raise QueryFault("unsupported", f"Splunk runs spl, not {language}")
            moments = {name: epoch(times[name]) for name in ("earliest", "latest") if name in times}
            search, of_events = inline_search(query, self._events, moments.get("earliest"), moments.get("latest"))
            form = {"search": search, "output_mode": "json", "preview": "false"}
            form |= {f"{name}_time": f"{moment:.3f}" for name, moment in moments.items()}
            rows, warnings = self._export(form)
        except QueryFault as fault:
            return {"error": {"stage": fault.stage, "message": str(fault)}}
        told: dict[str, Any] = {"warnings": warnings} if warnings else {}
        if of_events:
            return {"hits": sorted({int(str(row[POSITION])) for row in rows if POSITION in row}), **told}
        columns = dict.fromkeys(name for row in rows for name in row)
        return {"rows": [{name: row.get(name) for name in columns} for row in rows], **told}

    def _export(self, form: Mapping[str, str]) -> tuple[list[dict[str, Any]], list[str]]:
        """The rows of a search and its warnings. Raises `QueryFault` for what Splunk refuses, `EngineDied` for the rest."""
        status, body = self._ask(EXPORT, urlencode(form).encode("ascii"))
        rows: list[dict[str, Any]] = []
        warnings: list[str] = []
        for line in self._objects(body, status):
            for message in line.get("messages", []):
                if message.get("type") in _FATAL:
                    raise QueryFault("parse" if status == 400 else "run", str(message.get("text")))
                if message.get("type") == "WARN":
                    warnings.append(str(message.get("text")))
            if isinstance(line.get("result"), dict) and not line.get("preview"):
                rows.append(line["result"])
        if status != 200:
            raise EngineDied(f"{self._url} answers HTTP {status}")
        return rows, warnings

    def _objects(self, body: bytes, status: int) -> Iterator[dict[str, Any]]:
        for line in body.splitlines():
            if not line.strip():
                continue
            try:
                found = json.loads(line)
            except ValueError:
                found = None
            if not isinstance(found, dict):
                raise EngineDied(f"{self._url} does not answer in JSON (HTTP {status})")
            yield found

    def _ask(self, path: str, body: bytes | None) -> tuple[int, bytes]:
        request = Request(self._url + path, data=body, headers={"Authorization": f"Bearer {self._token}", "Accept": "application/json"})
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                return answer.status, _read(answer)
        except HTTPError as error:
            with error:
                if error.code in (401, 403):
                    raise EngineDied(f"{self._url} does not accept the token, or its user may not search (HTTP {error.code})") from None
                if 300 <= error.code < 400:
                    raise EngineDied(f"{self._url} sends elsewhere (HTTP {error.code}); name the management address itself") from None
                return error.code, error.read(LARGEST_ANSWER)
        except URLError as error:
            hint = "; --splunk-insecure takes any certificate" if isinstance(error.reason, ssl.SSLCertVerificationError) else ""
            raise EngineDied(f"{self._url} cannot be reached: {error.reason}{hint}") from None
        except (OSError, HTTPException) as error:
            raise EngineDied(f"{self._url} broke off: {type(error).__name__}") from None


class _NoRedirection(HTTPRedirectHandler):
    """Leaves redirections as the errors they are: following one would send the token along."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _opener(insecure: bool) -> OpenerDirector:
    context = ssl.create_default_context()
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return build_opener(ProxyHandler({}), HTTPSHandler(context=context), _NoRedirection())


def _checked(url: str) -> str:
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.username or parts.query or parts.fragment or parts.path not in ("", "/"):
        raise SplunkSettingsError("the Splunk address is not of the form https://host:8089")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise SplunkSettingsError("the Splunk address has to start with https://, as the token goes there")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")


def _read(answer: HTTPResponse) -> bytes:
    body = answer.read(LARGEST_ANSWER + 1)
    if len(body) > LARGEST_ANSWER:
        raise EngineDied(f"the answer has more than {LARGEST_ANSWER >> 20} MB")
    return body
