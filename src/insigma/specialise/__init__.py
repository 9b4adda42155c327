"""Specialising: a rule as it holds for one customer, still canonical. Knows no SIEM."""
