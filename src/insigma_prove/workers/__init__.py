"""Engine adapters. Each sub-package is a program of its own: it runs in its engine's environment and speaks JSON lines.

Nothing here imports `insigma`, or anything of `insigma_prove` outside this package.
"""
