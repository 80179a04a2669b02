# SPDX-License-Identifier: Apache-2.0
"""SIP: what a message costs the codec, and what it costs a stateful proxy with its answer on the way back."""

import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from timeit import repeat

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from sip_rig import answer, request
from test_sip_proxy import ONE, ProxyRig

from dialtone.codec import sip
from dialtone.codec.sip import SipRequest
from tests.bench.rows import Row

MESSAGE = request(
    "MESSAGE", "P-Asserted-Identity: <sip:+15550100@ims.mnc001.mcc001.3gppnetwork.org>",
    "P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=0010100010000101", "Supported: 100rel, path, replaces",
    "Route: <sip:rig.example.org;lr>", "Allow: INVITE, ACK, CANCEL, BYE, UPDATE, MESSAGE, NOTIFY, PRACK, OPTIONS",
    "Accept-Contact: *;+g.3gpp.smsip;require;explicit", "User-Agent: handset/1.0", "Content-Type: text/plain",
    "X-Padding: " + "x" * 200)
STEPS = 2000


class Through(ProxyRig):
    """A proxy whose wire only keeps the last octets."""

    wire = b""

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        self.wire = data

    def hear(self, message: sip.SipMessage, rx: object) -> object:  # type: ignore[override]
        return self.serve(message, rx)  # type: ignore[arg-type]


def rows(quick: bool) -> Iterator[Row]:
    """Codec cost in microseconds; MESSAGE a second through one proxy, its 200 included."""
    message = sip.decode(MESSAGE)
    for what, call in (("decode", partial(sip.decode, MESSAGE)), ("encode", partial(sip.encode, message))):
        cost = min(repeat(call, number=300, repeat=5)) / 300 * 1e6
        yield Row(f"SIP MESSAGE ({len(MESSAGE)} B) {what}", f"{cost:.1f} us")
    rig = Through()
    steps = STEPS // 4 if quick else STEPS
    began = time.perf_counter()
    for number in range(steps):
        rig.now += 0.001
        rig.receive(MESSAGE.replace(b"z9hG4bKa", b"z9hG4bKa%d" % number))
        copy = sip.decode(rig.wire)
        assert isinstance(copy, SipRequest)
        rig.receive(answer(copy, 200), peer=ONE)
        rig.loop.expire()
    rate = steps / (time.perf_counter() - began)
    assert rig.wire.startswith(b"SIP/2.0 200")
    yield Row("MESSAGE through one proxy and its 200 back", f"{rate:.0f} a second",
              where="one process, memory links; the test's own decode and encode of both ends count too")
