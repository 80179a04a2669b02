# SPDX-License-Identifier: Apache-2.0
"""Location query (TS 29.228, 6.1.4): which S-CSCF has the user for whom this request is?"""

from dialtone.codec.diameter import (
    AuthorizationType,
    CxResult,
    LocationInfoAnswer,
    LocationInfoRequest,
    ResultCode,
)
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects
from dialtone.hss import ims
from dialtone.hss.element import Hss, on
from dialtone.hss.ims_profile import serves_unregistered


@on("Cx", LocationInfoRequest)
def on_location_info_request(hss: Hss, msg: LocationInfoRequest, rx: Rx) -> Effects:
    """By any public identity, as a number or an alias."""
    rx.subject = msg.public_identity
    try:
        yield Answer(_answer(hss, msg, rx))
    except ims.Refused as refused:
        yield Answer(ims.answer(hss, LocationInfoAnswer, msg, refused.code))


def _answer(hss: Hss, msg: LocationInfoRequest, rx: Rx) -> LocationInfoAnswer:
    """The steps of TS 29.228, 6.1.4.1. Raises Refused."""
    subscriber = ims.by_impu(hss, msg.public_identity)
    rx.subject = subscriber.imsi
    served = ims.registration(hss, subscriber.imsi)
    if msg.user_authorization_type == AuthorizationType.REGISTRATION_AND_CAPABILITIES:
        return ims.answer(hss, LocationInfoAnswer, msg, ResultCode.DIAMETER_SUCCESS,
                          server_capabilities=ims.capabilities(hss))
    if served.state != ims.NOT_REGISTERED:
        return ims.answer(hss, LocationInfoAnswer, msg, ResultCode.DIAMETER_SUCCESS, server_name=served.scscf)
    if serves_unregistered(hss, subscriber):
        return ims.answer(hss, LocationInfoAnswer, msg, CxResult.DIAMETER_UNREGISTERED_SERVICE,
                          server_capabilities=ims.capabilities(hss))
    raise ims.Refused(CxResult.DIAMETER_ERROR_IDENTITY_NOT_REGISTERED)
