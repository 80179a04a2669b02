# SPDX-License-Identifier: Apache-2.0
"""Echo on S11 (TS 29.274, 7.1.1 and 7.1.2)."""

from dialtone.codec.gtpc import EchoRequest, EchoResponse
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects
from dialtone.pgw.element import Pgw, on


@on("S11", EchoRequest)
def on_echo_request(pgw: Pgw, msg: EchoRequest, rx: Rx) -> Effects:
    """The counter tells the peer whether we were restarted."""
    yield Answer(EchoResponse(recovery=pgw.recovery))
