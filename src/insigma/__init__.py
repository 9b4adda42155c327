"""Insigma: a compiler and content pack for insurance security operations."""

__version__ = "0.1.0"
