# SPDX-License-Identifier: Apache-2.0
"""Two simulated phones over the real thing: registered over kernel IPsec, texts, and a call with RTP both ways."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from processes import connected, start_core, start_sim

from dialtone.lab_kernel import namespaces
from dialtone.lab_kernel.namespaces import End
from dialtone.sim.cards import as_csv, make_cards

pytestmark = pytest.mark.kernel

NAMESPACE = "dt-enb1"
PATIENCE = 120.0


class Lab:
    """Core and simulation, and what the phones say."""

    def __init__(self, path: Path, core: str = "", phones: Sequence[str] = ()) -> None:
        """`core` is its configuration; `phones` what each is besides its card, else they are two of the usual ones."""
        self.lan = namespaces.create(NAMESPACE)
        namespaces.cable(End(None, "s1", ["10.0.1.133/24"]), End(self.lan, "eth0", ["10.0.1.134/24"]))
        self.core = start_core(path, *_config(path / "core.toml", core))
        self.core_control = connected(path / "run" / "core.sock", PATIENCE)
        cards = make_cards(len(phones) or 2)
        self.imsis = [card.imsi for card in cards]
        self.numbers = [card.msisdn for card in cards]
        self.core_control.call("subscribers.import", csv=as_csv(cards), dry_run=False)
        described = "\n".join(f'[[phone]]\nimsi = "{one.imsi}"\nk = "{one.k.hex()}"\nopc = "{one.opc.hex()}"\n{more}'
                              for one, more in zip(cards, phones, strict=False))
        which = _config(path / "sim.toml", described) if phones else ("--phones", "2", "--ims")
        self.sim = start_sim(path, "--namespace", NAMESPACE, *which)
        self.sim_control = connected(path / "run" / "sim.sock", PATIENCE)

    def do(self, what: str, phone: int, **words: Any) -> dict[str, Any]:
        done: dict[str, Any] = self.sim_control.call(f"sim.{what}", imsi=self.imsis[phone], **words)
        assert done["ok"] is True, done
        return done

    def ims(self, phone: int) -> dict[str, Any]:
        """What a phone says of its IMS."""
        line: dict[str, Any] = self.sim_control.call("sim.status")[phone]["in_ims"]
        return line

    def registered(self) -> None:
        """Wait until all are."""
        end = time.monotonic() + PATIENCE
        while any(line["ims"] != "registered" for line in self.sim_control.call("sim.status")):
            assert time.monotonic() < end, [line["in_ims"] for line in self.sim_control.call("sim.status")]
            time.sleep(0.2)

    def close(self) -> None:
        for process in (self.sim, self.core):
            process.terminate()
            process.wait(20)
        self.lan.remove()


def _config(file: Path, text: str) -> tuple[str, ...]:
    if not text:
        return ()
    file.write_text(text, encoding="utf-8")
    return "--config", str(file)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    try:
        made = Lab(tmp_path)
        yield made
        made.close()
    finally:
        namespaces.remove_all()


def test_register_text_and_call_over_ipsec(lab: Lab) -> None:
    for phone in (0, 1):
        lab.do("attach", phone)
    lab.registered()
    assert lab.ims(0)["ipsec"] == "hmac-sha-1-96 aes-cbc"
    lab.do("text", 0, to=lab.numbers[1], text="there")
    lab.do("text", 1, to=lab.numbers[0], text="and back")
    assert [lab.sim_control.call("sim.texts", imsi=imsi)[0]["text"] for imsi in lab.imsis] == ["and back", "there"]
    lab.do("call", 0, to=lab.numbers[1])  # it takes the call after three seconds
    time.sleep(2)
    lab.do("ims-register", 1)  # new SAs in mid-call
    lab.do("hold", 0)
    lab.do("hold", 0, resume=True)
    time.sleep(2)
    for phone in (0, 1):
        (call,) = lab.ims(phone)["calls"]
        assert (call["state"], call["media"]["bad"]) == ("active", 0)
        assert call["media"]["received"] > 50
        assert call["media"]["lost"] <= call["media"]["received"] // 10
    lab.do("hangup", 1)
    assert [lab.ims(phone)["calls"] for phone in (0, 1)] == [[], []]
    for phone in (0, 1):
        lab.do("detach", phone, switch_off=True)


def test_ipv6_phones_call_each_other_and_the_desk(tmp_path: Path) -> None:
    """112 over a connection and SAs of their own, beside those that they have."""
    try:
        each = 'pdn_type = "ipv4v6"\nims = {ipv6 = true, rings = 1}'
        lab = Lab(tmp_path, '[network]\nemergency = "desk"\n', [each] * 2)
        for phone in (0, 1):
            lab.do("attach", phone)
        lab.registered()
        lab.do("call", 0, to=lab.numbers[1])
        time.sleep(3)
        for phone in (0, 1):
            (call,) = lab.ims(phone)["calls"]
            assert call["media"]["received"] > 50
        lab.do("hangup", 1)
        lab.do("call", 0, to="112")
        time.sleep(3)
        (call,) = lab.ims(0)["calls"]
        assert (call["with"], call["state"]) == ("urn:service:sos", "active")
        assert call["media"]["received"] > 50
        lab.do("hangup", 0)
        for phone in (0, 1):
            lab.do("detach", phone, switch_off=True)
        lab.close()
    finally:
        namespaces.remove_all()
