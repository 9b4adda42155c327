"""The worker process: `python -m insigma_prove.workers.kusto`."""

from insigma_prove.workers.kusto.adapter import KustoAdapter
from insigma_prove.workers.serve import serve

if __name__ == "__main__":
    serve(KustoAdapter())
