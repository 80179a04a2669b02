# SPDX-License-Identifier: Apache-2.0
"""Purge UE: the MME forgets a phone (TS 29.272, 5.2.1.3)."""


import pytest
from network import Network, imsi_of
from s6a_peer import IMSI, OURS, ForeignEnd, experimental

from dialtone.codec import diameter
from dialtone.mme.detach import DetachUe


def test_an_implicit_detach_is_told(net: Network) -> None:
    net.attach()
    net.phones[IMSI].deaf = True
    net.idle()
    net.run(net.config.s1.t3412 + 300)
    (answer,) = net.sent("3GPP-Purge-UE Answer", "hss")
    assert diameter.decode(answer.data).pua_flags == 1  # type: ignore[attr-defined]
    served = net.store.registration(IMSI)
    assert served is not None
    assert (served.mme, served.purged) == (OURS, True)


def test_a_phone_that_comes_back_is_no_longer_purged(net: Network) -> None:
    net.attach()
    net.command("mme", DetachUe(IMSI))
    assert net.store.registration(IMSI).purged  # type: ignore[union-attr]
    net.attach()
    assert not net.store.registration(IMSI).purged  # type: ignore[union-attr]


@pytest.mark.parametrize("way", ["phone", "reattach"])
def test_what_is_not_purged(net: Network, way: str) -> None:
    net.attach()
    if way == "phone":
        net.detach()
    else:
        net.command("mme", DetachUe(IMSI, reattach=True))
    assert not net.sent("3GPP-Purge-UE Request")


def test_a_purge_by_an_mme_that_does_not_serve_the_phone(net: Network, other: ForeignEnd) -> None:
    net.attach()
    answer = other.ask(diameter.PurgeUERequest)
    assert (answer.result_code, answer.pua_flags) == (2001, 0)
    assert not net.store.registration(IMSI).purged  # type: ignore[union-attr]
    assert experimental(other.ask(diameter.PurgeUERequest, user_name=imsi_of(77))) == 5001


def test_a_purge_that_cannot_be_saved(net: Network, other: ForeignEnd) -> None:
    other.locate()
    net.save_fails = OSError("no room")
    assert other.ask(diameter.PurgeUERequest).result_code == 5012
    net.save_fails = None
