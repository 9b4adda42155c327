"""Assurance: fixtures run against their rules. Knows no SIEM."""
