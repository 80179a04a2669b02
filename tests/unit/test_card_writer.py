# SPDX-License-Identifier: Apache-2.0
"""Scripts for SIM cards: what goes into each file, and that nothing is written without a program and a reader."""

import json
from pathlib import Path

import pytest

from dialtone.ids import Plmn
from dialtone.lab import card_writer

HOME = Plmn("001", "01")


@pytest.mark.parametrize(("imsi", "octets"), [
    ("001010000000001", "080910100000000010"),  # fifteen digits: odd
    ("00101123456789", "0801101021436587f9"),
    ("228062800000208", "082982608200002080"),  # as pySim has it
])
def test_the_file_of_the_imsi(imsi: str, octets: str) -> None:
    assert card_writer.imsi_file(imsi).hex() == octets


def test_a_script_names_every_file_once() -> None:
    card = card_writer.fresh(1, HOME)[0]
    lines = card_writer.script(card, "12345678").splitlines()
    assert lines[0] == "verify_adm 12345678"
    files = [line.rpartition("/")[2] for line in lines if line.startswith("select")]
    assert files == ["EF.IMSI", "EF.AD", "EF.USIM_AUTH_KEY", "EF.FPLMN", "EF.LOCI"]
    (key,) = [json.loads(line.partition(" ")[2].strip("'")) for line in lines if '"key"' in line]
    assert (key["key"], key["op_opc"]) == (card.k.hex(), card.opc.hex())
    assert "update_binary 00000002" in lines


def test_no_two_cards_have_a_key_in_common() -> None:
    cards = card_writer.fresh(20, HOME, first=5)
    assert len({card.k for card in cards} | {card.opc for card in cards}) == 40
    assert (cards[0].imsi, cards[0].msisdn) == ("001010000000005", "1005")


def test_writing_takes_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not installed here" in card_writer.write("card.script")
    program = tmp_path / card_writer.PYSIM
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert card_writer.write("card.script", reader=1) == "-p 1 --noprompt --script card.script\n"
