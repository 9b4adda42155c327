"""KQL for Microsoft Sentinel: bound by Microsoft's own language service, executed by `duckdb-kql` on DuckDB.

Each query is parsed and bound to the declared tables by `@kusto/language-service-next` (a child process, `check.js`); what that refuses
is not run. Then `duckdb-kql` translates it to SQL. Its rules were measured on Microsoft's Kusto emulator; where it still departs from
Microsoft's documentation, or lacks something, this package supplies it. An answer whose columns are not the ones that Microsoft's
binder promises is refused, so is any construct that neither knows: never a silent guess.

What is modelled here, with the page of Microsoft's KQL reference (learn.microsoft.com/kusto/query) that says so:

- *null-values*: a string is never null; the string of a missing column, of the empty side of an outer join or union, and of `prev` beyond
  the first row is "". Any other type is null there. `==` with one null is false and `!=` true, with two nulls both are null; `<` and its
  kin are null; `where` drops null; `not(null)` is null. (duckdb-kql does the comparisons; the empty strings are ours.)
- *isnull-function*: `isnull` of a string is always false, of `dynamic(null)` true.
- *in-operator*, *equals-operator* and the pages of the other case-insensitive operators (`=~ !~ in~ has contains startswith endswith ...`):
  they ignore case for ASCII only. duckdb-kql folds all of Unicode; here only A to Z are folded. `tolower` lowers each code point.
- *regex*: `matches regex` and `extract` have the syntax and meaning of Rust's regex crate (Unicode `\\d \\w \\s \\b`, class operators,
  `\\<`), and that crate executes them; duckdb-kql would use RE2. `extract_all`, `replace_regex`, `trim*`, `countof` and `parse` with one
  are not supplied ("unsupported"), since they would be RE2's.
- *scalar-data-types/string*: the escapes of literals (duckdb-kql takes `\\u0041` for `u0041`), see `literals`.
- *prev-function*, *next-function*, *row-number-function*, *row-cumsum-function*, *window-functions*: supplied, with constant offsets; over
  rows that are not serialized (no `sort`, `top`, `serialize` or `range` before, or an operator after it that loses the order) an error.
- Text compared with a number or a boolean (`==`, `!=`, `in`) is refused by Kusto, which the language service does not say: `check.js` does.
- *ipv4-is-in-range-function* and its kin for IPv4 and IPv6: supplied; null when an address cannot be parsed.
- *dcount-aggregation-function*: exact up to 1,000 values at accuracy 1 (8,000 at 2), an estimate above. It is always exact here.
- *count-distinct-aggregation-function* and `count_distinctif`, `make_list_if`, `make_set_if`, `take_any(*)`, `project-keep`,
  `project-reorder`, `serialize`, `column_ifexists`, `range()`, set and bag functions, `unixtime_*_todatetime`, `datetime_utc_to_local`,
  `datetime_local_to_utc`: supplied. `_GetWatchlist` is Sentinel's function (docs: "Build queries or rules with watchlists"): here all
  watchlists have the columns of all of them, as text, and `LastUpdatedTimeUTC`.
- *ingestion-time-function*: supplied, over a table's own rows: what an event says in `_ingested`, else its `TimeGenerated`. Microsoft
  calls the value approximate; here it is exact.
- *scalar-data-types/datetime*: 100 ns ticks, of which DuckDB keeps whole microseconds; an event with a finer time is refused.

Order: Kusto leaves the order of equal keys, and of rows without `sort`, undefined. A query whose operators may depend on it is run over the
rows of its first stores in both directions, and an answer that changes is given with a warning; over later ones in one direction, by turns,
which whoever knows the answer sees ("order": "stored" in a request asks for the stored one only).

A query whose rows still are events (`where`, `extend`, `project`, `sort`, `union`, `arg_max(..., *)`, semi and anti joins, inner and left
outer joins with rows that are no events) is answered with their positions, which a hidden column carries; any other (`summarize`,
`distinct`, `join`, `count`, ...) with rows.
"""
