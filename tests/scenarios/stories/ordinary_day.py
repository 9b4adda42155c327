"""Nothing happens."""

from __future__ import annotations

from tests.scenarios.insurer import Insurer


def tell(insurer: Insurer) -> None:
    """Only the noise; a colleague reads one more file, so that the day is not the same as without a story."""
    claim = insurer.claims[0]
    insurer.claim_event("15:10", claim.handler, "claim-view", claim)
