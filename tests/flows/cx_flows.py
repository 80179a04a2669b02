# SPDX-License-Identifier: Apache-2.0
"""Golden flows of Cx between our HSS and a foreign CSCF (TS 29.228, 6)."""

from collections.abc import Callable

from cx_peer import CSCF_HOST, NUMBER, SIP, Cscf
from network import OPC, K, Network, imsi_of

from dialtone.codec.diameter import AssignmentType
from dialtone.crypto.aka import make_auts
from dialtone.crypto.milenage import Milenage
from dialtone.crypto.sqn import make_sqn
from dialtone.hss.registration_termination import EndRegistration
from dialtone.hss.subscriber_data import SubscriptionChanged
from dialtone.sim.enb import EnbConfig

Flow = Callable[[Network], int]
COLUMNS = (CSCF_HOST, "hss")


def _cscf(net: Network) -> tuple[Cscf, int]:
    net.add_subscriber(imsi_of(1), msisdn=NUMBER, overwrite=True)
    return Cscf(net), net.events()[-1].id


def cx_registration(net: Network) -> int:
    cscf, start = _cscf(net)
    cscf.uar()
    rand = cscf.mar().sip_auth_data_item[0].sip_authenticate[:16]
    cscf.mar(auts=rand + make_auts(Milenage(K, OPC), rand=rand, sqn_ms=make_sqn(1000, 0)))
    cscf.uar()
    cscf.sar()
    cscf.lir(SIP)
    cscf.sar(AssignmentType.USER_DEREGISTRATION)
    cscf.lir(SIP)
    return start


def cx_refused(net: Network) -> int:
    cscf, start = _cscf(net)
    cscf.uar(user_name="nobody@example.org")
    cscf.mar(scheme="SIP Digest")
    cscf.sar()
    cscf.sar(server_name="sip:other.example.org")
    return start


def cx_pushed(net: Network) -> int:
    cscf, start = _cscf(net)
    cscf.sar()
    before = net.store.get(imsi_of(1))
    assert before is not None
    net.add_subscriber(imsi_of(1), msisdn=f"{NUMBER}|15550199", overwrite=True)
    net.command("hss", SubscriptionChanged(before, net.store.get(imsi_of(1)) or before))
    served = net.store.ims_registration(imsi_of(1))
    assert served is not None
    net.command("hss", EndRegistration(before, served))
    return start


FLOWS: dict[str, tuple[Flow, tuple[EnbConfig, ...]]] = {
    flow.__name__: (flow, (EnbConfig(),)) for flow in (cx_registration, cx_refused, cx_pushed)}
