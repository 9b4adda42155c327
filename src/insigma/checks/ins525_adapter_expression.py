"""Adapter: expression

## What it does

Reads every path, every RE2 expression and every time format of an adapter. A written time format uses only `%Y %m %d %H %M %S %f %z`, and
names a time zone, or `zone` or `zone_setting` does.

## Why it is bad

A field whose path or expression cannot be read stays empty. A time without a zone is off by hours, which turns days into nights for every
rule that asks for the time of day.

## Example

```yaml
# bad
user.name: actor..alternateId
'@timestamp': {from: [SAL_DATE, SAL_TIME], join: '', time: '%Y%m%d%H%M%S'}

# good
user.name: actor.alternateId
'@timestamp': {from: [SAL_DATE, SAL_TIME], join: '', time: '%Y%m%d%H%M%S', zone_setting: zone}
```

## Fix

Do what the hint says. Keys with dots stand in double quotes: `request.headers."x.y"`.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.adapters import adapters
from insigma.checks.base import Context
from insigma.content.products import EXPRESSION, read_product
from insigma.diagnostics.model import Diagnostic

CODE = EXPRESSION


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield what the reader finds: a path, an expression or a format that cannot be read."""
    for mapping in adapters(context):
        yield from (found for found in read_product(mapping.document)[1] if found.code == CODE)
