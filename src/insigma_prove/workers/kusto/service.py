"""Microsoft's Kusto language service, in a Node process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from insigma_prove.workers.serve import QueryFault

Tables = Mapping[str, Mapping[str, str]]
"""Table to columns to Kusto type."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What the binder says of a query: its columns with their Kusto types (none for a query without rows), and its warnings."""

    columns: tuple[tuple[str, str], ...] | None
    warnings: tuple[str, ...]


class LanguageService:
    """Starts when first asked; `node_modules` is looked for in the environment that runs this worker."""

    def __init__(self, modules: Path | None = None) -> None:
        self._modules = modules or Path(sys.prefix) / "node_modules"
        self._process: subprocess.Popen[str] | None = None
        self._declared: str | None = None

    def version(self) -> str:
        """The package's version."""
        return str(self._ask({"version": True})["version"])

    def bind(self, query: str, tables: Tables, watchlists: Mapping[str, str] | None) -> Bound:
        """Parse and bind `query`. `watchlists` are the columns of `_GetWatchlist`. Raises `QueryFault` ("parse" or "type")."""
        declaration = {"tables": tables, "watchlists": watchlists}
        text = json.dumps(declaration)
        reply = self._ask({"query": query} | ({} if text == self._declared else declaration))
        self._declared = text
        if "stage" in reply:
            raise QueryFault(reply["stage"], reply["message"])
        columns = reply["columns"]
        return Bound(None if columns is None else tuple((name, kind) for name, kind in columns), tuple(reply["warnings"]))

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            self._process, self._declared = None, None
            raise QueryFault("unsupported", "Microsoft's language service ended; is @kusto/language-service-next installed?")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _start(self) -> subprocess.Popen[str]:
        node = shutil.which("node")
        if node is None:
            raise QueryFault("unsupported", "Microsoft's language service needs Node, which is not installed")
        self._process = subprocess.Popen(
            [node, str(Path(__file__).with_name("check.js"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=os.environ | {"NODE_PATH": str(self._modules)},
        )
        return self._process
