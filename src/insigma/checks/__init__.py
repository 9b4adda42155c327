"""Checks over what was read: one check, one file; its docstring is its page. They know nothing of SIEMs."""
