# SPDX-License-Identifier: Apache-2.0
"""Faults that a phone can be told to have, each one a mistake that is made in the field or an attack.

`Faults.named("wrong_k")` gives the one of that name; faults of the eNB (a foreign PLMN or TAC) are its
configuration, those of the network's elements stand in tampering.py.
"""

from dataclasses import dataclass, field, fields
from typing import Any

from dialtone.crypto.aka import AuthenticationFunctions
from dialtone.crypto.milenage import derive_opc
from dialtone.crypto.sqn import DELTA
from dialtone.crypto.tuak import derive_topc
from dialtone.errors import LocalError
from dialtone.sim.usim import Usim

FOREIGN_IMSI_TAIL = "9999999999"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what it is, and the row of the diagnosis catalogue (docs/diagnosis.md) that it shows, "" for none.
    `where` it is: a phone, or an element of the network with the reference point."""

    name: str
    text: str
    row: str = ""
    where: str = "phone"


def _fault(text: str, row: str = "") -> Any:
    return field(default=False, metadata={"text": text, "row": row})


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with a phone; nothing by default."""

    wrong_k: bool = _fault("The card holds another K than the HSS.")
    op_as_opc: bool = _fault("The HSS was given the operator's OP where its OPc belongs: the card's OPc is derived "
                           "from that.")
    sqn_stale: bool = _fault("The HSS is behind the card (restored from an old copy): its next SQN was used already.")
    sqn_far: bool = _fault("The card takes the HSS's SQN for one that is too far ahead, and asks for a "
                           "resynchronisation.")
    wrong_auts: bool = _fault("As sqn_stale, and the MAC-S in AUTS is wrong.")
    wrong_res: bool = _fault("The answer to the challenge is wrong.")
    unknown_imsi: bool = _fault("The phone has an IMSI that nobody provisioned.")
    unknown_guti: bool = _fault("The phone comes with a GUTI that the network has never given.")
    wrong_apn: bool = _fault("The phone asks for an APN that it has no subscription to.")
    wrong_mac: bool = _fault("Every protected message of the phone has a wrong MAC.")
    replay: bool = _fault("The eNB sends every NAS message of the phone twice, octet by octet the same.")
    weak_capabilities: bool = _fault("The phone offers null integrity and null ciphering only.")
    bidding_down: bool = _fault("The phone believes it offered more than arrived, as if somebody had changed its "
                           "capabilities.")
    altered_request: bool = _fault("The phone believes its attach request was another one: HASH_MME does not match.")
    wrong_kenb: bool = _fault("The phone derives another K_eNB than the network.")
    garbage: bool = _fault("The phone's attach request is cut short.")
    no_context: bool = _fault("The radio interface fails at every context setup.")
    volte_off: bool = _fault("VoLTE is switched off in the phone's settings: calls in 2G and 3G only.", "D1")
    data_centric: bool = _fault("The phone says that it is for data: it never leaves LTE for the sake of calls.", "D1")
    no_ims_pdn: bool = _fault("The phone never asks for the IMS connection, though it could.", "D4")
    ims_as_default: bool = _fault("Somebody has written the IMS APN where the APN for the Internet belongs.", "D5")
    no_sip: bool = _fault("The IMS client says nothing, though its connection stands.", "D9")
    two_digit_mnc: bool = _fault("The card's home domain for IMS has an MNC of two digits.", "D11")
    wrong_impi: bool = _fault("The card's private identity for IMS is one that nobody provisioned.", "D12")
    wrong_isim_key: bool = _fault("The card's ISIM has another K than the HSS; LTE works.", "D14")
    wrong_isim_auts: bool = _fault("The card finds every SQN of IMS stale, and the MAC-S in its AUTS is wrong.", "D15")
    wrong_digest: bool = _fault("The answer to the challenge of IMS is made over another realm.", "D21")
    short_expiry: bool = _fault("The phone registers for 30 seconds, and insists on that.", "D23")
    silent_after_401: bool = _fault("The IMS client does not answer the challenge.", "D14")
    no_security_client: bool = _fault("The IMS client offers no IPsec.", "D37")
    md5: bool = _fault("The IMS client is a softphone's: no IPsec, and Digest with MD5.", "D37")
    wrong_security_verify: bool = _fault("Security-Verify is not what the network said in Security-Server.", "D20")
    wrong_ipsec_key: bool = _fault("The phone derives other keys for its SAs than the network.", "D18")
    stale_sas: bool = _fault("The phone goes on using its first SAs after it has registered again.", "D25")
    no_smsip: bool = _fault("The contact does not say that it takes short messages.", "D35")
    no_rp_ack: bool = _fault("The phone takes a short message and does not say so to the service centre.", "D36")
    stuck_at_183: bool = _fault("The phone never sees its voice bearer, and never goes on with a call.", "D28")
    insists_on_preconditions: bool = _fault("The phone gives a call up whose other end has no preconditions.", "D33")
    garbled_number: bool = _fault("The phone loses the last digit of what is dialled.", "D27")
    no_answer_to_bye: bool = _fault("The phone says nothing to BYE.", "D31")
    no_session_refresh: bool = _fault("The phone never refreshes the session of a call, though it offered to.", "D31")
    no_cp_ack: bool = _fault("The phone does not confirm texts (CP-DATA), and does not take them.")
    wrong_rp_reference: bool = _fault("The phone's RP-ACK names another text than the one that came.", "D36")
    silent: bool = _fault("The phone hears nothing and sends nothing more, from now on.")
    silent_after: str = field(default="", metadata={"text": "The phone goes silent once it has sent the message of "
                                                    "this name (`silent_after:Authentication response`).", "row": ""})

    @classmethod
    def table(cls) -> list[Fault]:
        """Every fault that a phone can have."""
        return [Fault(one.name, **one.metadata) for one in fields(cls)]

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
