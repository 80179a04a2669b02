# SPDX-License-Identifier: Apache-2.0
"""eNB Configuration Update (TS 36.413, 8.7.4): an eNB has another name, other tracking areas; its phones stay."""

from dialtone.codec.s1ap import (
    ENBConfigurationUpdate,
    ENBConfigurationUpdateAcknowledge,
    ENBConfigurationUpdateFailure,
)
from dialtone.codec.s1ap.causes import Cause
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Send, Verdict
from dialtone.mme.element import Mme, on
from dialtone.mme.s1_setup import comparison, judge


@on("S1-MME", ENBConfigurationUpdate)
def on_enb_configuration_update(mme: Mme, msg: ENBConfigurationUpdate, rx: Rx) -> Effects:
    """What is not in it stays (8.7.4.2). An area list that we serve no part of is refused, and the old one holds."""
    enb = mme.enbs[rx.peer]
    name = msg.enb_name or enb.name
    tais = enb.tais
    if msg.supported_tas:
        tais, cause = judge(mme, msg.supported_tas)
        if cause:
            yield Send("S1-MME", rx.peer, ENBConfigurationUpdateFailure(cause=Cause.of("misc", cause)),
                       stream=rx.stream)
            yield Verdict("eNB configuration update", False, comparison(mme, name, tais))
            return
    enb.name, enb.tais = name, tais
    yield Send("S1-MME", rx.peer, ENBConfigurationUpdateAcknowledge(), stream=rx.stream)
    served = ", ".join(str(tai) for tai in tais if tai in mme.tais)
    yield Verdict("eNB configuration update", True, f"{name} serves {served} from now on")
