"""Functions that DuckDB calls back: Kusto's IP address functions and its regular expressions.

Sources: the pages *ipv4-is-in-range-function*, *ipv4-is-match-function*, *ipv4-compare-function*, *ipv4-is-private-function*, their
kin for IPv6, and *regex*, of Microsoft's KQL reference.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache

import duckdb
import flpc

MACROS = (
    # Case-insensitive operators ignore the case of ASCII letters only.
    "CREATE MACRO kql_fold(x) AS translate(x, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')",
    # A string is never null: "" is what TRY leaves of '' as the column's own type, and for any other type that is null.
    "CREATE MACRO kql_text(x) AS coalesce(x, TRY(CASE WHEN false THEN x ELSE '' END))",
    "CREATE MACRO kql_isnull(x) AS CASE typeof(x) WHEN 'VARCHAR' THEN false "
    "WHEN 'JSON' THEN coalesce(CAST(x AS VARCHAR) = 'null', true) ELSE x IS NULL END",
    # The elements of an array, null for anything else.
    "CREATE MACRO kql_items(x) AS CASE WHEN json_type(to_json(x)) = 'ARRAY' THEN CAST(to_json(x) AS JSON[]) END",
)

_PRIVATE = tuple(ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


def supply(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the functions and macros known to the connection."""
    for macro in MACROS:
        connection.execute(macro)
    for name, function in (
        ("kql_ipv4_in_range", ipv4_in_range),
        ("kql_ipv6_in_range", ipv6_in_range),
        ("kql_ipv4_private", ipv4_private),
        ("kql_regex", regex_found),
    ):
        arguments = ["VARCHAR"] * (1 if function is ipv4_private else 2)
        connection.create_function(name, function, arguments, "BOOLEAN", null_handling="special")
    for name, compare in (("kql_ipv4_compare", ipv4_compare), ("kql_ipv6_compare", ipv6_compare)):
        connection.create_function(name, compare, ["VARCHAR", "VARCHAR", "BIGINT"], "BIGINT", null_handling="special")
    connection.create_function("kql_extract", regex_group, ["VARCHAR", "BIGINT", "VARCHAR"], "VARCHAR", null_handling="special")


def ipv4_in_range(address: str | None, network: str | None) -> bool | None:
    """Whether an address lies in a range. Null when either is no IPv4."""
    one, several = _ipv4(address), _ipv4(network)
    if one is None or several is None:
        return None
    return _same(one[0], several[0], several[1], 32)


def ipv6_in_range(address: str | None, network: str | None) -> bool | None:
    """Whether an address lies in a range; an IPv4 address counts as its IPv4-mapped IPv6 address."""
    one, several = _ipv6(address), _ipv6(network)
    if one is None or several is None:
        return None
    return _same(one[0], several[0], several[1], 128)


def ipv4_compare(left: str | None, right: str | None, prefix: int | None) -> int | None:
    """-1, 0 or 1 after masking both by the shortest of their prefixes and `prefix`. Null when either is no IPv4."""
    return _compare(_ipv4(left), _ipv4(right), 32 if prefix is None else prefix, 32)


def ipv6_compare(left: str | None, right: str | None, prefix: int | None) -> int | None:
    """As `ipv4_compare`, for IPv6 and IPv4."""
    return _compare(_ipv6(left), _ipv6(right), 128 if prefix is None else prefix, 128)


def ipv4_private(address: str | None) -> bool | None:
    """Whether an address, or the whole of a range, is in one of the three private ranges of RFC 1918."""
    parsed = _ipv4(address)
    if parsed is None:
        return None
    return any(parsed[1] >= net.prefixlen and _same(parsed[0], int(net.network_address), net.prefixlen, 32) for net in _PRIVATE)


def regex_found(text: str | None, pattern: str) -> bool | None:
    """`text matches regex pattern`: found anywhere. Raises ValueError for a pattern that the crate refuses."""
    return None if text is None else flpc.search(_compiled(pattern), text) is not None


def regex_group(pattern: str, group: int, text: str | None) -> str | None:
    """`extract(pattern, group, text)`: the group of the first match, "" without a match."""
    found = flpc.search(_compiled(pattern), text or "")
    return "" if found is None else found.group(group) or ""


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> flpc.Pattern:
    return flpc.compile(pattern)


def _same(left: int, right: int, prefix: int, bits: int) -> bool:
    return left >> (bits - prefix) == right >> (bits - prefix)


def _compare(left: tuple[int, int] | None, right: tuple[int, int] | None, prefix: int, bits: int) -> int | None:
    if left is None or right is None or not 0 <= prefix <= bits:
        return None
    shift = bits - min(left[1], right[1], prefix)
    one, other = left[0] >> shift, right[0] >> shift
    return (one > other) - (one < other)


@lru_cache(maxsize=4096)
def _ipv4(text: str | None) -> tuple[int, int] | None:
    """The address and its prefix length."""
    address, prefix = _split(text, 32)
    try:
        return None if prefix is None else (int(ipaddress.IPv4Address(address)), prefix)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _ipv6(text: str | None) -> tuple[int, int] | None:
    mapped = _ipv4(text)
    if mapped is not None:
        return (0xFFFF << 32) | mapped[0], mapped[1] + 96
    address, prefix = _split(text, 128)
    try:
        # A zone (`fe80::1%eth0`) is no part of the address that Kusto reads.
        return None if prefix is None or "%" in address else (int(ipaddress.IPv6Address(address)), prefix)
    except ValueError:
        return None


def _split(text: str | None, bits: int) -> tuple[str, int | None]:
    address, slash, prefix = (text or "").strip().partition("/")
    if not slash:
        return address, bits
    return address, int(prefix) if prefix.isascii() and prefix.isdigit() and int(prefix) <= bits else None
