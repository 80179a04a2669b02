# SPDX-License-Identifier: Apache-2.0
"""Push-Profile (TS 29.228, 6.2.2): the HSS changes the profile of a user who is served here."""

from dialtone.codec import ims_subscription
from dialtone.codec.diameter import PushProfileAnswer, PushProfileRequest, ResultCode
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Verdict
from dialtone.errors import ProtocolError
from dialtone.scscf import reg_event
from dialtone.scscf.element import Scscf, on


@on("Cx", PushProfileRequest)
def on_push_profile_request(scscf: Scscf, msg: PushProfileRequest, rx: Rx) -> Effects:
    """The new filter criteria hold from the next request on; new or barred identities are told to who watches."""
    user = scscf.users.get(msg.user_name)
    code = ResultCode.DIAMETER_SUCCESS
    if user is None or user.subscription is None:
        code = ResultCode.DIAMETER_UNABLE_TO_COMPLY
    elif msg.user_data is not None:
        rx.subject = user.subject
        try:
            pushed = ims_subscription.decode(msg.user_data)
        except ProtocolError as error:
            code = ResultCode.DIAMETER_UNABLE_TO_COMPLY
            yield Verdict("profile", False, f"the HSS pushed a profile that cannot be read: {error.text}")
        else:
            user.subscription = pushed
            scscf.index(user)
            yield Verdict("profile", True, "the HSS changed the profile; it holds from now on")
    yield Answer(PushProfileAnswer(
        session_id=msg.session_id, origin_host=scscf.cx.origin_host, origin_realm=scscf.cx.origin_realm,
        result_code=code))
    if code == ResultCode.DIAMETER_SUCCESS and user is not None:
        yield from reg_event.notify(scscf, user, [(each, "registered") for each in user.contacts.values()], rx.now)
