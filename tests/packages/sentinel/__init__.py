"""Tests of the Sentinel package."""
