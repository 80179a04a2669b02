# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with an S1AP PDU, and what to answer (TS 36.413, 10)."""

from enum import IntEnum
from typing import NamedTuple

from dialtone.errors import ProtocolError

FAILURES = (ValueError, IndexError, KeyError, TypeError, OverflowError, AttributeError, ProtocolError)
"""What compiled functions raise over octets or values that do not fit; nothing else gets out of the codec than
errors of this file and LocalError."""


class TypeOfError(IntEnum):
    """Why an information element stands in Criticality Diagnostics (TS 36.413, 9.2.1.21)."""

    NOT_UNDERSTOOD = 0
    MISSING = 1


class FaultyIe(NamedTuple):
    """One information element at fault: its criticality, id, and what is wrong."""

    criticality: int
    id: int
    type_of_error: TypeOfError


class S1apError(ProtocolError):
    """A PDU that breaks TS 36.413. `cause` is a value of CauseProtocol (9.2.1.3).

    Attributes, as far as the PDU told: `procedure_code` (int), `triggering_message` (0 initiating,
    1 successful, 2 unsuccessful), `procedure_criticality` (0 reject, 1 ignore, 2 notify; as specified for the
    procedure, as received for one we do not know), `ies` (the IEs at fault), `mme_ue_s1ap_id` and
    `enb_ue_s1ap_id` (of the UE association named). `criticality` is the strictest that applies: reject means
    the procedure is refused or an Error Indication sent, ignore that nothing is answered.
    """

    CAUSE = 6  # unspecified

    def __init__(
        self,
        text: str,
        *,
        clause: str = "TS 36.413, 10",
        procedure_code: int | None = None,
        triggering_message: int | None = None,
        procedure_criticality: int | None = None,
        ies: tuple[FaultyIe, ...] = (),
        mme_ue_s1ap_id: int | None = None,
        enb_ue_s1ap_id: int | None = None,
    ) -> None:
        super().__init__(text, cause=self.CAUSE, clause=clause)
        self.procedure_code = procedure_code
        self.triggering_message = triggering_message
        self.procedure_criticality = procedure_criticality
        self.ies = ies
        self.mme_ue_s1ap_id = mme_ue_s1ap_id
        self.enb_ue_s1ap_id = enb_ue_s1ap_id

    @property
    def criticality(self) -> int:
        """The strictest criticality that applies: of the IEs at fault, else of the procedure, else reject."""
        if self.ies:
            return min(self.ies, key=lambda ie: _STRICTNESS[ie.criticality]).criticality
        return 0 if self.procedure_criticality is None else self.procedure_criticality


_STRICTNESS = (0, 2, 1)  # reject before notify before ignore


class TransferSyntaxError(S1apError):
    """The bits are no encoding of the types (TS 36.413, 10.2)."""

    CAUSE = 0


class AbstractSyntaxError(S1apError):
    """An IE that is missing or not comprehended, with a criticality that stops the procedure (10.3.4, 10.3.5)."""

    CAUSE = 1


class UnknownProcedure(AbstractSyntaxError):
    """A procedure code, or a kind of message for it, that the specification as we know it lacks (10.3.4.1)."""


class FalselyConstructedMessage(S1apError):
    """IEs in the wrong order or too often (TS 36.413, 10.3.6)."""

    CAUSE = 5
