"""Queries of stock pySigma backends: one text file a rule, nothing more, as nothing vouches for them."""
