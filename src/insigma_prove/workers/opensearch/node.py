"""Start one OpenSearch node on loopback, talk REST to it, and stop it."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 120
STOP_SECONDS = 10
ANSWER_SECONDS = 120
_PROGRAM = Path(__file__).with_name("LoopbackNode.java")
# One locale and encoding on every host; compiled lightly, since a node lives for minutes.
_JVM = (
    "-Xms256m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dfile.encoding=UTF-8",
    "-Duser.language=en",
    "-Duser.country=US",
    "-Duser.timezone=UTC",
    "-Djna.nosys=true",
    "-Dlog4j2.disable.jmx=true",
)


class NodeFailed(Exception):
    """The node cannot be started, or it does not answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the node said: the HTTP status and the JSON body."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Node:
    """A node that answers REST requests on 127.0.0.1."""

    version: str
    connection: http.client.HTTPConnection

    def ask(self, method: str, path: str, body: str | None = None, kind: str = "application/json") -> Answer:
        """One request. `body` is JSON text, or lines of it. Raises `NodeFailed` if the node does not answer."""
        encoded = None if body is None else body.encode("ascii")
        try:
            self.connection.request(method, path, encoded, {"Content-Type": kind} if encoded is not None else {})
            response = self.connection.getresponse()
            return Answer(response.status, json.loads(response.read()))
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            raise NodeFailed(f"the OpenSearch node does not answer: {error}") from error


@contextmanager
def running_node(engine: Path) -> Iterator[Node]:
    """A node made of the jars in `engine`/jars, with its data in a temporary folder, until the block ends.

    Raises `NodeFailed` where there is no Java 17 or later, no jar, or no node within two minutes.
    """
    with tempfile.TemporaryDirectory(prefix="insigma-opensearch-") as folder, _process(engine / "jars", folder) as process:
        port, version = _ready(process)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
        try:
            yield Node(version, connection)
        finally:
            connection.close()


@contextmanager
def _process(jars: Path, folder: str) -> Iterator[subprocess.Popen[bytes]]:
    if not any(jars.glob("opensearch-*.jar")):
        raise NodeFailed(f"there is no OpenSearch in {jars}; see pom.xml beside this module")
    command = [_java(), *_JVM, f"-Djava.io.tmpdir={folder}", "-cp", f"{jars}{os.sep}*", str(_PROGRAM), folder]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder)
    try:
        yield process
    finally:
        _stop(process)


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if java is None:
        raise NodeFailed("there is no Java: set JAVA_HOME to a JDK of Java 17 or later")
    return java


def _ready(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """The port and the version in the line that the node writes when it answers."""
    assert process.stdout is not None
    words = process.stdout.readline().decode("ascii").split()
    match words:
        case ["ready", port, version]:
            return int(port), version
        case _:
            raise NodeFailed("the OpenSearch node did not start; what it said stands on standard error")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """The node ends at the end of its input; it is killed if it does not."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
