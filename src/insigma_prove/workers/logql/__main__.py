"""`python -m insigma_prove.workers.logql`, in an environment with the packages of requirements.txt (Python 3.13 or later)."""

from __future__ import annotations

from insigma_prove.workers.logql.adapter import LogqlAdapter
from insigma_prove.workers.serve import serve

if __name__ == "__main__":
    serve(LogqlAdapter())
