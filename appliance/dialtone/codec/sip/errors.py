# SPDX-License-Identifier: Apache-2.0
"""The error of a message that breaks SIP: the status to answer, and as much of the message as could be read."""

from typing import Any

from dialtone.errors import ProtocolError


class SipError(ProtocolError):
    """`cause` is the status code of the answer (RFC 3261, 21), `headers` what belongs into it (Unsupported,
    Retry-After); `message` the request to answer, where its start line and header could be read far enough for that."""

    def __init__(self, text: str, *, cause: int = 400, clause: str = "RFC 3261, 7", message: Any = None,
                 headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(text, cause=cause, clause=clause)
        self.message = message
        self.headers = headers
