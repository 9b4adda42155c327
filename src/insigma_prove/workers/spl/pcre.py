"""PCRE, which match(), regex and rex use (SM "SPL and regular expressions"; "About Splunk regular expressions")."""

from __future__ import annotations

from collections.abc import Mapping

from insigma_prove.workers.serve import QueryFault

try:
    import pcre2
except ImportError as error:  # pragma: no cover - only an incomplete installation gets here
    raise SystemExit("the package pcre2 is missing: install the engine with its requirements.txt") from error


class Regexes:
    """Regular expressions, compiled once. `\\w` and its like know ASCII only: the manual says nothing of Unicode properties."""

    def __init__(self, reading: str) -> None:
        self._reading = reading
        self._compiled: dict[str, pcre2.Pattern] = {}

    def check(self, pattern: str) -> None:
        """Raises `QueryFault` for what PCRE does not take."""
        self._pattern(pattern)

    def finds(self, pattern: str, text: str) -> bool:
        """Whether a part of the text matches. Raises `QueryFault`, also where PCRE gives up."""
        return self._search(pattern, text) is not None

    def groups(self, pattern: str, text: str) -> Mapping[str, str] | None:
        """The named groups that took part in the first match; None without a match."""
        found = self._search(pattern, text)
        if found is None:
            return None
        named = found.groupdict()
        return {name: self._text(value) for name, value in named.items() if value is not None}

    def names(self, pattern: str) -> tuple[str, ...]:
        """The names of the groups."""
        return tuple(self._pattern(pattern).groupindex)

    def replaced(self, pattern: str, replacement: str, text: str) -> str:
        """The text with each match replaced; `\\1` in the replacement is the first group (SR "Text functions", replace)."""
        found = self._pattern(pattern).finditer(self._subject(text))
        pieces: list[str] = []
        end = 0
        for match in found:
            start, stop = match.span()
            pieces += [self._text(self._subject(text)[end:start]), self._expanded(replacement, match)]
            end = stop
        return "".join([*pieces, self._text(self._subject(text)[end:])])

    def _expanded(self, replacement: str, match: pcre2.Match) -> str:
        written: list[str] = []
        position = 0
        while position < len(replacement):
            char, following = replacement[position], replacement[position + 1 : position + 2]
            if char == "\\" and following.isascii() and following.isdigit():
                written.append(self._text(match.group(int(following)) or ""))
                position += 2
            else:
                written.append(char)
                position += 1
        return "".join(written)

    def _search(self, pattern: str, text: str) -> pcre2.Match | None:
        try:
            return self._pattern(pattern).search(self._subject(text))
        except pcre2.LibraryError as error:
            raise QueryFault("run", f"PCRE gives up on {pattern!r}: {error}") from None

    def _pattern(self, pattern: str) -> pcre2.Pattern:
        if pattern not in self._compiled:
            flags = pcre2.ASCII if self._reading == "utf-8" else 0
            # Without the just-in-time compiler: that of this build misses matches ("a.{1,9} b.{1,9}c(d|e)" has been seen to).
            try:
                self._compiled[pattern] = pcre2.compile(self._subject(pattern), flags, jit=False)
            except pcre2.LibraryError as error:
                raise QueryFault("parse", f"PCRE does not take {pattern!r}: {error}") from None
        return self._compiled[pattern]

    def _subject(self, text: str) -> str | bytes:
        return text if self._reading == "utf-8" else text.encode("utf-8", "surrogatepass")

    def _text(self, value: str | bytes) -> str:
        return value if isinstance(value, str) else value.decode("utf-8", "replace")
