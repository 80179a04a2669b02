# SPDX-License-Identifier: Apache-2.0
"""Short messages between phones that are registered to IMS, through P-CSCF, S-CSCF and the SMS centre."""

from pathlib import Path

import pytest
from network import Network, imsi_of

from dialtone.sim.ims.sms import SmsCommand

ALICE, BOB = imsi_of(1), imsi_of(2)
NUMBER = "358401000002"


@pytest.fixture
def net(tmp_path: Path) -> Network:
    net = Network(tmp_path, 0)
    for number in (1, 2):
        net.add_ims(number)
        net.attach(imsi_of(number), seconds=10)
    assert all(client.registered for client in net.ims.values())
    return net


@pytest.mark.parametrize("words", ["Hello", "Grüße 😀" * 40])
def test_a_short_message_over_ip(net: Network, words: str) -> None:
    net.command(f"ims-{ALICE}", SmsCommand(f"+{NUMBER}", words), 30)
    assert net.ims[BOB].short.messages() == [("+358401000001", words)]
    assert {str(text.state) for text in net.core.sms.box.latest(20)} == {"delivered"}
    assert all(sent.done for sent in net.ims[ALICE].short.sent)
    net.run(7200)
    assert len(net.ims[BOB].short.messages()) == 1


def test_a_number_of_nobody(net: Network) -> None:
    net.command(f"ims-{ALICE}", SmsCommand("+15550199", "Hello"), 10)
    (sent,) = net.ims[ALICE].short.sent
    assert (sent.done, sent.cause) == (False, 21)
