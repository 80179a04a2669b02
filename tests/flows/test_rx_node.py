# SPDX-License-Identifier: Apache-2.0
"""A P-CSCF outside of the box: Rx through the Diameter node (TS 29.214, 5.1; RFC 6733)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from network import Network, imsi_of
from rx_peer import EVERYTHING, HOST, REALM, SESSION, audio

from dialtone.codec import diameter
from dialtone.config import Config
from dialtone.config_diameter import DiameterConfig, PeerConfig
from dialtone.diameter.effects import Forward, HangUp
from dialtone.diameter.passing import arrived
from dialtone.effects import PeerDown, PeerUp

CONNECTION = "tcp 198.51.100.7:40000"


class Pcscf:
    """The far end of one connection."""

    def __init__(self, net: Network) -> None:
        self.net, self.got = net, []  # type: ignore[var-annotated]
        self._numbers = 0
        net.loop.bind("diameter", "Diameter", diameter, self)
        net.loop.performers[Forward] = self._forward
        net.loop.performers[HangUp] = lambda effect, done: done(None)
        net.loop.tell("diameter", PeerUp("Diameter", CONNECTION))
        net.run(0.1)

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        self.got.append(diameter.decode(data))

    def _forward(self, effect: Any, done: Callable[[Exception | None], None]) -> None:
        self.send("diameter", effect.connection, effect.data, 0)
        done(None)

    def say(self, message: Any) -> None:
        if message.REQUEST:
            self._numbers += 1
            message.hop_by_hop = message.end_to_end = self._numbers
        arrived(self.net.loop, CONNECTION, diameter.encode(message))
        self.net.run(1.0)


def test_a_foreign_p_cscf(make_network: Callable[..., Network]) -> None:
    config = replace(Config(), diameter=DiameterConfig(
        listen="127.0.0.1", tw=1000.0, peer={HOST: PeerConfig(REALM, mode="accept")}))
    net = make_network(config=config)
    net.attach()
    pcscf = Pcscf(net)
    pcscf.say(diameter.CapabilitiesExchangeRequest(
        origin_host=HOST, origin_realm=REALM, host_ip_address=(net.loop.elements["diameter"].address,),  # type: ignore[attr-defined]
        vendor_id=0, product_name="CSCF", vendor_specific_application_id=(
            diameter.VendorSpecificApplicationId(vendor_id=10415, auth_application_id=diameter.RX),)))
    (cea,) = pcscf.got
    assert cea.result_code == 2001
    assert diameter.RX in {one.auth_application_id for one in cea.vendor_specific_application_id}

    pcscf.say(diameter.AARequest(
        session_id=SESSION, origin_host=HOST, origin_realm=REALM, framed_ip_address=bytes((10, 45, 0, 2)),
        destination_realm="epc.mnc001.mcc001.3gppnetwork.org", media_component_description=(audio(),),
        specific_action=EVERYTHING))
    answer, told = pcscf.got[1:]
    assert (type(answer), answer.result_code) == (diameter.AAAnswer, 2001)
    assert answer.origin_host == "pcrf.epc.mnc001.mcc001.3gppnetwork.org"
    assert isinstance(told, diameter.ReAuthRequest)
    reply = diameter.ReAuthAnswer(session_id=SESSION, result_code=2001, origin_host=HOST, origin_realm=REALM)
    reply.hop_by_hop, reply.end_to_end = told.hop_by_hop, told.end_to_end
    pcscf.say(reply)
    assert len(net.phones[imsi_of(1)].dedicated) == 1

    pcscf.say(diameter.SessionTerminationRequest(
        session_id=SESSION, origin_host=HOST, origin_realm=REALM, termination_cause=1,
        destination_host=answer.origin_host, destination_realm=answer.origin_realm))
    assert pcscf.got[-1].result_code == 2001
    assert net.phones[imsi_of(1)].dedicated == {}
    assert net.core.pgw.af_sessions == {}
    net.loop.tell("diameter", PeerDown("Diameter", CONNECTION, "closed by the peer"))
