"""Queries as Loki's parser takes them, through a translator that parses before it translates.

The translator tells a query that Loki's parser refuses from one that parses and that it cannot translate; only the first
is a fault here. It parses without Loki's later validation, so a selector that matches everything (`{}`) passes.

Source: "LogQL: Log query language" of the Grafana Loki documentation.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from logql_to_logsql.translate import TranslateError, translate_logql_to_logsql

from insigma_prove.workers.serve import QueryFault, Reply

LANGUAGE = "loki"
_PACKAGE = "logql-to-logsql"
_LOKI = re.compile(rb"grafana/loki/v3@v(\d+\.\d+\.\d+)/")
_REFUSED = ("failed to parse LogQL", "logql query is required")


class LogqlAdapter:
    """Loki's parser. There is no state: events are taken and not looked at."""

    def hello(self) -> Reply:
        """The engine's name, and the version of Loki that the parser is of."""
        return {"engine": "Grafana Loki's LogQL parser", "version": _loki_version(), "languages": {LANGUAGE: "parsed"}}

    def open(self, store: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
        """Nothing is stored: queries are only parsed."""

    def run(self, language: str, query: str, times: Mapping[str, str]) -> Reply:
        """Always raises `QueryFault`: there is no engine of LogQL here."""
        raise QueryFault("unsupported", "LogQL is parsed here, not executed")

    def check(self, language: str, query: str, store: Mapping[str, Any]) -> None:
        """Parse the query. Raises `QueryFault`."""
        if language != LANGUAGE:
            raise QueryFault("unsupported", f"Loki parses {LANGUAGE}, not {language}")
        if "\0" in query:
            raise QueryFault("unsupported", "a query with a NUL cannot be handed to the parser")
        try:
            translate_logql_to_logsql(query)
        except TranslateError as error:
            if str(error).startswith(_REFUSED):
                raise QueryFault("parse", str(error)) from error


def _loki_version() -> str:
    """The version of Loki in the paths of the library's sources, or the package's own version with its name."""
    package = distribution(_PACKAGE)
    libraries = [Path(str(package.locate_file(file))) for file in package.files or () if file.suffix == ".so"]
    for library in libraries:
        with library.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if found := _LOKI.search(content):
                return found[1].decode("ascii")
    return f"{_PACKAGE} {package.version}"
