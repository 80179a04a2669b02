# SPDX-License-Identifier: Apache-2.0
"""What every decoded message has in common, whatever its protocol."""

from typing import ClassVar


class Message:
    """Base of all decoded messages: a dataclass whose fields are the information elements.

    `NAME` is the name the specification gives the message and tshark prints (`Attach request`),
    `CLAUSE` the place that defines it (`TS 24.301, 8.2.4`). Both are filled by the codec's own
    registration decorator, so that `dialtone where` and the message index find every message.
    """

    NAME: ClassVar[str] = ""
    CLAUSE: ClassVar[str] = ""
    __slots__ = ()

    @property
    def label(self) -> str:
        """The name in the trace, where a message says more of itself than its class does."""
        return self.NAME
