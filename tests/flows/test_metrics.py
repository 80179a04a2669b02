# SPDX-License-Identifier: Apache-2.0
"""The figures for Prometheus, of a network in which something happened, read by Prometheus's own parser."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from network import Network, imsi_of
from prometheus_client.parser import text_string_to_metric_families

from dialtone.api.app import create_app
from dialtone.control import Args
from dialtone.sim.ims.call import AnswerCommand, CallCommand
from dialtone.trace.causes import cause_of


def scraped(net: Network, path: Path) -> tuple[str, dict[tuple[str, ...], float]]:
    class Core:
        async def call(self, do: str) -> object:
            return net.commands.table()[do](Args())

    app = create_app(path)
    app.state.appliance.core = Core()

    async def get() -> str:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return (await client.get("/metrics", auth=("", app.state.appliance.access.code))).text

    text = asyncio.run(get())
    return text, {(sample.name, *map(str, sample.labels.values())): sample.value
                  for family in text_string_to_metric_families(text) for sample in family.samples}


def test_everything_that_happened_is_counted(tmp_path: Path) -> None:
    net = Network(tmp_path, 0)
    one, two = net.add_ims(1), net.add_ims(2)
    for number in (1, 2):
        net.attach(imsi_of(number), 10)
    net.add_phone(imsi_of(3))
    net.attach(imsi_of(3), 5)  # nobody's IMSI
    net.command(one.name, CallCommand("+358401000002"), 5)
    net.command(two.name, AnswerCommand(), 5)
    text, found = scraped(net, tmp_path)
    assert found["dialtone_up",] == 1
    assert found["dialtone_enbs",] == 1
    assert found["dialtone_phones", "EMM-REGISTERED", "ECM-CONNECTED"] == 2
    assert found["dialtone_sessions", "ims"] == found["dialtone_sessions", "internet"] == 2
    assert found["dialtone_bearers", "1"] == 2
    assert found["dialtone_ims_users",] == 2
    assert found["dialtone_calls",] == 1
    assert found["dialtone_procedures_total", "attach", "ok"] >= 2
    assert found["dialtone_messages_total", "tx", "S6a", "3GPP-Update-Location Answer"] == 2
    failed = {name: value for name, value in found.items() if name[0] == "dialtone_procedure_failures_total"}
    assert sum(failed.values()) == sum(value for name, value in found.items()
                                       if name[0] == "dialtone_procedures_total" and name[2] == "failed") > 0
    assert ("dialtone_user_bytes_total", "up") in found
    families = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)
    assert [name for name, _ in families] == re.findall(r"^# HELP (\S+) .+\.?$", text, re.MULTILINE)
    for name, kind in families:
        assert re.fullmatch(r"dialtone_[a-z_]+", name)
        assert name.endswith("_total") == (kind == "counter")


def test_octets_are_never_counted_down(tmp_path: Path) -> None:
    net = Network(tmp_path)
    phone = net.attach()
    address = next(iter(phone.pdns.values())).address
    packet = bytes.fromhex("4500001c00000000401100000a2d0001") + address.packed + bytes(8)
    for _ in range(3):
        net.downlink(packet)
    name = ("dialtone_user_bytes_total", "down")
    before = scraped(net, tmp_path)[1][name]
    assert before > 0
    net.detach()
    assert scraped(net, tmp_path)[1][name] == before


@pytest.mark.parametrize(("text", "cause"), [
    ("refused with cause #19: the APN 'x' is not among those (ESM cause #27)", "cause 19"),
    ("refused with ESM cause #27 Missing or unknown APN", "ESM cause 27"),
    ("the SIM does not accept our AUTN (MAC failure, #20): K or OPc", "cause 20"),
    ("the eNB refused: radioNetwork: not-supported-qci-value (37)", "radioNetwork: not-supported-qci-value"),
    ("the phone never confirmed the Attach Accept (T3450 expired 5 times)", "T3450"),
    ("sip:a@b to +358401000002: 487 Request Terminated", "SIP 487"),
    ("the phone did not answer 4 calls", "no answer"),
    ("nobody here has the number 404", "other"),
    ("cause 1234", "other"),
])
def test_the_cause_in_a_sentence(text: str, cause: str) -> None:
    assert cause_of(text) == cause
