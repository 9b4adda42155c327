"""`python -m insigma_prove.workers.sqlite`: any Python will do."""

from __future__ import annotations

from insigma_prove.workers.serve import serve
from insigma_prove.workers.sqlite.adapter import SqliteAdapter

if __name__ == "__main__":
    serve(SqliteAdapter())
