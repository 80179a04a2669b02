# SPDX-License-Identifier: Apache-2.0
"""A whole network in the notebook's own process: everything works on it as on a live lab, and breaks as well."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import dialtone
import dialtone.api.ims
import dialtone.api.network
import dialtone.api.profiles
import dialtone.api.radio
import dialtone.api.sim
import dialtone.api.sms
import dialtone.api.subscribers
from dialtone import api
from dialtone.errors import LocalError
from dialtone.lab import Lab, connect, routes
from dialtone.lab.hands import another
from dialtone.lab.sandbox import Sandbox

ALICE, BOB = "001010000000001", "001010000000002"
WITHOUT_LINUX = """
import sys
for name in ("fcntl", "pwd", "grp", "termios", "resource", "pyroute2"):
    sys.modules[name] = None
from dialtone.lab import connect
assert connect("sandbox").simulate.attach("001010000000001")["ok"]
"""


@pytest.fixture
def lab() -> Iterator[Lab]:
    found = connect("sandbox", seed=3)
    assert isinstance(found.source, Sandbox)
    yield found
    found.source.close()


def test_what_a_phone_does_it_does_here(lab: Lab, tmp_path: Path) -> None:
    assert "sandbox" in repr(lab)
    assert [enb["name"] for enb in lab.enbs()] == ["sim-enb1", "sim-enb2"]
    for imsi in (ALICE, BOB):
        assert lab.simulate.attach(imsi)["ok"]
    assert {phone["ims"] for phone in lab.simulate.phones()} == {"registered", "no IMS connection"}
    assert "3 received" in lab.simulate.ping(ALICE)
    assert lab.simulate.call(ALICE, "1002")["ok"]
    assert lab.simulate.hang_up(ALICE)["ok"]
    assert lab.simulate.text(ALICE, "1002", "by SIP")["ok"]
    assert lab.simulate.sms(ALICE, "1002", "over NAS")["ok"]
    assert [text["text"] for text in lab.sms.list()] == ["over NAS"]
    points = {row["point"] for row in lab.trace()}
    assert {"S1-MME", "NAS", "S11", "S6a", "Cx", "Gm", "Mw", "ISC", "Rx", "S1-U"} <= points
    assert lab.diagnose(ALICE)[0]["level"] == "ok"
    assert lab.export(tmp_path / "x.pcapng").stat().st_size > 10_000
    for imsi in (ALICE, BOB):
        assert lab.simulate.detach(imsi)["ok"]
    assert {row["what"]: row["in use"] for row in lab.leaks() if row["what"] != "timers" and row["in use"]} == {}


def test_a_fault_is_explained_and_mended(lab: Lab) -> None:
    lab.simulate.break_it(ALICE, "op_as_opc")
    assert not lab.simulate.attach(ALICE)["ok"]
    assert lab.diagnose(ALICE)[0]["level"] != "ok"
    lab.simulate.break_it(ALICE, None)
    lab.simulate.power(ALICE)
    assert lab.simulate.attach(ALICE)["ok"]


def test_a_fault_of_the_network_is_explained_and_mended(lab: Lab) -> None:
    assert "no P-CSCF" in lab.simulate.break_network("no_p_cscf")["text"]
    lab.simulate.attach(ALICE)
    assert {phone["ims"] for phone in lab.simulate.phones()} != {"registered"}
    assert [verdict for verdict in lab.diagnose(ALICE) if verdict["level"] == "failure"]
    lab.simulate.break_network(None)
    lab.simulate.detach(ALICE)
    lab.simulate.attach(ALICE)
    assert lab.simulate.register(ALICE)["ok"]
    with pytest.raises(LocalError, match="no fault 'nonsense'"):
        lab.simulate.break_network("nonsense")


def test_an_enb_of_another_area_is_refused(lab: Lab) -> None:
    assert lab.simulate.announce("sim-enb1", tac=7)["refusal"]
    assert not lab.simulate.announce("sim-enb1", tac=1)["refusal"]


def test_hours_pass_at_once(lab: Lab) -> None:
    lab.simulate.attach(ALICE)
    lab.simulate.idle(ALICE)
    begin = time.monotonic()
    lab.simulate.wait(2 * 3600)
    assert time.monotonic() - begin < 10
    assert lab.messages("Tracking area update request", ALICE)


def test_real_time_on_request() -> None:
    lab = connect("sandbox", realtime=True)
    begin = time.monotonic()
    lab.simulate.wait(0.3)
    assert time.monotonic() - begin >= 0.29
    assert abs(lab.trace()[-1]["time"] - time.time()) < 5


def test_a_config_of_ones_own() -> None:
    lab = connect("sandbox", config='[network]\nname = "Mine"\nmnc = "02"\n')
    assert lab.simulate.attach("001020000000001")["network"] == "Mine"
    with pytest.raises(LocalError, match="no section"):
        connect("sandbox", config="[nonsense]\n")


def test_people_are_provisioned(lab: Lab, tmp_path: Path) -> None:
    lab.subscribers.add("001010000000009", k="00" * 16, opc="11" * 16, msisdn="1009")
    with pytest.raises(LocalError, match="already"):
        lab.subscribers.add("001010000000009", k="00" * 16, opc="11" * 16)
    file = tmp_path / "cards.csv"
    file.write_text(f"imsi,k,opc\n001010000000010,{'22' * 16},{'33' * 16}\n")
    assert lab.subscribers.import_csv(file)["add"] == ["001010000000010"]
    lab.subscribers.import_csv(file, dry_run=False)
    assert "22" * 16 not in str(lab.subscribers.get("001010000000010"))
    lab.subscribers.edit("001010000000009", msisdn="1010")
    lab.subscribers.remove("001010000000009")
    assert len(lab.subscribers.list()) == 4


def test_the_form_adds_and_forgets_the_keys(lab: Lab) -> None:
    form = lab.subscribers.form()
    imsi, number, k, opc, _, button, said = form.children
    button.click()
    assert "IMSI" in said.value, "nothing was typed in: the remedy says what is missing"
    imsi.value, number.value, k.value, opc.value = "001010000000011", "1011", "44" * 16, "55" * 16
    button.click()
    assert "001010000000011 is added" in said.value
    assert (k.value, opc.value) == ("", "")
    assert lab.subscribers.get("001010000000011")["msisdn"] == ["1011"]


def test_labels_show_no_key(lab: Lab) -> None:
    labels = lab.subscribers.labels()
    shown = labels._repr_html_()
    assert repr(labels) == "<3 labels>"
    assert shown.count("<svg") == 3
    assert "IMSI 001010000000002" in shown
    assert "465b5ce8" not in shown


def test_ladders_grow_and_messages_are_objects(lab: Lab) -> None:
    ladder = lab.ladder(ALICE)
    lab.simulate.attach(ALICE)
    assert 'data-name="Attach accept"' in ladder.svg
    assert len(lab.packet(lab.messages("Authentication request")[0]).rand) == 16
    assert lab.packet(lab.messages("Multimedia-Auth Request")[0]).user_name
    assert lab.packet(lab.messages("Create Session Request")[0]).imsi == ALICE
    assert lab.packet(lab.messages("REGISTER")[0]).method == "REGISTER"


def test_a_message_is_changed_and_sent_again(lab: Lab) -> None:
    for imsi in (ALICE, BOB):
        lab.simulate.attach(imsi)
    lab.simulate.text(ALICE, "1002", "Hello")
    number = lab.messages("MESSAGE", ALICE, "Gm")[0]
    octets = bytes.fromhex(lab.message(number)["data"])
    lab.simulate.again(number, another(octets, ("\r\nRequire: ", "\r\nRequire: teleport, ")))
    refusal = lab.packet(lab.messages("420 Bad Extension (MESSAGE)", point="Gm")[-1])
    assert refusal.all("Unsupported") == ["teleport"]
    lab.simulate.again(lab.messages("S1SetupRequest")[0], b"nonsense")
    assert lab.trace(point="S1-MME")[-1]["name"] == "ErrorIndication"
    with pytest.raises(LocalError, match="no message that came to the core"):
        lab.simulate.again(lab.messages("Attach accept")[0], b"")
    with pytest.raises(LocalError, match="in a sandbox only"):
        connect("replay").simulate.again(1, b"")


def test_what_it_cannot_do_it_says(lab: Lab) -> None:
    with pytest.raises(LocalError, match="can ping, and nothing else"):
        lab.simulate.run(ALICE, ["curl", "example.org"])
    with pytest.raises(LocalError, match="Nothing answers"):
        lab.source.get("/nowhere")
    with pytest.raises(LocalError, match="There is no phone 5"):
        lab.simulate.attach("5")
    assert "unreachable" in lab.simulate.ping(ALICE)


def test_a_session_is_replayed_as_it_went(lab: Lab, tmp_path: Path) -> None:
    lab.simulate.attach(ALICE)
    lab.simulate.wait(5)
    with pytest.raises(LocalError, match="no subscriber 5"):
        lab.subscribers.get("5")
    lab.simulate.detach(ALICE)
    again = connect(str(lab.record(tmp_path / "x.gz")))
    assert not again.messages("Attach request")
    ladder = again.ladder(ALICE)
    assert again.simulate.attach(ALICE)["ok"]
    assert 'data-name="Attach accept"' in ladder.svg
    again.simulate.wait(5)
    with pytest.raises(LocalError, match="no subscriber 5"):
        again.subscribers.get("5")
    assert not again.messages("Detach request")
    again.simulate.detach(ALICE)
    assert again.messages("Detach request")
    assert again.simulate.attach(ALICE)["ok"], "what was done once may be done again"


def test_every_path_of_the_api_is_served(lab: Lab) -> None:
    assert isinstance(lab.source, Sandbox)
    parts = (api.network, api.ims, api.radio, api.subscribers, api.profiles, api.sim, api.sms)
    paths = [(method, re.sub(r"{\w+}", "7", route.path)) for part in parts for route in part.router.routes
             for method in route.methods]
    commands = {routes.find(method, path, {}, None)[0] for method, path in paths
                if path not in ("/diagnose", "/capacity")}
    assert commands <= set(lab.source._table)
    assert len(commands) > 50


def test_no_linux_is_needed() -> None:
    path = str(Path(dialtone.__file__).parents[1])
    subprocess.run([sys.executable, "-c", WITHOUT_LINUX], check=True, timeout=60,
                   env=os.environ | {"PYTHONPATH": path})
