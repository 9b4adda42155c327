"""Packaging: detections into the target's own files. Each target's module gives a `Packager`; none of them evaluates."""
