# SPDX-License-Identifier: Apache-2.0
"""Cards with TUAK beside those with Milenage (TS 35.231; TS 33.401, 6.1): every length that EPS allows."""

import pytest
from network import NOTHING, Network, imsi_of

from dialtone.codec import nas
from dialtone.crypto.tuak import derive_topc
from dialtone.hss.provisioning import make_subscriber
from dialtone.hss.writes import PutSubscriber
from dialtone.sim.phone import Phone
from dialtone.sim.states import EmmState
from dialtone.sim.usim import Usim

IMSI = imsi_of(1)
K = bytes.fromhex("abababababababababababababababab")  # TS 35.233, test set 1
K_LONG = bytes.fromhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0")
TOP = bytes.fromhex("5555555555555555555555555555555555555555555555555555555555555555")


def provision(net: Network, k: bytes, **fields: str) -> None:
    subscriber = make_subscriber({"k": k.hex(), "top": TOP.hex(), **fields}, profiles=net.store.profiles(),
                                 base=net.store.get(IMSI))
    net.save(PutSubscriber(subscriber, 0, overwrite=True))


def card(net: Network, k: bytes, bits: int = 64, iterations: int = 1) -> Phone:
    topc = derive_topc(k, TOP, iterations=iterations)
    return net.add_phone(IMSI, usim=Usim(IMSI, k, topc, algorithm="tuak", res=bits // 8, iterations=iterations))


@pytest.mark.parametrize("k", [K, K_LONG])
@pytest.mark.parametrize(("bits", "iterations"), [(32, 1), (64, 1), (128, 1), (64, 2)])
def test_attach_with_tuak(net: Network, k: bytes, bits: int, iterations: int) -> None:
    provision(net, k, res=str(bits), iterations=str(iterations))
    card(net, k, bits, iterations)
    phone = net.attach()
    assert phone.emm == EmmState.REGISTERED
    answer = net.nas("Authentication response")
    assert isinstance(answer, nas.AuthenticationResponse)
    assert len(answer.res) == bits // 8


def test_tuak_resynchronises(net: Network) -> None:
    provision(net, K)
    card(net, K)
    net.fault("sqn_stale")
    assert net.attach().emm == EmmState.REGISTERED
    assert "ok: the SIM's sequence number was ahead of ours; we go on from its own" in net.verdicts("hss")


@pytest.mark.parametrize("fault", ["wrong_k", "op_as_opc"])
def test_tuak_with_keys_that_differ(net: Network, fault: str) -> None:
    provision(net, K)
    card(net, K)
    net.fault(fault)
    net.attach()
    assert any("MAC failure" in text for text in net.verdicts())
    assert net.leaks() == NOTHING


def test_a_milenage_card_of_a_tuak_subscriber(net: Network) -> None:
    provision(net, K)
    net.attach()  # with the Milenage card that it was given first
    assert any("MAC failure" in text for text in net.verdicts())
    assert net.phones[IMSI].emm != EmmState.REGISTERED
