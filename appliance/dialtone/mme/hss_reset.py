# SPDX-License-Identifier: Apache-2.0
"""Reset of an HSS (TS 29.272, 5.2.4.1; TS 23.007, 4.2): its phones are told to it anew, each when it is heard of."""

from dialtone.codec.diameter import ResetAnswer, ResetRequest, ResultCode
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Verdict
from dialtone.mme import notify
from dialtone.mme.element import Mme, on


@on("S6a", ResetRequest)
def on_reset_request(mme: Mme, msg: ResetRequest, rx: Rx) -> Effects:
    """All phones, or those whose IMSI begins with a User-Id; the connected ones are heard of already."""
    yield Answer(ResetAnswer(**mme.s6a_answer(msg), result_code=ResultCode.DIAMETER_SUCCESS))
    impacted = [ue for imsi, ue in mme.by_imsi.items() if imsi.startswith(msg.user_id or "")]
    yield Verdict("reset", True, "the HSS has lost data: it is told again of each phone, when that is heard of")
    for ue in impacted:
        ue.confirmed = False
        yield from notify.heard(mme, ue, rx)
