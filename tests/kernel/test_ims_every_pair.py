# SPDX-License-Identifier: Apache-2.0
"""All six pairs of algorithms over UDP and over TCP, by two phones each: texts both ways, a long one, a call with RTP
on QCI 1 bearers, hold, new SAs in mid-call, hang up. All of it captured, decrypted by tshark, and every ICV good."""

import os
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest
from test_ims_over_ipsec import Lab

from dialtone.crypto.ipsec_keys import ENCRYPTION, INTEGRITY
from dialtone.lab_kernel import namespaces

pytestmark = pytest.mark.kernel

PAIRS = [f"{alg}/{ealg}" for alg in INTEGRITY for ealg in ENCRYPTION]


class Capture:
    """What passes the core's end of S1, as a capture file."""

    def __init__(self, file: Path) -> None:
        self.raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.raw.bind(("s1", 3))
        self.raw.settimeout(0.5)
        self.file, self.over = file, False
        self.thread = threading.Thread(target=self._write)
        self.thread.start()

    def _write(self) -> None:
        with self.file.open("wb") as out:
            out.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
            while not self.over:
                try:
                    frame = self.raw.recv(4000)
                except TimeoutError:
                    continue
                out.write(struct.pack("=IIII", int(time.time()), 0, len(frame), len(frame)) + frame)

    def close(self) -> None:
        self.over = True
        self.thread.join()
        self.raw.close()


def talk(lab: Lab, one: int, two: int) -> None:
    """All that two phones do."""
    lab.do("text", one, to=lab.numbers[two], text="there")
    lab.do("text", two, to=lab.numbers[one], text="and back")
    long = "a text of several parts, " * 20
    lab.do("sms", one, to=lab.numbers[two], text=long)
    for phone, text in ((one, "and back"), (two, "there")):
        assert [each["text"] for each in lab.sim_control.call("sim.texts", imsi=lab.imsis[phone])] == [text]
    for _ in range(50):
        came = lab.sim_control.call("sim.inbox", imsi=lab.imsis[two])
        if came == [{"from": f"+{lab.numbers[one]}", "text": long, "over": "IP"}]:
            break
        time.sleep(0.2)
    else:
        raise AssertionError(came)
    lab.do("call", one, to=lab.numbers[two])
    for phone in (one, two):
        assert [bearer["qci"] for bearer in lab.sim_control.call("sim.status")[phone]["bearers"]] == [1]
    time.sleep(1)
    lab.do("hold", one)
    lab.do("ims-register", two)  # new SAs in mid-call
    lab.do("hold", one, resume=True)
    time.sleep(1)
    for phone in (one, two):
        (call,) = lab.ims(phone)["calls"]
        assert (call["state"], call["media"]["bad"]) == ("active", 0)
        assert call["media"]["received"] > 30
    lab.do("hangup", two)
    assert [lab.ims(phone)["calls"] for phone in (one, two)] == [[], []]
    assert not any(lab.sim_control.call("sim.status")[phone]["bearers"] for phone in (one, two))


def test_every_pair_over_udp_and_tcp(tmp_path: Path) -> None:
    described = [f'ims = {{transport = "{transport}", mechanisms = ["{pair}"], rings = 0.5}}'
                 for pair in PAIRS for transport in ("udp", "tcp")]
    try:
        lab = Lab(tmp_path, phones=described)
        capture = Capture(tmp_path / "s1.pcap")
        for phone in range(len(described)):
            lab.do("attach", phone)
        lab.registered()
        assert [lab.ims(phone)["ipsec"] for phone in range(len(described))] == [
            pair.replace("/", " ") for pair in PAIRS for _ in range(2)]
        for one in range(0, len(described), 2):
            talk(lab, one, one + 1)
        capture.close()
        keys = lab.core_control.call("ipsec.esp_sa")
        lab.close()
    finally:
        namespaces.remove_all()
    (tmp_path / "esp_sa").write_text("\n".join(keys) + "\n")
    said = subprocess.run(
        ["tshark", "-r", str(tmp_path / "s1.pcap"), "-o", "esp.enable_encryption_decode:TRUE",
         "-o", "esp.enable_authentication_check:TRUE", "-Y", "esp", "-T", "fields", "-e", "esp.icv_good",
         "-e", "esp.icv_bad", "-e", "sip.Method", "-e", "sip.Status-Code"],
        capture_output=True, text=True, check=True, env=dict(os.environ, WIRESHARK_CONFIG_DIR=str(tmp_path)))
    rows = [line.split("\t") for line in said.stdout.splitlines()]
    assert len(rows) > 40 * len(described)
    assert {row[0] for row in rows} <= {"1", "True"}
    methods = {method for row in rows for method in row[2].split(",")}
    assert {"REGISTER", "SUBSCRIBE", "NOTIFY", "MESSAGE", "INVITE", "PRACK", "UPDATE", "ACK", "BYE"} <= methods
