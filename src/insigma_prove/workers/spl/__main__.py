"""Starts the SPL adapter: JSON lines on standard input and output."""

from insigma_prove.workers.serve import serve
from insigma_prove.workers.spl.adapter import SplAdapter

if __name__ == "__main__":
    serve(SplAdapter())
