"""One's own deadlines, in words: behind an assignment in a list, and as a warning before a late submission."""

from __future__ import annotations

from datetime import UTC, datetime

from tito.exchange.protocol.records import Deadline
from tito.policy.credit import FULL


def in_a_list(deadline: Deadline) -> str:
    """When it is due; "" where there is no deadline."""
    if deadline.excused:
        return "excused"
    return f"due {_shown(deadline.due_at)}" if deadline.due_at is not None else ""


def warning(deadline: Deadline) -> str:
    """What a student is to know before they hand in now; "" where there is nothing to warn of, or nothing is taken any
    more, as the exchange says itself."""
    if not deadline.late or deadline.closed or deadline.due_at is None:
        return ""
    sentences = [f"{deadline.assignment} was due {_shown(deadline.due_at)}: this is late."]
    if deadline.tokens:
        sentences.append(f"It spends {deadline.tokens} of your late tokens, and leaves {deadline.tokens_left}.")
    sentences.append(_credit(deadline.credit))
    if deadline.handed_in_at is not None:
        sentences.append(f"It replaces what you handed in at {_shown(deadline.handed_in_at)}.")
    return " ".join(sentences)


def _credit(percent: float) -> str:
    if percent >= FULL:
        return "It counts in full."
    return f"It counts {percent:g} percent." if percent > 0 else "It is practice, and counts nothing."


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M UTC}"
