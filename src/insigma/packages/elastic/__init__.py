"""Elastic's own files: Kibana detection rules, and the templates that events are stored under."""
