# SPDX-License-Identifier: Apache-2.0
"""What MME and eNBs tell each other about themselves: configuration, overload, reset, location, warnings, traces.

TS 36.413, 8.7.4 to 8.7.6, 8.7.1, 8.11, 8.12, 8.13 to 8.16, 8.10.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from network import NOTHING, Network, imsi_of, settings
from probe import HOME, TAI, Probe, attach_request
from pycrate_asn1dir import S1AP

from dialtone.codec import cbs, s1ap
from dialtone.codec.s1ap.causes import Cause
from dialtone.config import Config
from dialtone.effects import PeerDown, PeerUp
from dialtone.errors import LocalError
from dialtone.ids import Ecgi, Plmn, Tai
from dialtone.mme.location_reporting import LocateUe
from dialtone.mme.mme_configuration import SetCapacity
from dialtone.mme.overload import SetOverload
from dialtone.mme.reset import ResetEnb
from dialtone.mme.warning import SendWarning, StopWarning
from dialtone.sim.configuration import UpdateCommand
from dialtone.sim.enb import EnbConfig
from dialtone.sim.states import EmmState
from dialtone.sim.ue_context import InactivityCommand
from dialtone.sim.warning import CellRestart

Make = Callable[..., Network]
IMSI = imsi_of(1)
TWO_ENBS = (EnbConfig(), EnbConfig(enb_id=0x102, enb_name="sim-enb2", areas=((2, (HOME,)),)))
TWO_AREAS = settings(tac=(1, 2))


def busy(limit: int) -> Config:
    config = Config()
    return replace(config, s1=replace(config.s1, overload=limit))


# ---- configuration ---------------------------------------------------------------------------------------


def test_an_enb_moves_to_another_area_and_its_phones_stay(make_network: Make) -> None:
    net = make_network(config=TWO_AREAS)
    net.attach()
    net.command("enb1", UpdateCommand(((2, (HOME,)),)))
    assert net.core.mme.enbs["enb1"].tais == (Tai(HOME, 2),)
    assert net.enbs[0].config.tai == Tai(HOME, 2)
    assert net.core.mme.by_imsi[IMSI].ecm == "ECM-CONNECTED"
    assert net.verdicts()[-1] == "ok: sim-enb1 serves 001/01 TAC 2 from now on"


@pytest.mark.parametrize(("areas", "cause"), [
    (((9, (HOME,)),), "unspecified"), (((1, (Plmn("999", "70"),)),), "unknown-plmn")])
def test_areas_that_we_do_not_serve_are_refused_and_the_old_ones_hold(net: Network, areas: Any, cause: str) -> None:
    net.command("enb1", UpdateCommand(areas))
    failure = s1ap.decode(net.sent("ENBConfigurationUpdateFailure")[0].data)
    assert failure.cause == Cause.of("misc", cause)
    assert net.core.mme.enbs["enb1"].tais == (TAI,)
    assert net.enbs[0].config.tai == TAI
    assert "we serve PLMN 001/01 TAC 1" in net.verdicts()[-1]
    assert net.attach().emm == EmmState.REGISTERED


def test_an_update_of_the_name_alone_changes_nothing_else(net: Network) -> None:
    probe = Probe(net)
    probe.tell(s1ap.ENBConfigurationUpdate(enb_name="roof"))
    assert probe.names == ["ENBConfigurationUpdateAcknowledge"]
    assert (net.core.mme.enbs["probe"].name, net.core.mme.enbs["probe"].tais) == ("roof", (TAI,))


def test_our_relative_capacity_is_told_to_every_enb(make_network: Make) -> None:
    net = make_network(config=TWO_AREAS, enbs=TWO_ENBS)
    probe = Probe(net)
    net.command("mme", SetCapacity(7))
    assert [enb.mme_capacity for enb in net.enbs] == [7, 7]
    assert probe.last(s1ap.MMEConfigurationUpdate).relative_mme_capacity == 7
    probe.tell(s1ap.MMEConfigurationUpdateFailure(cause=Cause.of("misc", "unspecified")))
    assert net.verdicts()[-3:] == ["ok: sim-enb1 has taken note", "ok: sim-enb2 has taken note",
                                   "failed: probe refuses it: misc: unspecified (4)"]
    late = Probe(net, "late", 0x77, setup=False)
    late.tell(s1ap.S1SetupRequest(
        global_enb_id=s1ap.GlobalENBID(HOME, s1ap.ENBID("macroENB-ID", 0x77)),
        supported_tas=(s1ap.SupportedTAsItem(1, (HOME,)),), default_paging_drx=0))
    assert late.last(s1ap.S1SetupResponse).relative_mme_capacity == 7


# ---- transfers -------------------------------------------------------------------------------------------


def son_transfer(enb_id: int) -> bytes:
    """A request for the X2 address of an eNB, as pycrate makes it."""
    def enb(number: int) -> dict[str, Any]:
        return {"global-ENB-ID": {"pLMNidentity": HOME.to_bytes(), "eNB-ID": ("macroENB-ID", (number, 20))},
                "selected-TAI": {"pLMNidentity": HOME.to_bytes(), "tAC": b"\0\1"}}

    their = S1AP.S1AP_IEs.SONConfigurationTransfer
    their.set_val({"targeteNB-ID": enb(enb_id), "sourceeNB-ID": enb(0x999),
                   "sONInformation": ("sONInformationRequest", "x2TNL-Configuration-Info")})
    octets: bytes = their.to_aper()
    return octets


def test_enbs_find_each_other_through_us(net: Network) -> None:
    probe = Probe(net)
    transfer = son_transfer(net.enbs[0].config.enb_id)
    probe.tell(s1ap.ENBConfigurationTransfer(son_configuration_transfer=transfer))
    passed = s1ap.decode(net.sent("MMEConfigurationTransfer")[0].data)
    assert passed.son_configuration_transfer == transfer
    assert net.enbs[0].counters["configuration transfer"] == 1
    assert net.verdicts()[-1] == "ok: from probe to sim-enb1"


@pytest.mark.parametrize("message", [
    s1ap.ENBConfigurationTransfer(son_configuration_transfer=son_transfer(0x7777)),
    s1ap.ENBConfigurationTransfer(en_dc_son_configuration_transfer=b"\0"),
    s1ap.ENBDirectInformationTransfer(inter_system_information_transfer_type=b"\0\0"),
])
def test_information_for_nobody_ends_here_without_an_answer(net: Network, message: Any) -> None:
    probe = Probe(net)
    probe.tell(message)
    assert probe.names == []
    assert not net.sent("MMEConfigurationTransfer")
    assert net.verdicts()[-1].startswith("failed: probe sends information for a")


def test_a_transfer_whose_target_cannot_be_read_is_an_error(net: Network) -> None:
    probe = Probe(net)
    probe.tell(s1ap.ENBConfigurationTransfer(son_configuration_transfer=b"\0"))
    assert probe.last(s1ap.ErrorIndication).cause == Cause.of("protocol", "transfer-syntax-error")


# ---- overload --------------------------------------------------------------------------------------------


def test_overload_by_command_keeps_phones_away_until_it_ends(net: Network) -> None:
    net.command("mme", SetOverload(s1ap.OverloadAction.REJECT_RRC_CR_SIGNALLING))
    assert net.attach().last == "attach failed: no connection: the network is overloaded"
    net.run(5)  # by hand: no load ends it
    late = Probe(net)
    net.command("mme", SetOverload(None))
    assert late.last(s1ap.OverloadStop) is not None
    assert net.attach().emm == EmmState.REGISTERED


def test_an_enb_that_comes_during_an_overload_is_told(net: Network) -> None:
    net.command("mme", SetOverload(s1ap.OverloadAction.REJECT_NON_EMERGENCY_MO_DT))
    probe = Probe(net, setup=False)
    probe.tell(s1ap.S1SetupRequest(
        global_enb_id=s1ap.GlobalENBID(HOME, s1ap.ENBID("macroENB-ID", 0x77)),
        supported_tas=(s1ap.SupportedTAsItem(1, (HOME,)),), default_paging_drx=0))
    assert probe.names == ["S1SetupResponse", "OverloadStart"]
    assert probe.got[1].overload_response == s1ap.OverloadAction.REJECT_NON_EMERGENCY_MO_DT
    assert net.attach().emm == EmmState.REGISTERED  # an attach is signalling, which that action lets pass


def test_too_many_at_once_are_an_overload_that_ends_by_itself(make_network: Make) -> None:
    net = make_network(4, config=busy(3))
    probe = Probe(net)
    for number in range(1, 5):
        probe.initial(attach_request(net.phones[imsi_of(number)]), number)
    assert probe.names == ["Authentication request"] * 3 + ["OverloadStart", "Authentication request"]
    net.run(3)
    assert probe.names.count("OverloadStop") == 0
    net.loop.tell("mme", PeerDown("S1-MME", "probe", "abort"))
    net.run(1)
    assert net.enbs[0].overload is None
    assert net.sent("OverloadStop")
    assert net.leaks() == NOTHING


# ---- reset by us -----------------------------------------------------------------------------------------


def test_reset_of_all_phones_of_an_enb(make_network: Make) -> None:
    net = make_network(2)
    for number in (1, 2):
        net.attach(imsi_of(number))
    net.command("mme", ResetEnb("enb1"))
    assert not net.enbs[0].ues
    assert all(ue.ecm == "ECM-IDLE" for ue in net.core.mme.ues.values())
    assert net.verdicts()[-1] == "ok: sim-enb1 has confirmed"


def test_reset_of_one_phone_leaves_the_others(make_network: Make) -> None:
    net = make_network(2)
    for number in (1, 2):
        net.attach(imsi_of(number))
    net.command("mme", ResetEnb("enb1", (IMSI,)))
    assert [ue.phone for ue in net.enbs[0].ues.values()] == [f"ue-{imsi_of(2)}"]
    assert [net.core.mme.by_imsi[imsi_of(number)].ecm for number in (1, 2)] == ["ECM-IDLE", "ECM-CONNECTED"]


def test_a_reset_that_nobody_confirms_is_repeated_twice(net: Network) -> None:
    probe = Probe(net)
    net.command("mme", ResetEnb("probe"))
    net.command("mme", ResetEnb("probe", (imsi_of(1),)))  # which is not there: nothing changes
    net.run(20)
    assert probe.names == ["Reset"] * 3
    assert net.verdicts()[-1] == "failed: probe does not confirm the Reset"
    net.command("mme", ResetEnb("probe"))
    net.loop.tell("mme", PeerDown("S1-MME", "probe", "abort"))
    net.run(1)
    assert net.leaks() == NOTHING
    net.command("mme", ResetEnb("probe"))  # of an eNB that is not there


def test_an_enb_restarted_behind_our_back_takes_the_place_of_its_old_self(net: Network) -> None:
    """The same identity from the same address: the contexts of before are gone (8.7.3.1)."""
    old = Probe(net, "10.0.1.20:36412", 0x55)
    old.initial(attach_request(net.phones[IMSI]))
    Probe(net, "10.0.1.20:40000", 0x55)
    assert list(net.core.mme.enbs) == ["enb1", "10.0.1.20:40000"]
    assert not net.core.mme.ues
    old.tell(s1ap.UplinkNASTransport(mme_ue_s1ap_id=1, enb_ue_s1ap_id=1, nas_pdu=b"\x07\x41",
                                     eutran_cgi=Ecgi(HOME, 1), tai=TAI))
    assert old.last(s1ap.ErrorIndication).cause == Cause.of("protocol", "message-not-compatible-with-receiver-state")
    net.loop.tell("mme", PeerDown("S1-MME", "10.0.1.20:36412", "lost"))  # SCTP has noticed at last
    net.run()
    assert len(net.core.mme.enbs) == 2


def test_the_same_identity_from_another_address_is_a_twin(net: Network) -> None:
    old = Probe(net, "10.0.1.20:36412", 0x55)
    old.initial(attach_request(net.phones[IMSI]))
    Probe(net, "10.0.1.21:36412", 0x55)
    assert len(net.core.mme.enbs) == 3
    assert len(net.core.mme.ues) == 1
    assert "give each an id of its own" in net.verdicts()[-1]


# ---- location --------------------------------------------------------------------------------------------


def test_an_enb_is_asked_for_the_cell_of_a_phone(net: Network) -> None:
    net.attach()
    net.command("mme", LocateUe(IMSI))
    assert net.verdicts()[-1] == "ok: the phone is in cell 0x0010101, 001/01 TAC 1"
    net.command("mme", LocateUe(IMSI, s1ap.EventType.CHANGE_OF_SERVE_CELL))
    (ue,) = net.enbs[0].ues.values()
    assert ue.reporting is not None
    net.command("mme", LocateUe(IMSI, s1ap.EventType.STOP_CHANGE_OF_SERVE_CELL))
    assert ue.reporting is None


def test_the_cell_of_an_idle_phone_is_the_last_one(net: Network) -> None:
    net.command("mme", LocateUe(IMSI))  # never seen: nothing happens
    net.attach()
    net.command("enb1", InactivityCommand(f"ue-{IMSI}"))
    net.command("mme", LocateUe(IMSI))
    assert not net.sent("LocationReportingControl")
    assert "last seen in cell 0x0010101" in net.verdicts()[-1]


def test_an_enb_that_cannot_locate(net: Network) -> None:
    net.attach()
    (ue,) = net.enbs[0].ues.values()
    ue.lost = True
    net.command("mme", LocateUe(IMSI))
    assert net.verdicts()[-1] == "failed: the eNB cannot report the phone's cell: radioNetwork: unspecified (0)"


# ---- warnings --------------------------------------------------------------------------------------------


def test_a_warning_is_shown_once_and_stopped(make_network: Make) -> None:
    net = make_network(config=TWO_AREAS, enbs=TWO_ENBS)
    phone = net.attach()
    net.command("mme", SendWarning(4380, cbs.encode("This is a test"), period=2), 7)
    assert list(phone.warnings.values()) == ["This is a test"]
    assert [enb.warnings[4380, 0x4010].done for enb in net.enbs] == [4, 4]
    assert net.verdicts()[-2:] == ["ok: sim-enb1 broadcasts message 4380 (1 cells)",
                                   "ok: sim-enb2 broadcasts message 4380 (1 cells)"]
    net.command("mme", StopWarning(4380))
    killed = s1ap.decode(net.sent("KillResponse", "enb1")[0].data)
    assert killed.broadcast_cancelled_area_list.areas[0].number_of_broadcasts == 4
    assert not any(enb.warnings for enb in net.enbs)
    net.command("mme", StopWarning(4380))  # there is none
    assert len(net.sent("KillRequest")) == 2


def test_a_second_text_replaces_the_first(net: Network) -> None:
    phone = net.attach()
    for text in ("first", "zweite Probe: ÄÖ€"):
        net.command("mme", SendWarning(4380, cbs.encode(text)))
    assert list(phone.warnings.values()) == ["first", "zweite Probe: ÄÖ€"]
    assert list(net.enbs[0].warnings) == [(4380, 0x4020)]


def test_a_warning_for_one_area_goes_to_its_enbs_only(make_network: Make) -> None:
    net = make_network(config=TWO_AREAS, enbs=TWO_ENBS)
    net.command("mme", SendWarning(4380, cbs.encode("x"), broadcasts=2, tacs=(2,)), 1)
    assert [event.dst for event in net.sent("WriteReplaceWarningRequest")] == ["enb2"]
    assert net.verdicts()[-1] == "ok: sim-enb2 broadcasts message 4380 (1 tracking areas)"
    net.run(20)  # both broadcasts are over
    net.command("mme", StopWarning(4380))
    assert net.verdicts()[-1] == "ok: message 4380 at sim-enb2: was not broadcast any longer"


def test_cells_that_restart_get_the_warning_again(net: Network) -> None:
    net.command("mme", SendWarning(4380, cbs.encode("x")))
    net.command("enb1", CellRestart())
    assert list(net.enbs[0].warnings) == [(4380, 0x4010)]
    assert len(net.sent("WriteReplaceWarningRequest")) == 2
    assert "ok: sim-enb1 restarted: 1 warnings are sent again" in net.verdicts()


def test_an_enb_that_comes_later_hears_of_the_warning(net: Network) -> None:
    net.command("mme", SendWarning(4380, cbs.encode("x")))
    net.lose_s1()
    net.loop.tell("enb1", PeerUp("S1-MME", "mme"))
    net.run(1)
    assert list(net.enbs[0].warnings) == [(4380, 0x4010)]
    assert len(net.sent("WriteReplaceWarningRequest")) == 2


def test_cells_that_cannot_warn(net: Network) -> None:
    probe = Probe(net)
    net.command("mme", SendWarning(4380, cbs.encode("x")))
    probe.tell(s1ap.WriteReplaceWarningResponse(message_identifier=4380, serial_number=0x4010))
    assert net.verdicts()[-1] == "failed: probe broadcasts message 4380 in no cell"
    probe.tell(s1ap.PWSFailureIndication(pws_failed_ecgi_list=(Ecgi(HOME, 0x99901),),
                                         global_enb_id=s1ap.GlobalENBID(HOME, s1ap.ENBID("macroENB-ID", 0x999))))
    assert net.verdicts()[-1] == "failed: probe cannot broadcast warnings in cells 0x0099901"


# ---- commands --------------------------------------------------------------------------------------------


def asked(net: Network, name: str, **args: Any) -> Any:
    """What the control socket answers."""
    answer = net.commands.table()[name](args)
    net.run(1)
    return answer


def test_the_commands_do_what_they_say(net: Network) -> None:
    phone = net.attach()
    asked(net, "warning.send", text="Test", tacs=[1])
    assert asked(net, "warnings") == [{"identifier": 4380, "serial": 0x4010, "period": 5, "text": "Test"}]
    assert list(phone.warnings.values()) == ["Test"]
    asked(net, "warning.stop")
    asked(net, "enb.capacity", capacity=3)
    assert net.enbs[0].mme_capacity == 3
    asked(net, "ue.locate", imsi=IMSI, follow=True)
    assert next(iter(net.enbs[0].ues.values())).reporting is not None
    asked(net, "ue.locate", imsi=IMSI, stop=True)
    asked(net, "enb.overload", action="reject-non-emergency-mo-dt")
    assert net.enbs[0].overload == s1ap.OverloadAction.REJECT_NON_EMERGENCY_MO_DT
    asked(net, "enb.overload")
    asked(net, "enb.reset", enb="sim-enb1", imsis=[IMSI])
    assert net.core.mme.by_imsi[IMSI].ecm == "ECM-IDLE"


@pytest.mark.parametrize(("name", "args", "why"), [
    ("warning.send", {"text": ""}, "characters"), ("warning.send", {"text": "x", "period": 5000}, "no period"),
    ("warning.send", {"text": "x", "identifier": "4380"}, "no message identifier"),
    ("warning.stop", {}, "is broadcast"), ("enb.capacity", {"capacity": 256}, "no relative capacity"),
    ("enb.overload", {"action": "panic"}, "no overload action"), ("enb.reset", {"enb": "x"}, "no eNB"),
    ("ue.locate", {"imsi": "1"}, "not registered"),
])
def test_commands_that_cannot_be_say_why(net: Network, name: str, args: Any, why: str) -> None:
    with pytest.raises(LocalError, match=why):
        asked(net, name, **args)


# ---- traces ----------------------------------------------------------------------------------------------


def test_an_enb_that_traces_a_cell_is_told_nothing(net: Network) -> None:
    net.attach()
    ue = net.core.mme.by_imsi[IMSI]
    ids = {"mme_ue_s1ap_id": ue.number, "enb_ue_s1ap_id": ue.enb_ue_s1ap_id}
    for message in (
        s1ap.CellTrafficTrace(**ids, e_utran_trace_id=bytes(8), eutran_cgi=Ecgi(HOME, 1),
                              trace_collection_entity_ip_address=bytes(4)),
        s1ap.TraceFailureIndication(**ids, e_utran_trace_id=bytes(8), cause=Cause.of("misc", "unspecified")),
    ):
        net.loop.deliver("mme", "S1-MME", "enb1", s1ap.encode(message), 1)
        net.run()
    assert net.verdicts()[-2:] == ["ok: the eNB traces the cell that the phone is in; nobody is told who the phone is",
                                   "failed: the eNB does not trace the phone: misc: unspecified (4)"]
