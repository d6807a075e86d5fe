"""A test that has passed, run again on the answers that it had, with its arguments as the notebook says it left them.

That student code changed an argument where the reference's did not is its own word, and the test goes on with what it
made itself. But a student who says so is taken at their word where it costs points: a test of whether an input was left
alone fails them, as it does where test and notebook are one process. The answers are those of the first run: student
code is not asked again. Where the test would go on to ask for something else, no more can be told, and it has passed.
"""

from __future__ import annotations

from typing import Any

from tito.sandbox.inside.codec import Channel, Packed

MOST_KEPT = 64 << 20  # bytes of answers that are kept of one test


class Recording:
    """A test's channel, and all that went over it."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.asked: list[tuple[dict[str, Any], Packed]] = []
        self.answered: list[tuple[dict[str, Any], Packed]] = []
        self.size = 0

    @property
    def is_whole(self) -> bool:
        """Whether all of it was kept."""
        return self.size <= MOST_KEPT

    def send_packed(self, message: dict[str, Any], packed: Packed) -> None:
        """Ask."""
        self.channel.send_packed(message, packed)
        self._keep(self.asked, message, packed)

    def receive(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The answer."""
        message, packed = self.channel.take()
        self._keep(self.answered, message, packed)
        return message, packed.values(self.channel.more)

    def _keep(self, frames: list[tuple[dict[str, Any], Packed]], message: dict[str, Any], packed: Packed) -> None:
        self.size += packed.size + 200
        if self.is_whole:
            frames.append((message, packed))
        else:
            self.asked.clear()
            self.answered.clear()


class OtherQuestion(BaseException):
    """The test asks for something else than in its first run."""


class Replay:
    """The other side of that channel, from what was kept."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.asked = self.answered = 0
        self.is_other = False

    def send_packed(self, message: dict[str, Any], packed: Packed) -> None:
        """See that the same is asked."""
        asked = self.recording.asked
        if self.is_other or self.asked >= len(asked) or asked[self.asked] != (message, packed):
            self.is_other = True
            raise OtherQuestion
        self.asked += 1

    def receive(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The same answer, its values made anew."""
        message, packed = self.recording.answered[self.answered]
        self.answered += 1
        return message, packed.values(self.recording.channel.more)
