"""`python -m insigma_prove.workers.opensearch`, in the environment whose folder holds the jars."""

from __future__ import annotations

import sys
from pathlib import Path

from insigma_prove.workers.opensearch.adapter import OpenSearchAdapter
from insigma_prove.workers.opensearch.node import NodeFailed, running_node
from insigma_prove.workers.serve import serve


def main() -> None:
    """Answer requests until the input ends; exit with what is wrong where the node does not start."""
    try:
        with running_node(Path(sys.prefix)) as node:
            serve(OpenSearchAdapter(node))
    except NodeFailed as failure:
        sys.exit(f"insigma: {failure}")


if __name__ == "__main__":
    main()
