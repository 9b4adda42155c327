"""Releasing: what was compiled becomes dist/, reproducible to the byte and written at once."""
