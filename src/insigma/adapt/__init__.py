"""Raw events of a product to canonical events, as its adapter says. Streaming: memory does not grow with the feed."""
