"""The reference evaluator: rules and events into verdicts. It is docs/semantics.md made executable; it knows no SIEM."""
