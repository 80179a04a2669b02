# SPDX-License-Identifier: Apache-2.0
"""An S1 handover between two eNBs of the test's own hand, and what its tests share."""

from dataclasses import dataclass
from typing import Any

from network import Network, imsi_of
from probe import HOME, TAI, Probe

from dialtone.codec import s1ap
from dialtone.codec.s1ap.causes import Cause
from dialtone.ids import Ecgi, Tai
from dialtone.mme.context import Ue
from dialtone.mme.states import EcmState

IMSI = imsi_of(1)
SOURCE, TARGET = bytes((127, 0, 0, 2)), bytes((127, 0, 0, 9))
FORWARD = 0x9F5
CONTAINER = s1ap.encode_container(s1ap.SourceToTarget(
    rrc_container=bytes(2), target_cell_id=Ecgi(HOME, 0x99901),
    ue_history_information=(s1ap.VisitedCell("e-UTRAN-Cell", s1ap.LastVisitedEUTRANCell(
        Ecgi(HOME, 0x10101), s1ap.CellType(s1ap.CellSize.SMALL), 7)),)))
BACK = s1ap.encode_container(s1ap.TargetToSource(bytes(15)))
STATUS = s1ap.encode_container(s1ap.StatusTransfer((s1ap.BearerStatus(
    5, s1ap.CountValue(1, 0), s1ap.CountValue(2, 0)),)))
WHY = Cause.of("radioNetwork", "handover-desirable-for-radio-reason")


@dataclass
class Handover:
    """A phone at `source`, which is to go to `target`."""

    net: Network
    ue: Ue
    source: Probe
    target: Probe

    @property
    def at_source(self) -> dict[str, int]:
        return {"mme_ue_s1ap_id": self.number, "enb_ue_s1ap_id": self.enb_id}

    @property
    def at_target(self) -> dict[str, int]:
        return {"mme_ue_s1ap_id": self.target.last(s1ap.HandoverRequest).mme_ue_s1ap_id, "enb_ue_s1ap_id": 88}

    def __post_init__(self) -> None:
        self.number, self.enb_id = self.ue.number, self.ue.enb_ue_s1ap_id

    def require(self, enb_id: int = 0x999, tai: Tai = TAI, **changes: Any) -> None:
        self.source.tell(s1ap.HandoverRequired(**{
            **self.at_source, "handover_type": s1ap.HandoverType.INTRALTE, "cause": WHY,
            "target_id": s1ap.TargetID("targeteNB-ID", s1ap.TargetENBID(
                s1ap.GlobalENBID(HOME, s1ap.ENBID("macroENB-ID", enb_id)), tai)),
            "source_to_target_transparent_container": CONTAINER, **changes}))

    def acknowledge(self, *, ebi: int = 5, forward: int | None = None) -> None:
        item = s1ap.ERABAdmittedItem(ebi, TARGET, 0x905, TARGET if forward else None, forward)
        self.target.tell(s1ap.HandoverRequestAcknowledge(
            **self.at_target, e_rab_admitted_list=(item,), target_to_source_transparent_container=BACK))

    def notify(self) -> None:
        self.target.tell(s1ap.HandoverNotify(**self.at_target, eutran_cgi=Ecgi(HOME, 0x99901), tai=TAI))

    def downlink(self) -> tuple[Any, int]:
        (bearer,) = self.net.forwarder.bearers.values()
        return bearer.to, bearer.remote_teid


def stays(handover: Handover, cause: str) -> None:
    """The phone stays at the source, which is told why, and nothing is left at the target."""
    failure = handover.source.last(s1ap.HandoverPreparationFailure)
    assert failure.cause == Cause.of("radioNetwork", cause)
    assert (failure.mme_ue_s1ap_id, failure.enb_ue_s1ap_id) == (handover.number, handover.enb_id)
    assert (handover.ue.enb.peer, handover.ue.ecm, handover.ue.handover) == ("enb1", EcmState.CONNECTED, None)


def nothing_at_the_target(handover: Handover) -> None:
    assert not handover.net.core.mme.enbs["probe"].ues
    assert list(handover.net.core.mme.ues.values()) == [handover.ue]
