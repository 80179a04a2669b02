# SPDX-License-Identifier: Apache-2.0
"""What the lesson about ESP makes is what others read: our import of captures, and tshark."""

import subprocess
from pathlib import Path

import pytest

from dialtone.crypto.milenage import Milenage
from dialtone.lab import connect, esp
from dialtone.lab.esp import Caught
from dialtone.lab.hands import challenges
from dialtone.sim.cards import make_cards
from dialtone.trace import capture
from dialtone.trace.capture.esp import read_keys

CARD = make_cards(1)[0]
NULL = '[ims]\nencryption = ["null"]\n'


def caught(folder: Path, config: str = "") -> list[Caught]:
    """A registration on the wire, in a file, with its keys."""
    lab = connect("sandbox", seed=1, config=config)
    lab.simulate.attach(CARD.imsi)
    challenge = [one for one in challenges(lab, CARD.imsi) if one.by == "IMS"][-1]
    _, ck, ik, _ = Milenage(CARD.k, CARD.opc).f2345(challenge.rand)
    found = esp.tap(lab, CARD.imsi, ck, ik)
    esp.write(folder / "gm.pcap", found)
    esp.write_keys(folder / "esp_sa", lab.sas(CARD.imsi), ck, ik)
    return found


@pytest.mark.parametrize("config", ["", NULL])
def test_with_the_keys_it_is_sip_again(tmp_path: Path, config: str) -> None:
    count = len(caught(tmp_path, config))
    found = capture.load(tmp_path / "gm.pcap", read_keys(tmp_path / "esp_sa"))
    assert found.counts == {"sip": count}
    assert [event.name for event in found.events][:2] == ["REGISTER", "200 OK (REGISTER)"]
    assert found.remarks == []


def test_without_keys_it_is_noise(tmp_path: Path) -> None:
    caught(tmp_path)
    assert not capture.load(tmp_path / "gm.pcap").events


def test_tshark_opens_it_with_the_same_keys(tmp_path: Path) -> None:
    found = caught(tmp_path)
    options = [option for line in (tmp_path / "esp_sa").read_text().splitlines()
               for option in ("-o", f"uat:esp_sa:{line}")]
    said = subprocess.run(["tshark", "-r", str(tmp_path / "gm.pcap"), "-o", "esp.enable_encryption_decode:TRUE",
                           "-o", "esp.enable_authentication_check:TRUE", *options, "-Y", "sip", "-T", "fields",
                           "-e", "sip.CSeq.method", "-e", "esp.icv_good"], capture_output=True, text=True, check=True)
    assert len(said.stdout.splitlines()) == len(found)
    assert "REGISTER" in said.stdout
