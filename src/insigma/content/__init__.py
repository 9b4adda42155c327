"""Reading: files into frozen values with positions. Knows nothing of SIEMs."""
