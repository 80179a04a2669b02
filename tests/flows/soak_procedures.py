# SPDX-License-Identifier: Apache-2.0
"""What happens in the soak: a function for each procedure, with its weight beside the others."""

from dataclasses import replace

from esm_flows import CALL, VIDEO
from moments import nas_messages, s1ap_messages
from nas_samples import SERVICE_REQUEST
from probe import HOME
from rx_peer import audio, video

from dialtone.codec import cbs
from dialtone.codec.diameter import FlowStatus, SessionTerminationRequest
from dialtone.codec.nas.bitrates import EpsQos
from dialtone.codec.s1ap import EventType
from dialtone.effects import PeerDown, PeerUp
from dialtone.hss.cancel_location import Withdraw
from dialtone.hss.reset import Reset
from dialtone.hss.subscriber_data import SubscriptionChanged
from dialtone.hss.writes import PutProfile
from dialtone.ids import Plmn
from dialtone.mme import pdn_disconnect
from dialtone.mme.detach import DetachUe
from dialtone.mme.guti_reallocation import ReallocateGuti
from dialtone.mme.location_reporting import LocateUe
from dialtone.mme.mme_configuration import SetCapacity
from dialtone.mme.reset import ResetEnb
from dialtone.mme.warning import SendWarning, StopWarning
from dialtone.pgw.policy import InstallRules, RemoveRules
from dialtone.sim.air import RadioLost
from dialtone.sim.attach import AttachAnew, AttachCommand
from dialtone.sim.configuration import UpdateCommand
from dialtone.sim.detach import DetachCommand
from dialtone.sim.handover import CancelHandover
from dialtone.sim.moving import HandOver, Neighbour
from dialtone.sim.pdn import ClosePdn, OpenPdn
from dialtone.sim.phone import Phone
from dialtone.sim.power import BreakCommand, MoveCommand, PowerCycle
from dialtone.sim.reset import ResetCommand
from dialtone.sim.resource import AskForBearer, drop
from dialtone.sim.service import ServiceCommand
from dialtone.sim.tracking import AreaUpdateCommand
from dialtone.sim.ue_context import InactivityCommand
from soak import PROCEDURES, Soak, inject, procedure

__all__ = ["PROCEDURES", "Soak"]

FAULTS = (*[None] * 12, "sqn_stale", "sqn_far", "wrong_mac", "replay", "no_context", "garbage", "unknown_guti",
          "silent", "silent_after:Authentication response", "silent_after:Security mode complete", "wrong_k",
          "wrong_apn")


@procedure(30)
def attach(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.name, AttachCommand())


@procedure(6)
def detach(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.name, DetachCommand(soak.rng.random() < 0.3))


@procedure(3)
def attach_anew(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.name, AttachAnew())


@procedure(5)
def power_cycle(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.name, PowerCycle())


@procedure(8)
def service_request(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.name, ServiceCommand(extended=soak.rng.random() < 0.2))


@procedure(8)
def tracking_area_update(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.name, AreaUpdateCommand())


@procedure(12)
def go_idle(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.cell.enb, InactivityCommand(phone.name))


@procedure(6)
def radio_lost(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.cell.enb, RadioLost(phone.name))


@procedure(10)
def downlink_data(soak: Soak, phone: Phone) -> None:
    """A packet for it, which may have to be paged for."""
    for bearer in list(soak.net.forwarder.bearers.values()):
        if bearer.imsi == phone.imsi:
            soak.net.downlink(bytes.fromhex("4500001c00000000401100000808080a") + bearer.ue[:4] + bytes(8))
            return


@procedure(6)
def move(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.name, MoveCommand(soak.rng.choice(soak.net.enbs).cell))


@procedure(14)
def hand_over(soak: Soak, phone: Phone) -> None:
    """By X2 or S1, with or without forwarding, to any cell, the phone's own among them."""
    target = soak.rng.choice(soak.net.enbs)
    target.full = soak.rng.random() < 0.1
    soak.net.loop.tell(phone.cell.enb, HandOver(
        phone.name, Neighbour(target.name, target.config), s1=soak.rng.random() < 0.6,
        forward=soak.rng.random() < 0.7, direct=soak.rng.random() < 0.5))


@procedure(4)
def cancel_handover(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.cell.enb, CancelHandover(phone.name))


