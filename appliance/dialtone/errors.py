# SPDX-License-Identifier: Apache-2.0
"""The errors of the house. Each says whose fault it is and carries the code to answer."""


class DialtoneError(Exception):
    """Base of every error that Dialtone raises on purpose."""


class ProtocolError(DialtoneError):
    """Remote: bytes or a message break the specification.

    `cause` is the value of the protocol's own cause space to answer with (an EMM cause, a Diameter
    Result-Code, a GTPv2 cause ...), None where the receiver knows better. `clause` names the rule.
    """

    def __init__(self, text: str, *, cause: int | None = None, clause: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.cause = cause
        self.clause = clause


class LocalError(DialtoneError):
    """Local: our configuration, machine or code is at fault. The text names the remedy."""

    def __init__(self, text: str, *, remedy: str = "") -> None:
        super().__init__(f"{text} {remedy}".strip())
        self.text = text
        self.remedy = remedy
