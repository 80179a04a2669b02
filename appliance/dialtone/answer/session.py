# SPDX-License-Identifier: Apache-2.0
"""Changes of a call that stands: resources reserved, hold, session timer (RFC 3262, RFC 3311, RFC 3312, RFC 4028)."""

from typing import Any

from dialtone.answer import offer as offers
from dialtone.answer import reply
from dialtone.answer.element import AnswerServices, Call, CloseStream, OpenStream, on
from dialtone.answer.states import CallState
from dialtone.codec import sip
from dialtone.codec.sip import InviteRequest, OptionsRequest, PrackRequest, SipRequest, SipResponse, UpdateRequest
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects


def changed(services: AnswerServices, msg: InviteRequest, rx: Rx) -> Effects:
    """A re-INVITE: hold, resume, or another address (RFC 3264, 8)."""
    call = services.call_of(msg, rx)
    answer = sip.response(msg, 200)
    yield from _adopt(services, call, msg, answer)
    answer.append("Contact", f"<sip:{services.host}>")
    answer.append("Allow", reply.ALLOW)
    yield from reply.timed(call, msg, answer)
    yield Answer(answer)


@on("ISC", UpdateRequest)
def on_update_request(services: AnswerServices, msg: UpdateRequest, rx: Rx) -> Effects:
    """The caller's bearer stands, or something else changes."""
    call = services.call_of(msg, rx)
    answer = sip.response(msg, 200)
    waits = yield from _adopt(services, call, msg, answer)
    answer.append("Contact", f"<sip:{services.host}>")
    yield from reply.timed(call, msg, answer)
    yield Answer(answer)
    if call.state is CallState.WAITING and not waits:
        yield from reply.pick_up(services, call)


@on("ISC", PrackRequest)
def on_prack_request(services: AnswerServices, msg: PrackRequest, rx: Rx) -> Effects:
    """The caller has our 183; it may bring an offer of its own (RFC 3262, 5)."""
    call = services.call_of(msg, rx)
    answer = sip.response(msg, 200)
    waits = yield from _adopt(services, call, msg, answer)
    yield Answer(answer)
    if msg.body and call.state is CallState.WAITING and not waits:
        yield from reply.pick_up(services, call)


@on("ISC", OptionsRequest)
def on_options_request(services: AnswerServices, msg: OptionsRequest, rx: Rx) -> Effects:
    """What we can do (RFC 3261, 11.2)."""
    answer = sip.response(msg, 200)
    for name, value in (("Allow", reply.ALLOW), ("Accept", "application/sdp"),
                        ("Supported", "100rel, precondition, timer")):
        answer.append(name, value)
    yield Answer(answer)


def _adopt(services: AnswerServices, call: Call, msg: SipRequest, answer: SipResponse) -> Any:
    """Take a new offer, if there is one, and answer it; returns whether the other end still waits for its bearer."""
    if not msg.body:
        return False
    offer = reply.offer_of(msg)
    agreed = offers.choose(offer, services.speaks_to)
    if agreed != call.agreed and call.state is CallState.CONFIRMED:
        yield CloseStream(call.key)
        yield OpenStream(call.key, services.address_for(agreed.address), call.port, agreed, call.script)
    call.agreed = agreed
    reply.describe(services, call, offer, answer)
    return offers.waits(offer, agreed)


