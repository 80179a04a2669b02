# SPDX-License-Identifier: Apache-2.0
"""Keys and SAs of Gm, their agreement in SIP, and the messages to the kernel."""

import struct

import pytest

from dialtone.codec import sip
from dialtone.codec.sip import RegisterRequest, SipError
from dialtone.crypto.ipsec_keys import ENCRYPTION, INTEGRITY, End, SaSet, encryption_key, integrity_key
from dialtone.kernel import xfrm
from dialtone.sip import security_agreement as agreement
from dialtone.sip.security_agreement import Mechanism

CK, IK = bytes.fromhex("00112233445566778899aabbccddeeff"), bytes.fromhex("e1763cf28cc2e584588800193137ec92")
PHONE = End("10.46.0.2", 6200, 6300, 1001, 1002)
NETWORK = End("10.46.0.1", 6101, 6100, 2001, 2002)

SAMSUNG = ("ipsec-3gpp; alg=hmac-md5-96; prot=esp; mod=trans; ealg=null; spi-c=1001; spi-s=1002; port-c=6200; "
           "port-s=6300")
MI9 = ",".join(f"ipsec-3gpp;alg={alg};ealg={ealg};spi-c=11110;spi-s=11111;port-c=44596;port-s=42306"
               for alg in ("hmac-md5-96", "hmac-sha-1-96") for ealg in ("des-ede3-cbc", "aes-cbc", "null"))
"""As handsets write it: one mechanism; six in one list, without prot and mod."""


def register(*lines: str) -> RegisterRequest:
    message = RegisterRequest(uri="sip:ims.mnc001.mcc001.3gppnetwork.org")
    for line in lines:
        name, _, value = line.partition(":")
        message.append(name, value.strip())
    return message


def test_keys_are_expanded_as_annex_i_says() -> None:
    assert integrity_key("hmac-md5-96", IK) == IK
    assert integrity_key("hmac-sha-1-96", IK) == IK + b"\0\0\0\0"
    assert encryption_key("aes-cbc", CK) == CK
    assert encryption_key("des-ede3-cbc", CK) == CK[:8] + CK[8:] + CK[:8]
    assert encryption_key("null", CK) == b""


def test_four_sas_with_the_receivers_spi() -> None:
    sas = SaSet.make(PHONE, NETWORK, "hmac-sha-1-96", "aes-cbc", CK, IK)
    assert [(sa.source_port, sa.destination_port, sa.spi) for sa in sas.sas()] == [
        (6200, 6100, 2002), (6300, 6101, 2001), (6101, 6300, 1002), (6100, 6200, 1001)]
    assert [sa.destination for sa in sas.sent_by("10.46.0.1")] == ["10.46.0.2"] * 2
    assert not {CK.hex(), IK.hex(), repr(CK), repr(IK)} & set(repr(sas).replace(")", ",").replace("=", ",").split(","))


@pytest.mark.parametrize(("lines", "count"), [
    ([f"Security-Client: {SAMSUNG}"], 1),
    ([f"Security-Client: {MI9}"], 6),
    ([f"security-client: {one}" for one in MI9.split(",")], 6),
    (["Security-Client: IPSEC-3GPP ;Alg=HMAC-MD5-96;  spi-c=1001 ;spi-s= 1002;port-c=5\t;port-s=6"], 1),
    (["Security-Client: tls;q=0.2, digest;d-alg=md5;q=0.1", f"Security-Client: {SAMSUNG}"], 1),
    (["Security-Client: ipsec-3gpp;alg=hmac-sha-256-128;spi-c=1001;spi-s=1002;port-c=5;port-s=6"], 0),
    ([f"Security-Client: ipsec-3gpp;alg=hmac-md5-96;spi-c=x, {SAMSUNG}"], 1),
    (['Security-Client: ipsec-3gpp;alg="hmac-md5-96";ealg="aes-cbc";spi-c=1001;spi-s=1002;port-c=5;port-s=5'], 1),
    ([], 0),
])
def test_every_legal_spelling_of_an_offer(lines: list[str], count: int) -> None:
    assert len(agreement.mechanisms(register(*lines), "Security-Client")) == count


@pytest.mark.parametrize("bad", [
    "alg=hmac-md5-96;spi-c=1001;spi-s=1001;port-c=5;port-s=6", "alg=hmac-md5-96;spi-c=255;spi-s=1001;port-c=5;port-s=6",
    "alg=hmac-md5-96;spi-c=4294967296;spi-s=1001;port-c=5;port-s=6", "alg=hmac-md5-96;spi-c=1001;spi-s=1002;port-c=5",
    "alg=hmac-md5-96;spi-c=1001;spi-s=1002;port-c=0;port-s=6", "alg=hmac-md5-96;mod=tun;spi-c=1001;spi-s=1002;"
    "port-c=5;port-s=6", "alg=hmac-md5-96;prot=ah;spi-c=1001;spi-s=1002;port-c=5;port-s=6", "alg=a;alg=b",
])
def test_an_offer_that_cannot_be_read_is_a_bad_request(bad: str) -> None:
    with pytest.raises(SipError) as error:
        agreement.mechanisms(register(f"Security-Client: ipsec-3gpp;{bad}"), "Security-Client")
    assert error.value.cause == 400


