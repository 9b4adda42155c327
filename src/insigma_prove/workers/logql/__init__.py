"""LogQL: queries of the stock Loki backend, read by Loki's own parser. Nothing here can execute them."""
