# SPDX-License-Identifier: Apache-2.0
"""GUTI reallocation by command (TS 24.301, 5.4.1)."""


import pytest
from network import Network
from update_flows import IMSI, PHONE, is_registered

from dialtone.ids import Guti
from dialtone.mme.guti_reallocation import ReallocateGuti
from dialtone.sim.service import ServiceCommand
from dialtone.sim.states import EmmState


@pytest.mark.parametrize("connected", [True, False])
def test_a_new_guti_by_command(net: Network, connected: bool) -> None:
    phone = net.attach()
    old = phone.guti
    if not connected:
        net.idle()
    net.command("mme", ReallocateGuti(IMSI), 2)
    assert len(net.sent("Paging")) == (not connected)
    assert phone.guti != old
    assert net.verdicts()[-1] == f"ok: the phone is {phone.guti} now"
    is_registered(net, connected=True)
    assert isinstance(phone.guti, Guti)
    net.idle()
    net.command(PHONE, ServiceCommand())
    is_registered(net, connected=True)


def test_a_new_guti_that_the_phone_never_confirms(net: Network) -> None:
    net.attach()
    net.fault("silent")
    net.command("mme", ReallocateGuti(IMSI), 31)
    assert len(net.sent("GUTI reallocation command")) == 5
    assert "both are valid" in net.verdicts()[-1]
    assert net.core.mme.by_imsi[IMSI].emm == EmmState.REGISTERED


def test_a_new_guti_for_a_phone_that_is_away(idle: Network) -> None:
    idle.fault("silent")
    idle.command("mme", ReallocateGuti(IMSI), 17)
    assert "could not be reached" in idle.verdicts()[-1]
    idle.command("mme", ReallocateGuti("001010000000099"))
    idle.fault(None)
    is_registered(idle, connected=False)
