"""Rules and events made up together, by Hypothesis, to be judged by both the evaluator and the targets' engines.

`drafts` holds what is made up, `alphabet` the awkward values, `items`, `rules`, `events` and `timelines` the strategies,
`exclusions` what is known not to hold, and `runner` the comparison. Hypothesis is imported here only (extra `prove`).
"""