@procedure(4)
def locate(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell("mme", LocateUe(phone.imsi, soak.rng.choice(list(EventType))))


@procedure(4)
def reset_by_mme(soak: Soak, phone: Phone) -> None:
    """All phones of an eNB, or one."""
    one = (phone.imsi,) if soak.rng.random() < 0.7 else ()
    soak.net.loop.tell("mme", ResetEnb(phone.cell.enb, one))


@procedure(4)
def warn(soak: Soak, phone: Phone) -> None:
    """A warning comes, or goes."""
    event = SendWarning(4380, cbs.encode("soak"), broadcasts=3) if soak.rng.random() < 0.5 else StopWarning(4380)
    soak.net.loop.tell("mme", event)


@procedure(4)
def capacity(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell("mme", SetCapacity(soak.rng.randrange(256)))


@procedure(10)
def pdn(soak: Soak, phone: Phone) -> None:
    """Another PDN connection, or one less: by the phone or by the network."""
    event = soak.rng.choice((OpenPdn("ims"), OpenPdn("internet", later=True), OpenPdn("nowhere"), ClosePdn("ims")))
    if soak.rng.random() < 0.2:
        soak.net.loop.tell("mme", pdn_disconnect.ClosePdn(phone.imsi, "ims"))
    else:
        soak.net.loop.tell(phone.name, event)


@procedure(8)
def dedicated_bearer(soak: Soak, phone: Phone) -> None:
    """The policy gives a bearer, changes it, or takes it away."""
    apn, kilobits = soak.rng.choice(("internet", "ims")), soak.rng.choice((80, 160))
    rule = replace(CALL, mbr=(kilobits, kilobits), gbr=(kilobits, kilobits))
    given = soak.rng.random() < 0.7
    install, remove = InstallRules(phone.imsi, apn, (rule,)), RemoveRules(phone.imsi, apn, (rule.name,))
    soak.net.loop.tell("pgw", install if given else remove)


@procedure(6)
def bearer_of_the_phone(soak: Soak, phone: Phone) -> None:
    """An application in it wants a bearer, or is through with one."""
    wanted = AskForBearer(soak.rng.choice(("internet", "ims")), EpsQos.of(2, 384, 384, 384, 384), (VIDEO,))
    soak.net.loop.tell(phone.name, soak.rng.choice((wanted, drop(soak.rng.randint(5, 8), 1))))


@procedure(12)
def call(soak: Soak, phone: Phone) -> None:
    """A call of it begins, changes, is held, or ends; the AF may be silent, or have forgotten it."""
    af, rng = soak.af, soak.rng
    af.answers = rng.choice((2001, 2001, 2001, None, 5002))
    sessions = soak.net.core.pgw.sessions_of(phone.imsi)
    name = f"call {phone.imsi} {rng.randrange(2)}"
    if not sessions or rng.random() < 0.4:
        soak.calls.discard(name)
        af.post(SessionTerminationRequest, session_id=name, termination_cause=1)
        return
    port = 49120 + 10 * rng.randrange(3)
    media = [audio(port=port, far_port=50000 + rng.randrange(2), kbit=rng.choice((41, 90)),
                   flow_status=rng.choice((FlowStatus.ENABLED, FlowStatus.DISABLED, None)))]
    if rng.random() < 0.4:
        media.append(video(flow_status=rng.choice((FlowStatus.ENABLED, FlowStatus.REMOVED))))
    soak.calls.add(name)
    af.post_aar(*media, session_id=name, framed_ip_address=rng.choice(sessions).paa.ipv4)


@procedure(3)
def profile_push(soak: Soak, phone: Phone) -> None:
    """Another bit rate for everybody; the HSS tells of this phone."""
    before = soak.net.store.get(phone.imsi)
    assert before is not None
    rate = soak.rng.choice((5_000_000, 1_000_000_000))
    soak.net.save(PutProfile(replace(before.profile, ambr_dl=rate, ambr_ul=rate)))
    soak.net.loop.tell("hss", SubscriptionChanged(before, soak.net.store.get(phone.imsi) or before))


@procedure(2)
def withdrawal(soak: Soak, phone: Phone) -> None:
    """The HSS cancels its location (TS 29.272, 5.2.1.2)."""
    if (served := soak.net.store.registration(phone.imsi)) is not None:
        soak.net.loop.tell("hss", Withdraw(served, reattach=soak.rng.random() < 0.5))


@procedure(2)
def apn_withdrawn(soak: Soak, phone: Phone) -> None:
    """The subscription loses an APN, or has it again: Delete- and Insert-Subscriber-Data (5.2.2)."""
    before = soak.net.store.get(phone.imsi)
    assert before is not None
    apns = before.profile.apns[:1] if len(before.profile.apns) > 1 else soak.apns
    soak.net.save(PutProfile(replace(before.profile, apns=apns)))
    soak.net.loop.tell("hss", SubscriptionChanged(before, soak.net.store.get(phone.imsi) or before))


@procedure(1)
def hss_reset(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell("hss", Reset())


@procedure(3)
def guti_reallocation(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell("mme", ReallocateGuti(phone.imsi))


@procedure(2)
def enb_update(soak: Soak, phone: Phone) -> None:
    """The cell broadcasts another PLMN beside ours, or no more."""
    plmns = (HOME, Plmn("999", "70"))[:soak.rng.randint(1, 2)]
    soak.net.loop.tell(phone.cell.enb, UpdateCommand(((1, plmns),)))


@procedure(5)
def network_detach(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell("mme", DetachUe(phone.imsi, reattach=soak.rng.random() < 0.5))


@procedure(6)
def fault(soak: Soak, phone: Phone) -> None:
    """It breaks, or is mended."""
    soak.net.loop.tell(phone.name, BreakCommand(soak.rng.choice(FAULTS)))


@procedure(2)
def enb_reset(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.cell.enb, ResetCommand())


@procedure(3)
def enb_flap(soak: Soak, phone: Phone) -> None:
    """The association is gone, for one end before the other, and comes back."""
    enb = phone.cell.enb
    soak.net.loop.tell("mme", PeerDown("S1-MME", enb, "flap"))
    soak.net.run(soak.rng.choice((0.0, 0.02, 1.0)))
    soak.net.loop.tell(enb, PeerDown("S1-MME", "mme", "flap"))
    soak.net.run(soak.rng.choice((0.0, 5.0)))
    soak.net.loop.tell(enb, PeerUp("S1-MME", "mme"))


@procedure(2)
def hours(soak: Soak, phone: Phone) -> None:
    """Everybody is quiet until the periodic timers have run."""
    soak.net.run(soak.rng.choice((60.0, 4000.0)))


@procedure(12)
def stray_nas(soak: Soak, phone: Phone) -> None:
    """Any NAS message at any time, with the phone's keys or without."""
    inject(soak, phone, soak.rng.choice((*nas_messages(), SERVICE_REQUEST)))


@procedure(6)
def stray_s1ap(soak: Soak, phone: Phone) -> None:
    """Any S1AP message about a connection that is there."""
    inject(soak, phone, soak.rng.choice(s1ap_messages()))
