# SPDX-License-Identifier: Apache-2.0
"""Why a phone does not register to IMS: the same fault on another phone, or later, gives the same verdict."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from pcscf_rig import DOMAIN, IMPI, Phone, Rig, messages

from dialtone.codec import sip
from dialtone.config_ims import ImsConfig
from dialtone.effects import EspRefused
from dialtone.kernel.ipsec import COUNTERS
from dialtone.trace.diagnose import diagnose
from dialtone.trace.diagnose.ipsec import COUNTERS as NAMED

ANOTHER = Phone(host="10.46.0.77", port_c=7200, port_s=7300, spi=70001, impi=f"001010000000077@{DOMAIN}",
                number=f"sip:+15550177@{DOMAIN}")
Fault = Callable[[Rig, Phone], None]


def without_ipsec(rig: Rig, phone: Phone) -> None:
    rig.gm(phone.clear, phone.register(offer=""))


def unknown_algorithms(rig: Rig, phone: Phone) -> None:
    rig.gm(phone.clear, phone.register(offer=phone.offer.replace("hmac-md5-96", "aes-gmac")))


def challenged(rig: Rig, phone: Phone) -> None:
    (first,) = messages(rig.gm(phone.clear, phone.register()), "Mw")
    (answer,) = messages(rig.challenge(first), "Gm")
    phone.server = answer.first("Security-Server")


def later(rig: Rig) -> None:
    """Time passes, and something else happens."""
    rig.run(60)
    rig.loop.bus.done(rig.now, "peer", "pcscf", "x", "", "something else")


def silent(rig: Rig, phone: Phone) -> None:
    challenged(rig, phone)
    later(rig)


def mac_failure(rig: Rig, phone: Phone) -> None:
    challenged(rig, phone)
    phone.server = ""
    data = phone.register().replace(b'nonce=""', b'nonce="bm9uY2U="')
    rig.gm(phone.clear, data)


def wrong_verify(rig: Rig, phone: Phone) -> None:
    challenged(rig, phone)
    rig.gm(phone.protected, phone.register(response="5a", verify=phone.server.replace("spi-c=", "spi-c=1")))


def wrong_esp(rig: Rig, phone: Phone) -> None:
    challenged(rig, phone)
    rig.tell(EspRefused("XfrmInStateProtoError", 2, COUNTERS["XfrmInStateProtoError"], phone.host))
    later(rig)


def crowded(rig: Rig, phone: Phone) -> None:
    other = Phone(host="10.46.0.99", impi=f"001010000000099@{DOMAIN}")
    rig.pcscf.ims = replace(rig.pcscf.ims, phones=1)
    rig.register(other)
    rig.gm(phone.clear, phone.register())


def foreign(strip: str, put: str) -> Fault:
    """The 401 of another P-CSCF, as a capture shows it."""
    def fault(rig: Rig, phone: Phone) -> None:
        data = phone.register()
        answer = sip.response(sip.decode(data), 401)  # type: ignore[arg-type]
        answer.append("WWW-Authenticate", f'Digest realm="{DOMAIN}",nonce="bm9uY2U=",algorithm=AKAv1-MD5')
        if put:
            answer.append("Security-Server", put.format(phone.port_s))
        imsi = phone.impi.partition("@")[0]
        rig.loop.bus.received(rig.now, "Gm", phone.clear, "pcscf", "REGISTER", imsi, "", "", data)
        rig.loop.bus.sent(rig.now, "Gm", "pcscf", phone.clear, "REGISTER response", imsi, "", "", sip.encode(answer))
        later(rig)
    return fault


def deaf(rig: Rig, phone: Phone) -> None:
    challenged(rig, phone)
    data = phone.register(response="5a")
    (second,) = messages(rig.gm(phone.protected, data), "Mw")
    rig.accept(second)
    for _ in range(3):
        rig.run(2)
        rig.gm(phone.protected, data)


FAULTS: dict[str, Fault] = {
    "ims-no-ipsec": without_ipsec, "ims-no-common-algorithm": unknown_algorithms, "ims-challenge-unanswered": silent,
    "ims-wrong-key": mac_failure, "ims-security-verify": wrong_verify, "ims-esp-refused": wrong_esp,
    "ims-full": crowded, "ims-no-security-server": foreign("", ""), "ims-answer-lost": deaf,
    "ims-algorithm-not-offered": foreign("", "ipsec-3gpp;alg=hmac-sha-1-96;ealg=aes-cbc;spi-c=5000;spi-s=5001;"
                                             "port-c=5100;port-s={}"),
}


@pytest.mark.parametrize("who", [Phone(), ANOTHER], ids=["one phone", "another"])
@pytest.mark.parametrize("rule", FAULTS)
def test_a_fault_makes_its_verdict(rule: str, who: Phone) -> None:
    rig, phone = Rig(), replace(who)
    imsi = phone.impi.partition("@")[0]
    for wait in (0, 3600):
        rig.run(wait)
        phone.spi, phone.server, phone.call_id = phone.spi + 100, "", f"call{wait}"
        begin = len(rig.loop.bus.ring)
        FAULTS[rule](rig, phone)
        verdicts = diagnose(list(rig.loop.bus.ring)[begin:], imsi)
        assert [verdict.rule for verdict in verdicts] == [rule]
        assert verdicts[0].evidence
        assert verdicts[0].network or verdicts[0].phone


def test_a_registration_that_goes_well_is_said_to() -> None:
    rig = Rig(ims=ImsConfig(phones=10))
    rig.register(Phone())
    later(rig)
    assert [verdict.rule for verdict in diagnose(rig.loop.bus.ring, IMPI.partition("@")[0])] == ["ims-registered"]


def test_every_named_counter_is_one_of_the_kernels() -> None:
    assert set(NAMED) <= set(COUNTERS)
