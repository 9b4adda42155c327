"""Splunk's limits that change what a search finds, at their defaults.

Not modelled, as they count bytes of memory: streamstats stops adding fields beyond 200 MB, mvexpand truncates beyond 500 MB
(limits.conf, `max_mem_usage_mb` of `[default]` and `[mvexpand]`). Proofs hold for events that stay below them.
"""

from __future__ import annotations

MAX_STREAM_WINDOW = 10_000
"""The most events a streamstats window holds, whatever was asked for (limits.conf, `[stats] max_stream_window`)."""

SORT_COUNT = 10_000
"""What `sort` without a count keeps (SR sort, "count")."""

LIST_SIZE = 100
"""What list() keeps (SR "Multivalue stats and chart functions", list; limits.conf, `[stats] list_maxsize`)."""

EXTRACTION_CUTOFF = 5_000
"""The characters of an event that spath looks at (SR spath, "Basic syntax"; limits.conf, `[spath] extraction_cutoff`)."""

INLINE_DATA = 30_000
"""The most characters of `makeresults data=` (SR makeresults, "data")."""

SUBSEARCH_RESULTS = 10_000
"""What `append` takes of its subsearch (SM "About subsearches"; limits.conf, `[subsearch] maxout`)."""
