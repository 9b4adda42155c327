"""An engine at work: its adapter as a child process that answers JSON lines."""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TypeAlias

from insigma_prove.engines import Engine, python_of

Reply: TypeAlias = Mapping[str, Any]

START = "import runpy, sys; sys.path.append(sys.argv.pop(1)); runpy.run_module(sys.argv.pop(1), run_name='__main__')"
"""Puts the adapters last on the path, so that an engine's environment never sees packages installed beside insigma."""

PATIENCE_S = 180.0


class EngineDied(Exception):
    """The engine's process ended or does not answer: its name, and what it said last."""


class Client(Protocol):
    """Something that judges queries on stored events: an engine's process, or a SIEM reached over its API."""

    def hello(self) -> Reply: ...

    def open(self, store: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None: ...

    def run(self, language: str, query: str, times: Mapping[str, str]) -> Reply: ...


class EngineProcess:
    """The adapter of one engine in its own process and environment. Use as a context manager. Raises `EngineDied`."""

    def __init__(self, spec: Engine, *, patience_s: float = PATIENCE_S) -> None:
        self.spec = spec
        self._patience_s = patience_s
        source = Path(__file__).parent.parent
        self._errors = _scratch(spec)
        try:
            with self._errors.open("wb") as errors:
                self._process = subprocess.Popen(
                    [str(python_of(spec)), "-X", "utf8", "-c", START, str(source), f"insigma_prove.workers.{spec.name}"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=_environment(),
                    bufsize=0,
                )
        except OSError as error:
            self._errors.unlink(missing_ok=True)
            raise EngineDied(f"engine {spec.name} does not start: {error.strerror}: {error.filename}") from None

    def __enter__(self) -> EngineProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def hello(self) -> Reply:
        """The engine's name, version and languages."""
        return self._asked({"op": "hello"})

    def open(self, store: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
        """Replace the stored events. Raises `EngineDied` also for events that the engine does not take."""
        reply = self._asked({"op": "open", "store": store, "events": events})
        if "error" in reply:
            raise EngineDied(f"{self.spec.name} does not take the events: {reply['error']['message']}")

    def run(self, language: str, query: str, times: Mapping[str, str]) -> Reply:
        """What the query finds: `hits`, `rows`, `sequences` or `error`."""
        return self._asked({"op": "run", "language": language, "query": query, **times})

    def check(self, language: str, query: str, store: Mapping[str, Any]) -> Reply:
        """Whether the engine's parser and types take the query: `ok` or `error`."""
        return self._asked({"op": "check", "language": language, "query": query, "store": store})

    def close(self) -> None:
        """End the process: at the end of its input it stops by itself, else it is stopped."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.unlink(missing_ok=True)

    def _asked(self, request: Mapping[str, Any]) -> Reply:
        sink, source = self._process.stdin, self._process.stdout
        assert sink is not None
        assert source is not None
        if select.select([source], [], [], 0)[0] and (unasked := os.read(source.fileno(), 200)):
            raise self._stopped(f"it said {unasked!r} unasked, so that its next answer could be taken for another")
        try:
            self._send(sink.fileno(), json.dumps(request, ensure_ascii=True).encode("ascii") + b"\n")
        except BrokenPipeError:
            raise self._died("it ended") from None
        line = self._line(source.fileno())
        try:
            reply = json.loads(line)
        except ValueError:
            raise self._died(f"it answered {line[:200]!r}") from None
        if not isinstance(reply, dict):
            raise self._died(f"it answered {line[:200]!r}")
        return reply

    def _send(self, descriptor: int, request: bytes) -> None:
        """All of the request, within the patience there is: an engine that hangs reads no more than what a pipe holds."""
        os.set_blocking(descriptor, False)
        left = memoryview(request)
        while left:
            if not select.select([], [descriptor], [], self._patience_s)[1]:
                raise self._stopped(f"it has taken no more of a request for {self._patience_s:g} s")
            left = left[os.write(descriptor, left) :]

    def _line(self, descriptor: int) -> bytes:
        """One line of the answer, however long, within the patience there is."""
        pieces: list[bytes] = []
        while not pieces or not pieces[-1].endswith(b"\n"):
            ready, _, _ = select.select([descriptor], [], [], self._patience_s)
            if not ready:
                raise self._stopped(f"no answer for {self._patience_s:g} s")
            piece = os.read(descriptor, 1 << 20)
            if not piece:
                raise self._died("it ended")
            pieces.append(piece)
        return b"".join(pieces)

    def _stopped(self, why: str) -> EngineDied:
        """The engine is not to be asked again."""
        self._process.kill()
        self._process.wait()
        return self._died(why)

    def _died(self, how: str) -> EngineDied:
        said = self._errors.read_text(encoding="utf-8", errors="replace").strip().splitlines() if self._errors.exists() else []
        return EngineDied(f"engine {self.spec.name}: {how}" + (f"; it said: {said[-1][:300]}" if said else ""))


def _scratch(spec: Engine) -> Path:
    """A file for what the engine says on standard error."""
    descriptor, path = tempfile.mkstemp(prefix=f"insigma-{spec.name}-", suffix=".log")
    os.close(descriptor)
    return Path(path)


def _environment() -> dict[str, str]:
    """What an engine sees of the environment: nothing that could hold a secret."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "JAVA_HOME", "INSIGMA_ENGINES", "XDG_CACHE_HOME", "SYSTEMROOT")
    return {key: os.environ[key] for key in kept if key in os.environ} | {"PYTHONHASHSEED": "0", "TZ": "UTC"}
