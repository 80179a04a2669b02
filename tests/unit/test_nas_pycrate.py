# SPDX-License-Identifier: Apache-2.0
"""NAS both ways against pycrate: it splits what we encode as we do, and we decode what it encodes."""

import logging
from typing import Any

import pytest
from nas_samples import CLASSES, GUTI, HOME, NOT_IN_PYCRATE, SERVICE_REQUEST, VALUES, H, full, minimal

from dialtone.codec import nas
from dialtone.codec.nas import compiler, identities, ies
from dialtone.codec.nas.tables import HALF, Codec, EsmMessage, NasMessage
from dialtone.ids import Plmn, Tai

logging.getLogger("pycrate_mobile.TS24301_EMM").setLevel(logging.CRITICAL)  # it misses a module we do not need
NASLTE = pytest.importorskip("pycrate_mobile.NASLTE")
TS24301_IE = pytest.importorskip("pycrate_mobile.TS24301_IE")
TS24008_IE = pytest.importorskip("pycrate_mobile.TS24008_IE")
TS23038 = pytest.importorskip("pycrate_mobile.TS23038")


def _octets(element: compiler._Element, value: Any) -> bytes:
    if isinstance(value, int) and not isinstance(element.value, Codec):
        size = element.format.low - (1 if element.format.iei else 0) - compiler._LENGTH_OCTETS[element.format.kind]
        return value.to_bytes(max(size, 1))
    if isinstance(value, bytes):
        return value
    return element.value.encode(value) if isinstance(element.value, Codec) else value.to_bytes()


def ours(message: NasMessage) -> list[tuple[int, bytes]]:
    """(IEI or 0, octets of the value part) of every element there, half octets as one octet."""
    found = []
    for element in compiler._elements(type(message)):
        value = getattr(message, element.name)
        if value is not None:
            found.append((element.format.iei, _octets(element, value)))
    return found


def theirs(message: Any) -> list[tuple[int, bytes]]:
    """The same of a pycrate message."""
    found = []
    for element in list(message)[1:]:
        if element._name == "spare":
            continue
        tag = element[0].get_val() if element[0]._name == "T" else 0
        value = element[-1]
        found.append((tag, value.to_bytes() if value.get_bl() > 4 else bytes((value.to_uint(),))))
    return found


@pytest.mark.parametrize(("cls", "downlink"), CLASSES, ids=[cls.__name__ for cls, _ in CLASSES])
def test_pycrate_splits_our_messages_as_we_do(cls, downlink):
    parse = NASLTE.parse_NASLTE_MT if downlink else NASLTE.parse_NASLTE_MO
    for message in (minimal(cls), full(cls, tuple(NOT_IN_PYCRATE))):
        octets = nas.encode(message)
        parsed, error = parse(octets, inner=False)
        assert error == 0
        assert parsed.to_bytes() == octets
        assert _sorted_halves(theirs(parsed), cls) == ours(message)


def _sorted_halves(found: list[tuple[int, bytes]], cls: type[NasMessage]) -> list[tuple[int, bytes]]:
    """pycrate lists the upper half octet of a pair first, the specification's table the lower one."""
    halves = [element.format.low for element in compiler._elements(cls)]
    if halves[:2] == [HALF, HALF]:
        found[:2] = found[1::-1]
    elif halves[1:3] == [HALF, HALF]:
        found[1:3] = found[2:0:-1]
    return found


@pytest.mark.parametrize(("cls", "downlink"), CLASSES, ids=[cls.__name__ for cls, _ in CLASSES])
def test_we_read_what_pycrate_builds(cls, downlink):
    """Its message class filled with the values of each element, encoded by it, decoded by us."""
    message = full(cls, tuple(NOT_IN_PYCRATE))
    parsed, _ = (NASLTE.parse_NASLTE_MT if downlink else NASLTE.parse_NASLTE_MO)(nas.encode(message), inner=False)
    built = type(parsed)()
    if issubclass(cls, EsmMessage):
        built[0].set_val({"EPSBearerId": VALUES["eps_bearer_identity"], "PTI": 1})
    for mine, their in zip(built._content[1:], parsed._content[1:], strict=True):
        mine.set_trans(their.get_trans())
        if not their.get_trans() and mine._name != "spare":
            _fill(mine[-1], their[-1])
    assert nas.decode(built.to_bytes(), downlink=downlink) == message


