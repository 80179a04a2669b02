# SPDX-License-Identifier: Apache-2.0
"""Another subscribed quality of a live PDN connection (TS 23.401, 5.4.2.2; TS 29.274, 7.2.14).

Modify Bearer Command -> Update Bearer Request of the same number, or a failure indication
"""

from dialtone.codec.diameter import ApnConfiguration
from dialtone.codec.gtpc import ModifyBearerCommand, ModifyBearerFailureIndication
from dialtone.codec.gtpc.bearer_context import ModifyBearerCommandContext
from dialtone.codec.gtpc.values import BearerQos
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Request, Unanswered, Verdict
from dialtone.mme.context import Pdn, Ue
from dialtone.mme.element import Mme, on
from dialtone.mme.session import subscribed_quality


def push(ue: Ue, pdn: Pdn, configuration: ApnConfiguration) -> Effects:
    """Tell the gateway, which decides, what the subscription has now; nothing where that is what the bearer has."""
    assert ue.subscription is not None
    qci, arp, ambr = subscribed_quality(ue.subscription, configuration)
    bearer = pdn.bearers[pdn.ebi]
    same = (bearer.qci, bearer.arp) == (qci, (arp[0], 1 - arp[1], 1 - arp[2]))
    if pdn.leaving or (same and pdn.ambr == (ambr.downlink, ambr.uplink)):
        return
    yield Request("S11", pdn.gateway, ModifyBearerCommand(
        teid=pdn.s11_teid, ambr=ambr, bearer_context=ModifyBearerCommandContext(
            ebi=pdn.ebi, bearer_qos=None if same else BearerQos(qci, *arp))), context=(ue, pdn))


@on("S11", ModifyBearerFailureIndication)
def on_modify_bearer_failure_indication(mme: Mme, msg: ModifyBearerFailureIndication, rx: Rx) -> Effects:
    """The gateway's policy keeps the connection as it is."""
    if rx.request is not None:
        yield from _failed(rx.request, f"the gateway refused with GTP cause {msg.cause.value}", rx)


@on.unanswered(ModifyBearerCommand)
def on_no_answer_to_modify_bearer_command(mme: Mme, event: Unanswered, rx: Rx) -> Effects:
    """The gateway is silent."""
    return _failed(event.request, "the gateway does not answer", rx)


def _failed(request: Request, why: str, rx: Rx) -> Effects:
    ue, pdn = request.context
    rx.subject, rx.state = ue.label, ue.emm
    yield Verdict("profile push", False, f"{pdn.apn} keeps its quality: {why}")
