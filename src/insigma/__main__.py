"""`python -m insigma`."""

from insigma.cli.main import main

main()
