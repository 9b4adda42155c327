"""Sentinel's own files: detections as scheduled analytics rules."""
