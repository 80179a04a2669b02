# SPDX-License-Identifier: Apache-2.0
"""Faults that a phone can be told to have, each one a mistake that is made in the field or an attack.

`Faults.named("wrong_k")` gives the one of that name; faults of the eNB (a foreign PLMN or TAC) are its
configuration.
"""

from dataclasses import dataclass, fields

from dialtone.crypto.aka import AuthenticationFunctions
from dialtone.crypto.milenage import derive_opc
from dialtone.crypto.sqn import DELTA
from dialtone.crypto.tuak import derive_topc
from dialtone.errors import LocalError
from dialtone.sim.usim import Usim

FOREIGN_IMSI_TAIL = "9999999999"


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with a phone; nothing by default."""

    wrong_k: bool = False
    """The card holds another K than the HSS."""
    op_as_opc: bool = False
    """The HSS was given the operator's OP where its OPc belongs: the card's OPc is derived from that."""
    sqn_stale: bool = False
    """The HSS is behind the card (restored from an old copy): its next SQN was used already."""
    sqn_far: bool = False
    """The card takes the HSS's SQN for one that is too far ahead, and asks for a resynchronisation."""
    wrong_auts: bool = False
    """As sqn_stale, and the MAC-S in AUTS is wrong."""
    wrong_res: bool = False
    """The answer to the challenge is wrong."""
    unknown_imsi: bool = False
    """The phone has an IMSI that nobody provisioned."""
    unknown_guti: bool = False
    """The phone comes with a GUTI that the network has never given."""
    wrong_apn: bool = False
    """The phone asks for an APN that it has no subscription to."""
    wrong_mac: bool = False
    """Every protected message of the phone has a wrong MAC."""
    replay: bool = False
    """The eNB sends every NAS message of the phone twice, octet by octet the same."""
    weak_capabilities: bool = False
    """The phone offers null integrity and null ciphering only."""
    bidding_down: bool = False
    """The phone believes it offered more than arrived, as if somebody had changed its capabilities."""
    altered_request: bool = False
    """The phone believes its attach request was another one: HASH_MME does not match."""
    wrong_kenb: bool = False
    """The phone derives another K_eNB than the network."""
    garbage: bool = False
    """The phone's attach request is cut short."""
    no_context: bool = False
    """The radio interface fails at every context setup."""
    volte_off: bool = False
    """VoLTE is switched off in the phone's settings: calls in 2G and 3G only."""
    no_ims_pdn: bool = False
    """The phone never asks for the IMS connection, though it could."""
    ims_as_default: bool = False
    """Somebody has written the IMS APN where the APN for the Internet belongs."""
    no_sip: bool = False
    """The IMS client says nothing, though its connection stands."""
    silent_after_401: bool = False
    """The IMS client does not answer the challenge."""
    no_security_client: bool = False
    """The IMS client offers no IPsec."""
    wrong_security_verify: bool = False
    """Security-Verify is not what the network said in Security-Server."""
    wrong_ipsec_key: bool = False
    """The phone derives other keys for its SAs than the network."""
    no_smsip: bool = False
    """The contact does not say that it takes short messages."""
    no_rp_ack: bool = False
    """The phone takes a short message and does not say so to the service centre."""
    stuck_at_183: bool = False
    """The phone never sees its voice bearer, and never goes on with a call."""
    no_cp_ack: bool = False
    """The phone does not confirm texts (CP-DATA), and does not take them."""
    wrong_rp_reference: bool = False
    """The phone's RP-ACK names another text than the one that came."""
    silent: bool = False
    """The phone hears nothing and sends nothing more, from now on."""
    silent_after: str = ""
    """The phone goes silent once it has sent the message of this name (`Authentication response`)."""

    @classmethod
    def named(cls, name: str | None) -> "Faults":
        """The fault called `name`, or `silent_after:<message name>`; None for none.

        Raises LocalError for a name that does not exist.
        """
        if not name:
            return cls()
        word, _, value = name.partition(":")
        kinds = {f.name: f.type for f in fields(cls)}
        if word not in kinds:
            raise LocalError(f"There is no fault {word!r}.", remedy=f"The faults are: {', '.join(kinds)}.")
        if word == "silent_after":
            return cls(silent_after=value or "Attach request")
        fault = cls()
        object.__setattr__(fault, word, True)
        return fault

    def functions(self, usim: Usim) -> AuthenticationFunctions | None:
        """The keys to use in place of the card's, None for its own."""
        if self.wrong_k:
            return usim.functions(k=bytes(octet ^ 0xFF for octet in usim.k))
        if self.op_as_opc:
            derive = derive_topc if usim.algorithm == "tuak" else derive_opc
            return usim.functions(opc=derive(usim.k, usim.opc))
        return None

    def imsi(self, usim: Usim) -> str:
        """The IMSI that the phone gives."""
        if not self.unknown_imsi:
            return usim.imsi
        plmn = usim.imsi[: 3 + usim.mnc_digits]
        return plmn + FOREIGN_IMSI_TAIL[: 15 - len(plmn)]

    def prepare(self, usim: Usim) -> None:
        """Bring the card's sequence numbers to where the fault wants them."""
        if self.sqn_stale or self.wrong_auts:
            usim.seq_ms = [max(usim.seq_ms) + 1_000_000] * len(usim.seq_ms)
        usim.delta = -1 if self.sqn_far else DELTA  # -1: whatever comes first is too far ahead

    def resynchronised(self, usim: Usim) -> None:
        """The card has asked for a resynchronisation: what follows is in range."""
        usim.delta = DELTA
