# SPDX-License-Identifier: Apache-2.0
"""A foreign end of S6a or Cx in a test's own hand: an MME or a CSCF that asks our HSS, or an HSS that tells our MME;
and changes of what the HSS knows.
"""

import asyncio
from dataclasses import replace
from typing import Any

from network import Network, imsi_of

from dialtone.codec import diameter
from dialtone.control import Args
from dialtone.hss.provisioning import make_subscriber
from dialtone.hss.writes import PutProfile
from dialtone.ids import Plmn

IMSI = imsi_of(1)
HOME = Plmn("001", "01")
OURS = "mme.epc.mnc001.mcc001.3gppnetwork.org"
THEIRS = "mme2.epc.mnc070.mcc999.3gppnetwork.org"
REALM = "epc.mnc070.mcc999.3gppnetwork.org"


class ForeignEnd:
    """Stands on the link of `element` under the Diameter identity `host`; `got` are the requests that came for it.

    It answers those with `answers` (a Result-Code), or not at all with None.
    """

    def __init__(self, net: Network, element: str, host: str, answers: int | None = 2001,
                 point: str = "S6a") -> None:
        self.net, self.element, self.host, self.answers, self.point = net, element, host, answers, point
        self.got: list[Any] = []
        self.said: list[Any] = []
        port = net.loop.ports[element, point]
        self._below, port.link = port.link, self  # type: ignore[assignment]

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """The link's side."""
        if peer != self.host:
            self._below.send(element, peer, data, stream)
            return
        message = diameter.decode(data)
        if not message.REQUEST:
            self.said.append(message)
            return
        self.got.append(message)
        if self.answers is not None:
            kind = diameter.COMMANDS[message.COMMAND, message.APPLICATION_ID, False]
            answer: Any = kind(session_id=message.session_id, result_code=self.answers,  # type: ignore[attr-defined]
                               origin_host=self.host, origin_realm=REALM)
            answer.hop_by_hop, answer.end_to_end = message.hop_by_hop, message.end_to_end
            self.net.loop.deliver(element, self.point, peer, diameter.encode(answer))

    def ask(self, kind: type[Any], **fields: Any) -> Any:
        """Send a request and return its answer."""
        given: dict[str, Any] = {"session_id": f"{self.host};1;{len(self.said)}", "origin_host": self.host,
                                 "origin_realm": REALM, "destination_realm": REALM, "user_name": IMSI} | fields
        message = kind(**{name: value for name, value in given.items() if value is not None})
        message.hop_by_hop = message.end_to_end = 0x7000 + len(self.said) + len(self.got)
        before = len(self.said)
        self.net.loop.deliver(self.element, self.point, self.host, diameter.encode(message))
        self.net.run(0.2)
        assert len(self.said) == before + 1, "one answer for each request"
        return self.said[-1]

    def locate(self, **fields: Any) -> diameter.UpdateLocationAnswer:
        """Say that this MME serves the phone."""
        found: diameter.UpdateLocationAnswer = self.ask(
            diameter.UpdateLocationRequest, **{"rat_type": 1004, "ulr_flags": 2, "visited_plmn_id": HOME, **fields})
        return found


def command(net: Network, verb: str, **args: Any) -> Any:
    """A command of the control socket."""
    found = net.commands.table()[verb](Args(args))
    found = asyncio.run(_wait(found)) if asyncio.iscoroutine(found) else found
    net.run(1.0)
    return found


async def _wait(found: Any) -> Any:
    return await found


def experimental(message: Any) -> int:
    return int(message.experimental_result.experimental_result_code)


def change_profile(net: Network, **fields: Any) -> None:
    net.save(PutProfile(replace(net.store.profiles()["default"], **fields)))


def subscriber(net: Network, **fields: str) -> Any:
    return make_subscriber(fields, profiles=net.store.profiles(), base=net.store.get(IMSI))
