# SPDX-License-Identifier: Apache-2.0
"""Documents of strangers: any octets, and good ones that were changed, raise ProtocolError or can be written again."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialtone.codec import ims_subscription, reginfo
from dialtone.errors import ProtocolError

CODECS: dict[str, tuple[Callable[[bytes], Any], Callable[[Any], bytes], bytes]] = {
    "reginfo": (reginfo.decode, reginfo.encode, reginfo.encode(reginfo.RegInfo(1, True, (reginfo.RegistrationInfo(
        "sip:a@b", "r", "active", (reginfo.ContactInfo("c", "sip:a@10.0.0.1", expires=60, params=(("x", "y"),)),)),)))),
    "IMSSubscription": (ims_subscription.decode, ims_subscription.encode, ims_subscription.encode(
        ims_subscription.ImsSubscription("a@b", (ims_subscription.ServiceProfile(
            (ims_subscription.PublicIdentity("sip:a@b"),),
            (ims_subscription.InitialFilterCriteria(0, ims_subscription.ApplicationServer("sip:as.b"),
                                                    ims_subscription.TriggerPoint(True, (
                                                        ims_subscription.Spt("Method", "REGISTER"),))),)),)))),
}


@pytest.mark.parametrize("name", CODECS)
@given(data=st.data())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_documents_of_strangers(name: str, data: st.DataObject) -> None:
    decode, encode, good = CODECS[name]
    if data.draw(st.booleans()):
        octets = data.draw(st.binary(max_size=400))
    else:
        at, length = data.draw(st.integers(0, len(good))), data.draw(st.integers(0, 12))
        octets = good[:at] + data.draw(st.binary(max_size=12)) + good[at + length:]
    try:
        document = decode(octets)
    except ProtocolError:
        return
    assert isinstance(encode(document), bytes)
