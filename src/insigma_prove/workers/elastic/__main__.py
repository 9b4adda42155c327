"""Start the worker: JSON lines on standard input and output."""

from __future__ import annotations

import sys

from insigma_prove.workers.elastic.adapter import ElasticAdapter
from insigma_prove.workers.serve import serve

if __name__ == "__main__":
    sys.setrecursionlimit(20_000)  # the parsers of long conditions recurse as deep as those are long
    serve(ElasticAdapter())
