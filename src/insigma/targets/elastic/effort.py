"""Whether Lucene would give up on a pattern: it makes automata of wildcards and regular expressions, and bounds that work.

Elasticsearch meets the refusal in two ways. Under `index.query.default_field: *`, the default, a query string is lenient, and a
clause that cannot be built matches nothing and says nothing; everywhere else the search ends in an error. Neither is a
detection, so such patterns are refused here.

Sources: Lucene's Operations.determinize (the summed sizes of the subsets are bounded by ten times the work limit),
RegexpQuery.DEFAULT_DETERMINIZE_WORK_LIMIT (10,000), Operations.isFinite (recursion up to 1,000 states), UTF32ToUTF8 and
CompiledAutomaton; "Query string query" of the Elasticsearch 8.18 reference, `max_determinized_states`; QueryStringQueryBuilder,
elastic/elasticsearch, on leniency.
"""

from __future__ import annotations

from functools import lru_cache

from insigma.bind.model import Refused
from insigma.content.predicate import Text, Wildcard
from insigma.targets.elastic import codepoints as points
from insigma.targets.elastic.automaton import Alphabet, Positions, Steps, TooMuch
from insigma.targets.elastic.re2 import Chain, Chars, Node, Repeat
from insigma.targets.elastic.utf8 import share_a_byte, states_between

WORK_LIMIT = 10_000
MOST_EFFORT = 10 * WORK_LIMIT
DEEPEST = 1000
"""States in a row before a loop, and bytes of a prefix."""
MOST_STEPS = 1_000_000
"""Our own bound on counting: about a second."""

ANYTHING = Repeat(Chars(points.EVERYTHING), 0, None)


def check_pattern(text: Text, *, any_case: bool = False) -> None:
    """Raises `Refused` for a string pattern that Lucene gives up on; `any_case` says that each letter is asked for in all its cases."""
    if sum(_length(part) for part in _head(text)) > DEEPEST:
        raise Refused(f"the pattern has more than {DEEPEST} bytes before its first '*', which Lucene does not take", ("detection",))
    if not _easy(text):
        check_expression(Chain(tuple(item for part in text.parts for item in _items(part, any_case))))


def check_expression(node: Node) -> None:
    """Raises `Refused` for an expression over whole values, without anchors, that Lucene gives up on."""
    if _gives_up(node):
        reason = f"the pattern is too complex for Lucene, which gives up determinising it (max_determinized_states {WORK_LIMIT})"
        raise Refused(reason, ("detection",))


@lru_cache(maxsize=256)
def _gives_up(node: Node) -> bool:
    """Remembered for the languages that are asked after one another."""
    try:
        _determinise(node, Steps(MOST_STEPS))
    except TooMuch:
        return True
    return False


def _head(text: Text) -> tuple[str | Wildcard, ...]:
    """What stands before the first `*`."""
    return text.parts[: text.parts.index(Wildcard.MANY)] if Wildcard.MANY in text.parts else text.parts


def _length(part: str | Wildcard) -> int:
    """Bytes, with `?` as one."""
    return len(part.encode("utf-8", "surrogatepass")) if isinstance(part, str) else 1


def _items(part: str | Wildcard, any_case: bool) -> list[Node]:
    if part is Wildcard.MANY:
        return [ANYTHING]
    if isinstance(part, Wildcard):
        return [Chars(points.EVERYTHING)]
    exact = [((ord(char), ord(char)),) for char in part]
    return [Chars(points.caseless(ranges) if any_case else ranges) for ranges in exact]


def _easy(text: Text) -> bool:
    """Whether the pattern is so short that it needs no counting.

    Without `?` the automaton is that of the longest suffix read so far that starts a literal (Aho and Corasick), once for each `*`
    passed. Of its edges those that end at a letter beyond ASCII cost bytes: those of the text, with their other forms, and
    those of k and s.
    """
    if Wildcard.ONE in text.parts:
        return False
    literals = [part for part in text.parts if isinstance(part, str)]
    letters, stars = sum(map(len, literals)), len(text.parts) - len(literals)
    beyond = 3 * len({char for part in literals for char in part if not char.isascii()}) + 2
    return (letters + 1) * (stars + 1) * (letters + stars + 1 + 13 * (2 * beyond + 1)) < MOST_EFFORT


def _determinise(node: Node, steps: Steps) -> None:
    """Count what the subset construction takes, and the one over bytes behind it, which is left out where bytes need none.

    Raises `TooMuch`.
    """
    positions = Positions.of(node, steps)
    alphabet = Alphabet.of(positions.sets)
    numbers, queue, graph = {0: 0}, [0], list[list[int]]()
    effort, byte_effort, ambiguous = 1, 0, False
    for subset in queue:
        targets, before = list[int](), 0
        effort += subset.bit_count()
        for low, high, target in alphabet.edges(positions.after(subset, steps), steps):
            if target not in numbers:
                numbers[target] = len(queue)
                queue.append(target)
            targets.append(numbers[target])
            byte_effort += states_between(low, high)
            ambiguous = ambiguous or share_a_byte(before, low)
            before = high
        byte_effort += 1
        graph.append(targets)
        if effort >= MOST_EFFORT or (ambiguous and byte_effort >= MOST_EFFORT):
            raise TooMuch
    _check_depth(graph)


def _check_depth(graph: list[list[int]]) -> None:
    """Lucene looks for a loop by recursion, each state's edges in order. Raises `TooMuch` where that goes too deep."""
    path, done, on_path = [iter(graph[0])], set[int](), [0]
    active = {0}
    while path:
        target = next(path[-1], None)
        if target is None:
            path.pop()
            state = on_path.pop()
            active.discard(state)
            done.add(state)
        elif target in active:
            return
        elif target not in done:
            if len(path) > DEEPEST:
                raise TooMuch
            path.append(iter(graph[target]))
            on_path.append(target)
            active.add(target)
