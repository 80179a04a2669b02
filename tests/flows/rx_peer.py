# SPDX-License-Identifier: Apache-2.0
"""A scripted application function at the other end of Rx: a P-CSCF in a test's own hand."""

from typing import Any

from network import Network

from dialtone.codec import diameter
from dialtone.codec.diameter import (
    FlowUsage,
    MediaComponentDescription,
    MediaSubComponent,
    MediaType,
    SpecificAction,
)

HOST = "pcscf.example.org"
REALM = "example.org"
SESSION = f"{HOST};1;1"
EVERYTHING = (SpecificAction.INDICATION_OF_LOSS_OF_BEARER, SpecificAction.INDICATION_OF_RELEASE_OF_BEARER,
              SpecificAction.INDICATION_OF_SUCCESSFUL_RESOURCES_ALLOCATION,
              SpecificAction.INDICATION_OF_FAILED_RESOURCES_ALLOCATION)
FAR = "192.0.2.7"


def audio(local: str = "10.45.0.2", port: int = 49120, far: str = FAR, far_port: int = 50000, *, number: int = 1,
          kind: MediaType = MediaType.AUDIO, kbit: int = 41, **fields: Any) -> MediaComponentDescription:
    """RTP and RTCP of one media line, as a P-CSCF describes them (TS 29.213, 6.2)."""
    def sub(flow: int, usage: FlowUsage) -> MediaSubComponent:
        own, other = port + flow - 1, far_port + flow - 1
        return MediaSubComponent(flow_number=flow, flow_usage=usage, flow_description=(
            f"permit out 17 from {far} {other} to {local} {own}", f"permit in 17 from {local} {own} to {far} {other}"))

    given: dict[str, Any] = {
        "media_type": kind, "max_requested_bandwidth_ul": kbit * 1000, "max_requested_bandwidth_dl": kbit * 1000,
        "media_sub_component": (sub(1, FlowUsage.NO_INFORMATION), sub(2, FlowUsage.RTCP))} | fields
    return MediaComponentDescription(media_component_number=number, **given)


def video(**fields: Any) -> MediaComponentDescription:
    """A second media line."""
    return audio(port=49130, far_port=50010, number=2, kind=MediaType.VIDEO, kbit=512, **fields)


class Af:
    """Stands on the Rx link of the gateway; `got` are the gateway's requests, answered with `answers` or not at all."""

    def __init__(self, net: Network, answers: int | None = 2001) -> None:
        self.net, self.answers = net, answers
        self.got: list[Any] = []
        self.said: list[Any] = []
        self._numbers = 0
        port = net.loop.ports["pgw", "Rx"]
        self._below, port.link = port.link, self  # type: ignore[assignment]

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """The link's side."""
        if peer != HOST:
            self._below.send(element, peer, data, stream)
            return
        message: Any = diameter.decode(data)
        if not message.REQUEST:
            self.said.append(message)
            return
        self.got.append(message)
        if self.answers is not None:
            kind: Any = diameter.COMMANDS[message.COMMAND, message.APPLICATION_ID, False]
            answer = kind(session_id=message.session_id, result_code=self.answers, origin_host=HOST, origin_realm=REALM)
            answer.hop_by_hop, answer.end_to_end = message.hop_by_hop, message.end_to_end
            self.net.loop.deliver("pgw", "Rx", HOST, diameter.encode(answer))

    def post(self, kind: type[Any], **fields: Any) -> None:
        """Send a request; the network has not worked yet."""
        self._numbers += 1
        given: dict[str, Any] = {"session_id": SESSION, "origin_host": HOST, "origin_realm": REALM,
                                 "destination_realm": "epc.mnc001.mcc001.3gppnetwork.org"} | fields
        message = kind(**given)
        message.hop_by_hop = message.end_to_end = self._numbers
        self.net.loop.deliver("pgw", "Rx", HOST, diameter.encode(message))

    def ask(self, kind: type[Any], **fields: Any) -> Any:
        """Send a request and return its answer."""
        before = len(self.said)
        self.post(kind, **fields)
        self.net.run(1.0)
        assert len(self.said) == before + 1, "one answer for each request"
        return self.said[-1]

    def aar(self, *media: MediaComponentDescription, **fields: Any) -> diameter.AAAnswer:
        """A call of the first phone begins, or changes."""
        found: diameter.AAAnswer = self.ask(diameter.AARequest, **call(media, fields))
        return found

    def post_aar(self, *media: MediaComponentDescription, **fields: Any) -> None:
        """Likewise, and the next request comes right behind it."""
        self.post(diameter.AARequest, **call(media, fields))

    def end(self, session: str = SESSION) -> diameter.SessionTerminationAnswer:
        """The call is over."""
        found: diameter.SessionTerminationAnswer = self.ask(
            diameter.SessionTerminationRequest, session_id=session, termination_cause=1)
        return found

    def told(self) -> list[tuple[str, int | None]]:
        """What the gateway said: message, and the specific action or the abort cause."""
        return [(type(one).__name__, one.specific_action[0] if isinstance(one, diameter.ReAuthRequest)
                 else one.abort_cause) for one in self.got]


def call(media: tuple[MediaComponentDescription, ...], fields: dict[str, Any]) -> dict[str, Any]:
    """The AVPs of a request about the first phone."""
    return {"framed_ip_address": bytes((10, 45, 0, 2)), "specific_action": EVERYTHING,
            "media_component_description": media} | fields
