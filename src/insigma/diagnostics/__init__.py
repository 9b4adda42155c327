"""Findings as data, and their renderings. Knows nothing of rules."""
