"""Splunk's own files: detections as savedsearches.conf stanzas."""
