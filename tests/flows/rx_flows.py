# SPDX-License-Identifier: Apache-2.0
"""Flows over Rx for the golden ladders (test_golden.py)."""

from collections.abc import Callable

from network import Network, imsi_of
from rx_peer import HOST, Af, audio, video

from dialtone.codec.diameter import FlowStatus
from dialtone.mme.detach import DetachUe
from dialtone.sim.enb import EnbConfig
from dialtone.sim.erab import BearerLostCommand

Flow = Callable[[Network], int]
COLUMNS = ("UE", "enb1", "mme", "pgw", HOST, "hss")
WITHOUT_VOICE = EnbConfig(refused_qcis=frozenset((1,)))


def _attached(net: Network) -> tuple[Af, int]:
    net.attach()
    return Af(net), net.events()[-1].id


def call_with_bearers(net: Network) -> int:
    af, start = _attached(net)
    af.aar(audio(), video())
    af.aar(audio(kbit=90), video(flow_status=FlowStatus.REMOVED))
    af.end()
    return start


def call_without_voice_bearer(net: Network) -> int:
    af, start = _attached(net)
    af.aar(audio())
    af.end()
    return start


def call_bearer_lost(net: Network) -> int:
    af, start = _attached(net)
    af.aar(audio())
    net.command("enb1", BearerLostCommand(f"ue-{imsi_of(1)}", 6))
    af.end()
    return start


def call_phone_detached(net: Network) -> int:
    af, start = _attached(net)
    af.aar(audio())
    net.command("mme", DetachUe(imsi_of(1)))
    af.end()
    return start


def call_for_nobody(net: Network) -> int:
    af, start = _attached(net)
    af.aar(audio(), framed_ip_address=bytes((10, 45, 9, 9)))
    return start


FLOWS: dict[str, tuple[Flow, tuple[EnbConfig, ...]]] = {
    flow.__name__: (flow, (EnbConfig(),))
    for flow in (call_with_bearers, call_bearer_lost, call_phone_detached, call_for_nobody)
} | {"call_without_voice_bearer": (call_without_voice_bearer, (WITHOUT_VOICE,))}
