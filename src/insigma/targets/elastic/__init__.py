"""The Elastic target (floor 8.18): Lucene, EQL and ES|QL queries for Kibana's detection engine."""
