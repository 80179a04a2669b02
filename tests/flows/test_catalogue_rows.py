# SPDX-License-Identifier: Apache-2.0
"""The diagnosis catalogue is whole: every row has its rule, remedy and fault, and every fault of a row is played."""

import test_catalogue_attach
import test_catalogue_calls
import test_catalogue_register

from dialtone.sim.faults import Faults
from dialtone.sim.network_faults import FAULTS
from dialtone.trace.diagnose import RULES
from dialtone.trace.diagnose.catalogue import ROWS

CASES = [*test_catalogue_attach.CASES, *test_catalogue_register.CASES, *test_catalogue_calls.CASES]
CARD = {"D38"}
"""What no fault shows, but a card of another network (test_a_card_of_another_network)."""


def test_every_row_is_shown() -> None:
    assert list(ROWS) == [f"D{number}" for number in range(1, 39)]
    assert {case.row for case in CASES} | CARD == set(ROWS)
    assert {rule.row for rule in RULES} - {""} == set(ROWS)


def test_every_rule_of_a_row_says_what_to_do_but_for_what_is_harmless() -> None:
    assert {rule.name for rule in RULES if rule.row and not (rule.network or rule.phone)} == {
        "xcap-refused", "call-by-udp"}


def test_every_fault_of_a_row_is_played() -> None:
    known = {fault.name for fault in (*Faults.table(), *FAULTS.values()) if fault.row}
    assert {case.fault for case in CASES} == known
    assert not FAULTS.keys() & {fault.name for fault in Faults.table()}
