# SPDX-License-Identifier: Apache-2.0
"""Path management messages (TS 29.274, 7.1)."""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.gtpc.table import CO, GtpcMessage, M, message
from dialtone.codec.gtpc.types import NODE_FEATURES, RECOVERY


@message(1, "Echo Request", "TS 29.274, 7.1.1")
@dataclass(slots=True, kw_only=True)
class EchoRequest(GtpcMessage):
    """Is the peer there, and has it restarted?"""

    teid: int | None = None
    recovery: Annotated[int, M(RECOVERY)]
    sending_node_features: Annotated[int | None, CO(NODE_FEATURES)] = None


@message(2, "Echo Response", "TS 29.274, 7.1.2")
@dataclass(slots=True, kw_only=True)
class EchoResponse(GtpcMessage):
    """The answer to Echo Request."""

    teid: int | None = None
    recovery: Annotated[int, M(RECOVERY)]
    sending_node_features: Annotated[int | None, CO(NODE_FEATURES)] = None


@message(3, "Version Not Supported Indication", "TS 29.274, 7.1.3")
@dataclass(slots=True, kw_only=True)
class VersionNotSupportedIndication(GtpcMessage):
    """The highest version we speak is the one of this header: 2."""

    teid: int | None = None
