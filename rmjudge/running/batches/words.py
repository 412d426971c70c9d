"""What is said of batches, to people."""

from __future__ import annotations

from rmjudge.cache.ledger import Chunk


def decision_of(chunk: Chunk) -> str:
    """Say what the user has to decide on."""
    command = f"rmjudge batches resolve {chunk.uid}"
    match chunk.state:
        case "aside":
            return (
                f"batch {chunk.batch} was put aside: {chunk.note}; nothing of it is read or bought "
                f"again before `{command} --accept` or `--discard`"
            )
        case "lost":
            return (
                f"batch {chunk.batch}: its results are gone from the vendor's ({chunk.note}); "
                f"`{command} --discard` has its calls bought again"
            )
    return (
        f"whether the vendor has the batch of {len(chunk.calls):,} calls is not known, and its "
        f"lists show none: look there, then `{command} --adopt ID` or `{command} --not-submitted`"
    )
