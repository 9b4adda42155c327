"""Emitters: bound rules into detections, one folder a target. They know no files."""
