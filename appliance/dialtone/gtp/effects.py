# SPDX-License-Identifier: Apache-2.0
"""What the paths are told."""

from dataclasses import dataclass

from dialtone.effects import Deliver, Event


@dataclass(slots=True)
class Start(Event):
    """Begin to ask the configured peers whether they are there."""


@dataclass(slots=True)
class Heard(Event):
    """A peer sent a message for one of our elements; `recovery` is its restart counter, where the message holds one
    (TS 23.007, 18). What the element has of before a restart goes first, then it gets the message."""

    message: Deliver
    recovery: int | None
