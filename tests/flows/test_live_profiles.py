# SPDX-License-Identifier: Apache-2.0
"""A profile is changed, and what its live phones notice of it (TS 23.401, 5.3.9.2 and 5.4.2.2)."""


import pytest
from network import NOTHING, Network
from s6a_peer import IMSI, command

from dialtone.codec import gtpc, s1ap
from dialtone.errors import LocalError
from dialtone.links.memory import Weather
from dialtone.sim.pdn import OpenPdn
from dialtone.sim.service import ServiceCommand
from dialtone.sim.states import EmmState


def test_a_new_bit_rate_reaches_the_enb(net: Network) -> None:
    net.attach()
    report = command(net, "profiles.edit", name="default", ambr="5M/1M")
    assert report == {"name": "default", "changes": ["ambr: 1G/1G -> 5M/1M"], "subscribers": 1, "live": 1,
                      "written": True}
    (modified,) = net.sent("UEContextModificationRequest")
    rate = s1ap.decode(modified.data).ue_aggregate_maximum_bitrate  # type: ignore[attr-defined]
    assert (rate.dl, rate.ul) == (5_000_000, 1_000_000)
    assert net.phones[IMSI].emm == EmmState.REGISTERED


def test_an_idle_phone_has_its_new_bit_rate_when_it_comes(net: Network) -> None:
    net.attach()
    net.idle()
    command(net, "profiles.edit", name="default", ambr="5M/1M")
    assert not net.sent("UEContextModificationRequest")
    net.command(net.phones[IMSI].name, ServiceCommand())
    setup = s1ap.decode(net.sent("InitialContextSetupRequest")[-1].data)
    assert setup.ue_aggregate_maximum_bitrate.dl == 5_000_000  # type: ignore[attr-defined]


def test_a_dry_run_tells_and_changes_nobody(net: Network) -> None:
    net.attach()
    report = command(net, "profiles.edit", name="default", ambr="5M/1M", dry_run=True)
    assert (report["live"], report["written"]) == (1, False)
    assert not net.sent("3GPP-Insert-Subscriber-Data Request", "hss")
    assert net.store.profiles()["default"].ambr_dl == 1_000_000_000


def test_an_undo_is_pushed_too(net: Network) -> None:
    net.attach()
    command(net, "profiles.edit", name="default", ambr="5M/1M")
    assert command(net, "profiles.undo", name="default")["changes"] == ["ambr: 5M/1M -> 1G/1G"]
    assert len(net.sent("3GPP-Insert-Subscriber-Data Request", "hss")) == 2
    assert net.core.mme.by_imsi[IMSI].subscription.ambr.max_requested_bandwidth_dl == 10**9  # type: ignore[union-attr]


def test_a_withdrawn_apn_ends_that_connection_alone(net: Network) -> None:
    phone = net.attach()
    net.command(phone.name, OpenPdn("ims"))
    assert set(net.core.mme.by_imsi[IMSI].pdns) == {"internet", "ims"}
    command(net, "profiles.edit", name="default", drop=["ims"])
    assert len(net.sent("3GPP-Delete-Subscriber-Data Request", "hss")) == 1
    assert set(net.core.mme.by_imsi[IMSI].pdns) == {"internet"}
    assert phone.emm == EmmState.REGISTERED


def test_the_only_apn_of_the_phone_withdrawn(net: Network) -> None:
    phone = net.attach()
    command(net, "profiles.edit", name="default", drop=["internet"])
    net.run(1.0)
    assert len(net.sent("3GPP-Insert-Subscriber-Data Request", "hss")) == 1, "ims is the default APN first"
    assert phone.emm == EmmState.REGISTERED, "it attached anew"
    assert set(net.core.mme.by_imsi[IMSI].pdns) == {"ims"}


def test_restricted_by_profile_and_allowed_again(net: Network) -> None:
    phone = net.attach()
    command(net, "profiles.edit", name="default", restrict="e-utran")
    assert phone.emm == EmmState.DEREGISTERED
    assert net.leaks() == NOTHING
    command(net, "profiles.undo", name="default")
    net.attach()
    assert phone.emm == EmmState.REGISTERED


def test_what_is_no_change_of_a_profile(net: Network) -> None:
    with pytest.raises(LocalError, match="no 'colour'"):
        command(net, "profiles.edit", name="default", colour="red")
    with pytest.raises(LocalError, match="There is no profile 'gold'"):
        command(net, "profiles.get", name="gold")


def test_another_quality_of_an_apn_goes_through_the_gateway(net: Network) -> None:
    phone = net.attach()
    net.command(phone.name, OpenPdn("ims"))
    command(net, "profiles.edit", name="default", apns=["internet,qci=8,ambr=5M/1M"])
    (order,) = net.sent("Modify Bearer Command")
    (update,) = net.sent("Update Bearer Request", "pgw")
    assert gtpc.decode(order.data).sequence == gtpc.decode(update.data).sequence
    assert len(net.sent("Modify EPS bearer context request")) == 1
    pdn = net.core.mme.by_imsi[IMSI].pdns["internet"]
    assert (pdn.bearers[pdn.ebi].qci, pdn.ambr) == (8, (5000, 1000))
    session = net.core.pgw.sessions[IMSI, "internet"]
    assert (session.bearers[pdn.ebi].qci, session.ambr.downlink, session.ambr.uplink) == (8, 5000, 1000)
    assert net.forwarder.bearers[session.bearers[pdn.ebi].teid].qci == 8
    assert phone.emm == EmmState.REGISTERED
    assert any("internet has its new subscribed quality" in text for text in net.verdicts("pgw"))


def test_the_ambr_of_an_apn_alone(net: Network) -> None:
    net.attach()
    command(net, "profiles.edit", name="default", apns=["internet,ambr=5M/1M"])
    assert gtpc.decode(net.sent("Modify Bearer Command")[0].data).bearer_context.bearer_qos is None  # type: ignore[attr-defined]
    assert net.core.pgw.sessions[IMSI, "internet"].ambr.downlink == 5000
    assert len(net.sent("UEContextModificationRequest")) == 1


def test_an_idle_phone_is_called_for_its_new_quality(net: Network) -> None:
    net.attach()
    net.idle()
    command(net, "profiles.edit", name="default", apns=["internet,qci=8"])
    net.run(3.0)
    assert net.sent("Paging")
    pdn = net.core.mme.by_imsi[IMSI].pdns["internet"]
    assert pdn.bearers[pdn.ebi].qci == 8


def test_a_gateway_that_does_not_know_the_connection(net: Network) -> None:
    net.attach()
    pdn = net.core.mme.by_imsi[IMSI].pdns["internet"]
    pdn.s11_teid += 999
    command(net, "profiles.edit", name="default", apns=["internet,qci=8"])
    pdn.s11_teid -= 999
    assert len(net.sent("Modify Bearer Failure Indication", "pgw")) == 1
    assert any("internet keeps its quality: the gateway refused with GTP cause 64" in text for text in net.verdicts())
    assert pdn.bearers[pdn.ebi].qci == 9


def test_a_gateway_that_is_silent_about_a_new_quality(net: Network) -> None:
    net.attach()
    net.link("S11").weather = Weather(seed=1, loss=1.0)
    command(net, "profiles.edit", name="default", apns=["internet,qci=8"])
    net.run(60.0)
    net.link("S11").weather = None
    assert any("internet keeps its quality: the gateway does not answer" in text for text in net.verdicts())
