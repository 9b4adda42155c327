"""Value not in vocabulary

## What it does

Checks values of fields with a closed vocabulary against it: `values` in `mappings/taxonomy/fields.yml`, and for `event.action`
the `actions` of the rule's log source. Case is ignored unless the rule says `cased`. A value with wildcards, an affix or a
regular expression must be able to match at least one word.

## Why it is bad

Adapters write only the words of the vocabulary. A misspelt one never matches, without a word from anyone: the rule looks
healthy and is blind.

## Example

```yaml
# bad
detection:
  selection:
    event.action: claims-view
    event.outcome: succeeded
  condition: selection

# good
detection:
  selection:
    event.action: claim-view
    event.outcome: success
  condition: selection
```

## Fix

Use a word of the vocabulary. A new action of a core system goes into `mappings/taxonomy/logsources.yml` and into the adapters
first.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import did_you_mean, logsource_of, speaks_taxonomy
from insigma.checks.vocabulary import means_a_word, words_of
from insigma.checks.walk import detection_items
from insigma.checks.wording import shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS304"


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each value that no word of its field's vocabulary can match."""
    if not speaks_taxonomy(document, context):
        return
    source = logsource_of(document, context)
    for item in detection_items(document):
        field = context.pack.taxonomy.fields.get(item.field or "")
        words = words_of(field, source) if field is not None else None
        if words is not None and not means_a_word(item, words):
            of = f"{item.field} of {source.name}" if field is not None and field.values is None and source is not None else item.field
            message = f"{shown(item.value)} is not among the values of {of}"
            yield finding(CODE, document.place(*item.value_path), message, _hint(str(item.value), words))


def _hint(value: str, words: tuple[str, ...]) -> str:
    shown = words if len(words) <= 12 else (*words[:12], "...")
    return did_you_mean(value, words, "one of " + ", ".join(shown))
