# SPDX-License-Identifier: Apache-2.0
"""Emergency attach by policy: refused cleanly, or with the emergency PDN (TS 23.401, 4.3.12; TS 24.301, 5.5.1)."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from network import NOTHING, Network, imsi_of, settings

from dialtone.codec import nas, s1ap
from dialtone.codec.s1ap.bearers import AllocationAndRetentionPriority
from dialtone.config import EMERGENCY_APN, EMERGENCY_POOL, Apn, Config, load
from dialtone.sim import attach
from dialtone.sim.phone import Handset
from dialtone.sim.states import EmmState
from dialtone.sim.tracking import AreaUpdateCommand

IN_NEED = Handset(retries=False, emergency=True)


def desk() -> Config:
    config = settings(emergency="desk")
    return replace(config, apn={**config.apn, EMERGENCY_APN: Apn(pool=EMERGENCY_POOL, qci=5)})


def test_the_policy_brings_its_apn(tmp_path: Path) -> None:
    assert EMERGENCY_APN not in load().apn
    file = tmp_path / "dialtone.toml"
    file.write_text('[network]\nemergency = "desk"\n')
    assert load([file]).apn[EMERGENCY_APN].pool == EMERGENCY_POOL
    file.write_text('[network]\nemergency = "desk"\n[apn.sos]\npool = "10.48.0.0/16"\n')
    assert str(load([file]).apn[EMERGENCY_APN].pool) == "10.48.0.0/16"


def test_off_is_said_and_refused(make_network: Callable[..., Network]) -> None:
    net = make_network(handset=IN_NEED)
    phone = net.attach()
    assert phone.emm == EmmState.DEREGISTERED
    reject: Any = net.nas("Attach reject")
    assert reject.emm_cause == 17  # nothing that would bar the SIM
    assert phone.usim_invalid is None
    assert net.leaks() == NOTHING
    net.add_subscriber(imsi_of(2))
    other = net.add_phone(imsi_of(2), Handset(retries=False))
    net.attach(imsi_of(2))
    assert (other.ims_vops, other.emc_bs) == (True, False)


def test_a_phone_in_need_gets_the_emergency_pdn(make_network: Callable[..., Network]) -> None:
    net = make_network(handset=IN_NEED, config=desk())
    phone = net.attach()
    assert phone.emm == EmmState.REGISTERED
    assert phone.emc_bs
    [pdn] = phone.pdns.values()
    assert (pdn.apn, pdn.qci) == (EMERGENCY_APN, 5)
    assert pdn.address in EMERGENCY_POOL
    assert pdn.p_cscf
    [setup] = [s1ap.decode(event.data) for event in net.sent("InitialContextSetupRequest")]
    [item] = setup.e_rab_to_be_setup_list  # type: ignore[union-attr]
    priority = item.e_rab_level_qos_parameters.allocation_retention_priority
    assert priority == AllocationAndRetentionPriority(1, 1, 0)  # it may pre-empt, and not be pre-empted
    net.command(f"ue-{imsi_of(1)}", AreaUpdateCommand())
    accept: Any = net.nas("Tracking area update accept")
    assert accept.eps_network_feature_support.emc_bs


def test_an_emergency_pdn_where_there_is_none(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    request = attach.request(net.phones[imsi_of(1)])
    container: Any = nas.decode(request.esm_message_container)
    container.request_type = 4
    request.esm_message_container = nas.encode(container)
    monkeypatch.setattr(attach, "request", lambda phone: request)
    net.attach()
    reject: Any = net.nas("Attach reject")
    assert reject.emm_cause == 19
    inner: Any = nas.decode(reject.esm_message_container, downlink=True)
    assert inner.esm_cause == 32
