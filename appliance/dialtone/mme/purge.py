# SPDX-License-Identifier: Apache-2.0
"""Purge UE (TS 29.272, 5.2.1.3; TS 23.401, 5.3.9.3): the HSS learns that we have forgotten a phone."""

from dialtone.codec.diameter import PurgeUEAnswer, PurgeUERequest
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Request, Verdict
from dialtone.mme.context import Ue
from dialtone.mme.element import Mme, on

S6A_IN_MME = 1 << 0  # PUR-Flags: UE purged in MME (7.3.149)
SUCCESS, USER_UNKNOWN = 2001, 5001


def purge(mme: Mme, ue: Ue) -> Request:
    """Nobody waits for the answer: the context is gone by then. Its M-TMSI stays with `memory` for a while."""
    return Request("S6a", mme.s6a.element, PurgeUERequest(
        **mme.s6a_header(), user_name=ue.imsi, pur_flags=S6A_IN_MME), context=ue.imsi)


@on("S6a", PurgeUEAnswer)
def on_purge_ue_answer(mme: Mme, msg: PurgeUEAnswer, rx: Rx) -> Effects:
    """The HSS has noted it; without the flag to freeze the M-TMSI it thinks that another MME serves the phone."""
    assert rx.request is not None
    rx.subject = rx.request.context
    code = msg.result_code or msg.experimental_result_code
    if code not in (SUCCESS, USER_UNKNOWN):
        yield Verdict("purge", False, f"the HSS answered {code}")
