"""OpenSearch: Lucene query strings on a node of its own, with the real mappings, normalizers and query builder."""
