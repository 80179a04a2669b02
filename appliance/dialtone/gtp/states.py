# SPDX-License-Identifier: Apache-2.0
"""The states of a path to a peer (TS 23.007, 20)."""

from enum import StrEnum

from dialtone.fsm import Table


class PathState(StrEnum):
    """What we know of a peer."""

    UNKNOWN = "UNKNOWN"
    UP = "UP"
    DOWN = "DOWN"


_S = PathState
PATH = Table("GTP-C path", "TS 23.007, 20", _S.UNKNOWN, [
    (_S.UNKNOWN, "heard", _S.UP),
    (_S.UP, "heard", _S.UP),
    (_S.DOWN, "heard", _S.UP),
    (_S.UNKNOWN, "no answer", _S.DOWN),
    (_S.UP, "no answer", _S.DOWN),
    (_S.DOWN, "no answer", _S.DOWN),
])