def _fill(mine: Any, their: Any) -> None:
    if type(mine).__name__ == "Buf":
        mine.set_val(their.to_bytes())
    elif hasattr(mine, "get_val_d"):
        mine.from_bytes(their.to_bytes())
    else:
        mine.set_val(their.get_val() if type(mine) is type(their) else their.to_uint())


@pytest.mark.parametrize("digits", ["001010123456789", "00101012345678", "310410123456789"])
def test_identities_are_pycrates(digits):
    theirs = TS24301_IE.EPSID()
    theirs.encode(TS24301_IE.IDTYPE_IMSI, digits)
    assert identities.decode_eps_mobile_identity(theirs.to_bytes()) == identities.Imsi(digits)
    theirs = TS24008_IE.ID()
    theirs.encode(TS24008_IE.IDTYPE_IMSI, digits)
    assert identities.encode_mobile_identity(identities.Imsi(digits)) == theirs.to_bytes()
    theirs = TS24008_IE.ID()
    theirs.encode(TS24008_IE.IDTYPE_IMEISV, digits[:6] + "1234567890")
    assert identities.decode_mobile_identity(theirs.to_bytes()) == identities.Imeisv(digits[:6] + "1234567890")


@pytest.mark.parametrize("plmn", [HOME, Plmn("310", "410")])
def test_gutis_are_pycrates(plmn):
    theirs = TS24301_IE.EPSID()
    theirs.encode(TS24301_IE.IDTYPE_GUTI, (plmn.mcc + plmn.mnc, 0x0102, 0x7F, 0xC0FFEE42))
    assert identities.encode_eps_mobile_identity(GUTI._replace(plmn=plmn)) == theirs.to_bytes()
    assert identities.decode_eps_mobile_identity(theirs.to_bytes()) == GUTI._replace(plmn=plmn)


@pytest.mark.parametrize(
    ("kind", "tais"),
    [
        (0, [Tai(HOME, 5)]),
        (0, [Tai(HOME, tac) for tac in (9, 1, 65535)]),
        (1, [Tai(HOME, tac) for tac in range(100, 116)]),
        (2, [Tai(HOME, 1), Tai(Plmn("310", "410"), 2)]),
    ],
)
def test_tai_lists_are_pycrates(kind, tais):
    ours_list = identities.TaiList((identities.PartialTaiList(kind, tuple(tais)),))
    octets = ours_list.to_bytes()
    their_list = TS24301_IE.TAIList()
    their_list.from_bytes(octets)
    assert their_list.to_bytes() == octets
    part = their_list[0].get_val_d()
    assert (part["Type"], part["PTAI"]["Num"]) == (kind, len(tais) - 1)
    listed = their_list[0]["PTAI"].get_alt().get_tai()
    assert listed == {(tai.plmn.mcc + tai.plmn.mnc, tai.tac) for tai in tais}
    assert identities.TaiList.from_bytes(octets) == ours_list
    assert list(ours_list) == tais


@pytest.mark.parametrize("text", ["Dialtone", "Übung €5", "1234567", "12345678", "@", "{^}"])
def test_the_gsm_alphabet_is_pycrates(text):
    octets = ies.NetworkName.of(text).to_bytes()
    theirs = TS24008_IE.NetworkName()
    theirs.from_bytes(octets)
    coding = (theirs["Coding"].get_val(), theirs["AddCountryInitials"].get_val(), theirs["SpareBits"].get_val())
    assert coding == (0, 0, octets[0] & 7)
    assert TS23038.decode_7b(octets[1:]).rstrip("@") == text.rstrip("@")


def test_service_request_is_pycrates():
    parsed, error = NASLTE.parse_NASLTE_MO(nas.encode(SERVICE_REQUEST))
    assert error == 0
    value = parsed.get_val_d()
    assert (value["KSI"], value["SeqnShort"], value["MACShort"]) == (3, 17, H("beef"))


def test_pycrate_finds_the_same_causes_of_error():
    for octets, cause in ((H("07fe"), 97), (H("0752"), 96), (H("0741"), 96), (H("0201c5"), 96)):
        with pytest.raises(nas.ProtocolError) as caught:
            nas.decode(octets)
        assert caught.value.cause == cause == NASLTE.parse_NASLTE_MO(octets)[1]
