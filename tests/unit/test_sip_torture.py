# SPDX-License-Identifier: Apache-2.0
"""The torture tests of RFC 4475 at a stateful proxy: what is valid passes, the rest is answered as the RFC says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sip_rig import Rig
from test_sip_proxy import ONE, ProxyRig

from dialtone import dispatch
from dialtone.codec import sip

TORTURE = Path(__file__).parents[3] / "shared" / "vectors" / "rfc4475"
pytestmark = pytest.mark.skipif(not TORTURE.is_dir(), reason="the vectors of RFC 4475 lie beside the checkout")

FORWARDED = {
    "wsinv": "INVITE", "intmeth": "!interesting-Method0123456789_*+`.%indeed'~", "esc01": "INVITE",
    "escnull": "REGISTER", "esc02": "RE%47IST%45R", "lwsdisp": "OPTIONS", "longreq": "INVITE", "dblreq": "REGISTER",
    "semiuri": "OPTIONS", "transports": "OPTIONS", "mpart01": "MESSAGE",  # 3.1.1: valid
    "badbranch": "OPTIONS",  # 3.2.1: told apart as of RFC 2543
    "baddate": "INVITE", "badaspec": "OPTIONS", "regbadct": "REGISTER",  # a proxy looks at none of what is wrong there
    "unksm2": "REGISTER", "invut": "INVITE", "regaut01": "REGISTER", "cparam01": "REGISTER", "cparam02": "REGISTER",
    "regescrt": "REGISTER", "sdp01": "INVITE", "inv2543": "INVITE",  # 3.3, 3.4: for endpoints and registrars
}
REFUSED = {
    "badinv01": 400, "clerr": 400, "ncl": 400, "scalar02": 400, "quotbal": 400, "ltgtruri": 400, "lwsruri": 400,
    "lwsstart": 400, "trws": 400, "escruri": 400, "badvers": 505, "mismatch01": 400, "mismatch02": 400, "baddn": 400,
    "insuf": 400, "multi01": 400, "mcl01": 400, "unkscm": 416, "novelsc": 416, "bext01": 420, "zeromf": 483,
}
CHANGED = ("via", "max-forwards", "route")
DISCARDED = {"scalarlg", "bigcode", "bcast", "noreason", "unreason"}  # answers: wrong, or to nothing that we asked


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    kept = dispatch.ALL.copy()
    yield
    dispatch.ALL[:] = kept


def torture(name: str) -> bytes:
    data = (TORTURE / f"{name}.dat").read_bytes()
    return data if b"\r\n" in data else data.replace(b"\n", b"\r\n")


@pytest.mark.parametrize("name", FORWARDED)
def test_what_passes(name: str) -> None:
    rig = ProxyRig()
    rig.receive(torture(name))
    (copy,) = [message for _, _, message in rig.sent]
    assert isinstance(copy, sip.SipRequest)
    assert copy.method == FORWARDED[name]
    lines = [line.text for line in sip.decode(torture(name)).lines if line.key not in CHANGED]
    assert [line.text for line in copy.lines if line.key not in CHANGED][:len(lines)] == lines


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    rig = ProxyRig()
    rig.receive(torture(name))
    assert [message.status for _, _, message in rig.sent if isinstance(message, sip.SipResponse)] == [REFUSED[name]]
    assert [peer for _, peer, _ in rig.sent if peer == ONE] == []
    assert rig.loop.counters.get("internal error", 0) == 0


@pytest.mark.parametrize("name", sorted(DISCARDED))
def test_what_is_discarded(name: str) -> None:
    rig = ProxyRig()
    rig.receive(torture(name))
    assert rig.sent == []
    assert sum(rig.loop.counters.values()) == 1


def test_none_is_forgotten_and_none_brings_an_endpoint_down() -> None:
    names = {file.stem for file in TORTURE.glob("*.dat")} - {"bigcode", "test"}
    assert names <= {*FORWARDED, *REFUSED, *DISCARDED}
    rig = Rig(endpoint=True)
    rig.then = lambda message, rx: ()
    for name in sorted(names):
        rig.receive(torture(name))
    rig.until(100)
    assert rig.loop.counters.get("internal error", 0) == 0
