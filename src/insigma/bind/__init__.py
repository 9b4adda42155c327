"""Binding: a rule in a target's fields and types, with case and absence worked out. Knows nothing of query syntax."""
