"""Canonical events as each target stores them, for its engine's adapter."""
