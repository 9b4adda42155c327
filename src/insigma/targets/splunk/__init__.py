"""Splunk: bound rules as SPL, a superset base search and an exact `where`, correlations over `streamstats`."""
