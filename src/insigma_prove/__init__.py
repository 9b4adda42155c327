"""Proof that compiled detections mean what their rules say: real engines run them on the fixtures' events."""