def test_the_networks_preference_chooses() -> None:
    offer = agreement.mechanisms(register(f"Security-Client: {MI9}"), "Security-Client")

    def chosen(integrity: tuple[str, ...], encryption: tuple[str, ...]) -> tuple[str, str] | None:
        one = agreement.choose(offer, integrity, encryption)
        return one and (one.alg, one.ealg)

    assert chosen(INTEGRITY, ENCRYPTION) == ("hmac-sha-1-96", "aes-cbc")
    assert chosen(INTEGRITY[::-1], ENCRYPTION[::-1]) == ("hmac-md5-96", "null")
    assert chosen(INTEGRITY, ("des-ede3-cbc",)) == ("hmac-sha-1-96", "des-ede3-cbc")
    one = agreement.mechanisms(register(f"Security-Client: {SAMSUNG}"), "Security-Client")
    assert agreement.choose(one, INTEGRITY, ENCRYPTION) == one[0]  # whatever we would like better
    assert agreement.choose(one, ("hmac-sha-1-96",), ENCRYPTION) is None


def test_what_is_said_is_read_again() -> None:
    said = Mechanism("hmac-sha-1-96", "aes-cbc", 2001, 2002, 6101, 6100, "0.1")
    assert Mechanism.parse(str(said)) == said
    assert agreement.repeats([str(said)], str(said))
    assert agreement.repeats([str(said).replace(";", " ; ").upper()], str(said))
    assert not agreement.repeats([], str(said))
    assert not agreement.repeats([str(said), SAMSUNG], str(said))
    assert not agreement.repeats([str(said).replace("2001", "2003")], str(said))
    assert not agreement.repeats(["ipsec-3gpp;;="], str(said))


def test_the_agreement_is_taken_out_and_nothing_else() -> None:
    message = register("Require: sec-agree, path", "Proxy-Require: sec-agree", f"Security-Client: {MI9}",
                       "Security-Verify: x", "Supported: path,sec-agree", "X-Other: 1")
    assert agreement.requires(message)
    agreement.take_out(message)
    assert not agreement.requires(message)
    assert sip.encode(message).decode().split("\r\n")[1:-2] == [
        "Supported: path,sec-agree", "X-Other: 1", "Require: path", "Content-Length: 0"]


# ---- the messages to the kernel ------------------------------------------------------------------------




def test_messages_to_the_kernel_have_the_kernels_sizes() -> None:
    """linux/xfrm.h: xfrm_usersa_info has 224 octets, xfrm_usersa_id 24, xfrm_userpolicy_info 168, _id 64."""
    sa = SaSet.make(PHONE, NETWORK, "hmac-sha-1-96", "aes-cbc", CK, IK).sas()[0]
    new = xfrm.new_sa(sa, "hmac-sha-1-96", IK + bytes(4), "aes-cbc", CK, 60)
    length, kind, flags, _, _ = struct.unpack_from("=IHHII", new)
    assert (length, kind, flags) == (len(new), 0x10, 5)
    attributes = new[16 + 224:]
    size, name = struct.unpack_from("=HH", attributes)
    assert (size, name) == (4 + 72 + 20, 20)
    assert attributes[4:14] == b"hmac(sha1)"
    assert struct.unpack_from("=II", attributes, 4 + 64) == (160, 96)
    assert attributes[76:96] == IK + bytes(4)
    size, name = struct.unpack_from("=HH", attributes, 96)
    assert (size, name, len(attributes)) == (4 + 68 + 16, 2, 96 + 88)
    assert len(xfrm.delete_sa("10.46.0.1", 2002)) == 16 + 24
    assert len(xfrm.send_by(sa, 1000)) == 16 + 168 + 4 + 64
    assert len(xfrm.stop_sending_by(sa)) == 16 + 64
    assert [len(each) for each in xfrm.only_esp("2001:db8::1", 6100, 5000)] == [16 + 168 + 68, 16 + 168]


def test_an_sa_is_read_as_it_was_written() -> None:
    for family in ("10.46.0.{}", "2001:db8:cafe:8000::{}"):
        phone = End(family.format(2), 6200, 6300, 1001, 1002)
        network = End(family.format(1), 6101, 6100, 0xFFFFFFFE, 2002)
        sa = SaSet.make(phone, network, "hmac-md5-96", "null", CK, IK).sas()[1]
        (said,) = xfrm.messages(xfrm.new_sa(sa, "hmac-md5-96", IK, "null", b"", 77))
        state = xfrm.sa_state(said.body)
        assert (state.source, state.destination, state.spi, state.hard) == (
            phone.address, network.address, 0xFFFFFFFE, 77)
        assert (state.packets, state.integrity_failed) == (0, 0)


def test_odd_octets_of_netlink_end_quietly() -> None:
    assert list(xfrm.messages(b"")) == []
    assert list(xfrm.messages(bytes(40))) == []
    assert xfrm.refusal(struct.pack("=i", -17) + xfrm.delete_sa("10.46.0.1", 1)) == (17, xfrm.DELSA)
