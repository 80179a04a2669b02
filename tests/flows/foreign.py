# SPDX-License-Identifier: Apache-2.0
"""An eNB with one phone built on pycrate's S1AP and NAS, with choices that our own simulator does not make.

Only Milenage, SNOW 3G and ZUC are ours (published vectors prove them); key derivation and AES are written out here, so
that a mistake that our MME and our simulated phone share does not pass.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC
from network import OPC, K, Network
from pycrate_asn1dir import S1AP
from pycrate_mobile import NAS
from pycrate_mobile import TS24301_EMM as EMM
from pycrate_mobile import TS24301_ESM as ESM

from dialtone.crypto import snow3g, zuc
from dialtone.crypto.milenage import Milenage

_PDU = S1AP.S1AP_PDU_Descriptions.S1AP_PDU
PLMN = bytes.fromhex("00f110")
UPLINK, DOWNLINK = 0, 1
UNKNOWN_IE = 60000

Ie = tuple[int, str, str, Any]  # id, criticality, type name, value


def unknown(criticality: str) -> Ie:
    """An IE of a release that nobody has written yet."""
    return UNKNOWN_IE, criticality, "_unk_004", b"\x2a\x2b"


class S1(NamedTuple):
    """A PDU from the MME: kind, name, and the values of its IEs by their type name."""

    kind: str
    name: str
    ies: dict[str, Any]


def pdu(code: int, criticality: str, name: str, ies: Sequence[Ie], kind: str = "initiatingMessage") -> bytes:
    """Octets by pycrate."""
    _PDU.set_val((kind, {"procedureCode": code, "criticality": criticality, "value": (name, {"protocolIEs": [
        {"id": number, "criticality": strict, "value": (kind, value)} for number, strict, kind, value in ies]})}))
    octets: bytes = _PDU.to_aper()
    return octets


def parsed(octets: bytes) -> S1:
    """What pycrate reads."""
    _PDU.from_aper(octets)
    kind, value = _PDU.get_val()
    name, content = value["value"]
    return S1(kind, name, {ie["value"][0]: ie["value"][1] for ie in content["protocolIEs"]})


class Cell(NamedTuple):
    """What the eNB announces, with how it says so."""

    enb_id: tuple[str, tuple[int, int]] = ("macroENB-ID", (0x00777, 20))
    global_plmn: bytes = PLMN
    broadcast: tuple[bytes, ...] = (PLMN,)
    tac: bytes = b"\0\1"
    extra: tuple[Ie, ...] = ()


class ForeignEnb:
    """Stands on the MME's S1-MME link; `got` is what came, as pycrate reads it, with the stream it came on."""

    def __init__(self, net: Network, cell: Cell | None = None, name: str = "foreign") -> None:
        self.net, self.name, self.cell = net, name, cell or Cell()
        self.got: list[S1] = []
        self.streams: list[int] = []
        port = net.loop.ports["mme", "S1-MME"]
        self._below, port.link = port.link, self  # type: ignore[assignment]

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """The link's side."""
        if peer != self.name:
            self._below.send(element, peer, data, stream)
            return
        self.got.append(parsed(data))
        self.streams.append(stream)

    def tell(self, octets: bytes, stream: int = 0) -> None:
        """Octets to the MME, and time for the answer."""
        self.net.loop.deliver("mme", "S1-MME", self.name, octets, stream)
        self.net.run(0.05)

    def setup(self, *more: Ie) -> S1:
        """S1 Setup Request; returns the answer."""
        cell = self.cell
        self.tell(pdu(17, "reject", "S1SetupRequest", [
            (59, "reject", "Global-ENB-ID", {"pLMNidentity": cell.global_plmn, "eNB-ID": cell.enb_id}),
            (60, "ignore", "ENBname", "strangers' cell"),
            (64, "reject", "SupportedTAs", [{"tAC": cell.tac, "broadcastPLMNs": list(cell.broadcast)}]),
            (137, "ignore", "PagingDRX", "v256"), *cell.extra, *more]))
        return self.got[-1]

    def last(self, name: str) -> S1:
        """The last PDU of that name."""
        return next(message for message in reversed(self.got) if message.name == name)


class Sim(NamedTuple):
    """A card."""

    imsi: str = "001010000000001"
    k: bytes = K
    opc: bytes = OPC


def _kdf(key: bytes, fc: int, *parameters: bytes) -> bytes:
    """TS 33.220, B.2."""
    text = bytes((fc,)) + b"".join(p + len(p).to_bytes(2, "big") for p in parameters)
    return hmac.new(key, text, hashlib.sha256).digest()


class Keys:
    """NAS keys of one K_ASME (TS 33.401, A.7) and what they do (annex B)."""

    def __init__(self, kasme: bytes, eia: int, eea: int) -> None:
        self.kasme, self.eia, self.eea = kasme, eia, eea
        self.integrity = _kdf(kasme, 0x15, b"\2", bytes((eia,)))[16:]
        self.encryption = _kdf(kasme, 0x15, b"\1", bytes((eea,)))[16:]

    def mac(self, count: int, direction: int, data: bytes) -> bytes:
        """EIA1, EIA2 or EIA3, bearer 0."""
        if self.eia == 1:
            return snow3g.uia2(self.integrity, count, 0, direction, data, len(data) * 8)
        if self.eia == 3:
            return zuc.eia3(self.integrity, count, 0, direction, data, len(data) * 8)
        cmac = CMAC(algorithms.AES(self.integrity))
        cmac.update(count.to_bytes(4, "big") + bytes((direction << 2, 0, 0, 0)) + data)
        return cmac.finalize()[:4]

    def cipher(self, count: int, direction: int, data: bytes) -> bytes:
        """EEA0 to EEA3."""
        if self.eea == 0:
            return data
        if self.eea == 1:
            return snow3g.uea2(self.encryption, count, 0, direction, data)
        if self.eea == 3:
            return zuc.eea3(self.encryption, count, 0, direction, data)
        start = count.to_bytes(4, "big") + bytes((direction << 2, 0, 0, 0)) + bytes(8)
        aes = Cipher(algorithms.AES(self.encryption), modes.CTR(start)).encryptor()
        return aes.update(data) + aes.finalize()

    def kenb(self, count: int) -> bytes:
        """TS 33.401, A.3."""
        return _kdf(self.kasme, 0x11, count.to_bytes(4, "big"))


def element(tag: int, value: bytes, *, long: bool = False) -> bytes:
    """A TLV, or TLV-E."""
    return bytes((tag,)) + len(value).to_bytes(2 if long else 1, "big") + value


def octets_of(message: Any, name: str) -> bytes:
    """The value part of an element."""
    octets: bytes = message[name][-1].to_bytes()
    return octets


class ForeignPhone:
    """A phone behind a ForeignEnb, on one S1 connection at a time."""

    def __init__(self, enb: ForeignEnb, sim: Sim | None = None) -> None:
        self.enb, self.sim, self.capability = enb, sim or Sim(), bytes.fromhex("f0f0c04019")
        self.milenage = Milenage(self.sim.k, self.sim.opc)
        self.keys: Keys | None = None
        self.kasme = b""  # of an authentication whose security mode has not come yet
        self.secure = False
        self.ksi = 7
        self.up = self.down = 0
        self.enb_id = 0
        self.kenb_count = 0
        self.imeisv = "3512340698733199"
        self.stream = 1
        self.plain: list[Any] = []  # what came, deciphered
        self.seen = 0

    # ---- S1AP ----------------------------------------------------------------------------------------

    @property
    def ids(self) -> list[Ie]:
        """MME-UE-S1AP-ID and eNB-UE-S1AP-ID of the connection."""
        number = next(m.ies["MME-UE-S1AP-ID"] for m in reversed(self.enb.got)
                      if m.ies.get("ENB-UE-S1AP-ID") == self.enb_id)
        return [(0, "reject", "MME-UE-S1AP-ID", number), (8, "reject", "ENB-UE-S1AP-ID", self.enb_id)]

    def _place(self) -> tuple[Ie, Ie]:
        cell = self.enb.cell
        serving = PLMN if PLMN in cell.broadcast else cell.broadcast[0]
        return ((67, "reject", "TAI", {"pLMNidentity": serving, "tAC": cell.tac}),
                (100, "ignore", "EUTRAN-CGI", {"pLMNidentity": serving, "cell-ID": (0x0077701, 28)}))

    def initial(self, nas: bytes, *more: Ie, cause: str = "mo-Signalling") -> list[Any]:
        """Initial UE Message on a new connection."""
        self.enb_id += 1
        self.secure = False
        tai, ecgi = self._place()
        self.enb.tell(pdu(12, "ignore", "InitialUEMessage", [
            (8, "reject", "ENB-UE-S1AP-ID", self.enb_id), (26, "reject", "NAS-PDU", nas), tai, ecgi,
            (134, "ignore", "RRC-Establishment-Cause", cause), *more]), self.stream)
        return self.news()

    def uplink(self, nas: bytes, *more: Ie) -> list[Any]:
        """Uplink NAS Transport."""
        tai, ecgi = self._place()
        tai = (67, "ignore", *tai[2:])
        self.enb.tell(pdu(13, "ignore", "UplinkNASTransport",
                          [*self.ids, (26, "reject", "NAS-PDU", nas), ecgi, tai, *more]), self.stream)
        return self.news()

    def context_is_set_up(self, address: tuple[int, int] = (0x7F000009, 32), *more: Ie) -> None:
        """Initial Context Setup Response for every bearer asked for."""
        asked = self.enb.last("InitialContextSetupRequest").ies["E-RABToBeSetupListCtxtSUReq"]
        done = [{"id": 50, "criticality": "ignore", "value": ("E-RABSetupItemCtxtSURes", {
            "e-RAB-ID": item["value"][1]["e-RAB-ID"], "transportLayerAddress": address,
            "gTP-TEID": b"\0\0\x09" + bytes((item["value"][1]["e-RAB-ID"],))})} for item in asked]
        ids = [(number, "ignore", *rest) for number, _, *rest in self.ids]
        self.enb.tell(pdu(9, "reject", "InitialContextSetupResponse", [
            *ids, (51, "ignore", "E-RABSetupListCtxtSURes", done), *more], "successfulOutcome"), self.stream)  # type: ignore[list-item]

    def released(self) -> None:
        """UE Context Release Complete."""
        pair = self.enb.last("UEContextReleaseCommand").ies["UE-S1AP-IDs"][1]
        self.enb.tell(pdu(23, "reject", "UEContextReleaseComplete", [
            (0, "ignore", "MME-UE-S1AP-ID", pair["mME-UE-S1AP-ID"]),
            (8, "ignore", "ENB-UE-S1AP-ID", pair["eNB-UE-S1AP-ID"])], "successfulOutcome"), self.stream)

    # ---- NAS -----------------------------------------------------------------------------------------

    def news(self) -> list[Any]:
        """The NAS messages that came since the last call, deciphered; every MAC and count is checked."""
        fresh = []
        for message in self.enb.got[self.seen:]:
            pdus = [message.ies["NAS-PDU"]] if "NAS-PDU" in message.ies else [
                item["value"][1]["nAS-PDU"] for item in message.ies.get("E-RABToBeSetupListCtxtSUReq", ())
                if "nAS-PDU" in item["value"][1]]
            fresh += [self._taken(octets) for octets in pdus]
        self.seen = len(self.enb.got)
        self.plain += fresh
        return fresh

    def _taken(self, octets: bytes) -> Any:
        header = octets[0] >> 4
        if header == 0:
            assert not self.secure, "plain NAS after security"
        elif header == 3:
            self._security_mode(octets)
            octets = octets[6:]
        else:
            assert self.keys is not None
            assert header == 2
            count = self.down
            assert octets[5] == count & 0xFF
            assert self.keys.mac(count, DOWNLINK, octets[5:]) == octets[1:5]
            octets = self.keys.cipher(count, DOWNLINK, octets[6:])
            self.down, self.secure = count + 1, True
        message, error = NAS.parse_NAS_MT(octets)
        assert error == 0, octets.hex()
        assert message.to_bytes() == octets  # and nothing in it is strange to pycrate
        return message

    def _security_mode(self, octets: bytes) -> None:
        chosen, self.ksi = octets[8], octets[9] & 7
        self.keys = Keys(self.kasme, chosen & 7, chosen >> 4 & 7)
        assert self.keys.mac(octets[5], DOWNLINK, octets[5:]) == octets[1:5]
        self.up, self.down, self.secure = 0, octets[5] + 1, True

    def wrap(self, plain: bytes, header: int = 2) -> bytes:
        """Protect, where there are keys."""
        if self.keys is None or not (self.secure or header == 1):
            return plain
        count, self.up = self.up, self.up + 1
        inner = plain if header in (1, 3) else self.keys.cipher(count, UPLINK, plain)
        covered = bytes((count & 0xFF,)) + inner
        return bytes((header << 4 | 7,)) + self.keys.mac(count, UPLINK, covered) + covered

    def attach_request(self, *, identity: dict[str, Any] | bytes | None = None, esm: bytes = b"", kind: int = 1,
                       more: bytes = b"") -> bytes:
        """An Attach Request in plain; `more`: optional elements as octets."""
        esm = esm or self.pdn_request()
        message = EMM.EMMAttachRequest(val={
            "EPSAttachType": kind, "NAS_KSI": self.ksi, "UENetCap": self.capability, "ESMContainer": esm,
            "EPSID": identity if identity is not None else {"type": 1, "ident": self.sim.imsi}})
        octets: bytes = message.to_bytes()
        return octets + more

    def pdn_request(self, *, pco: bytes | None = None, kind: int = 1, request: int = 1, flag: bool = False,
                    pti: int = 17, more: bytes = b"") -> bytes:
        """A PDN Connectivity Request with the protocol configuration options given, or none at all."""
        message = ESM.ESMPDNConnectivityRequest(val={"ESMHeader": {"EPSBearerId": 0, "PTI": pti},
                                                     "PDNType": kind, "RequestType": request})
        octets: bytes = message.to_bytes()
        return octets + (b"\xd1" if flag else b"") + (element(0x27, pco) if pco is not None else b"") + more

    def challenge_answered(self, request: Any, plmn: bytes = PLMN) -> list[Any]:
        """Authentication Response; K_ASME by TS 33.401, A.2, for the network that we believe to be in."""
        rand, autn = octets_of(request, "RAND"), octets_of(request, "AUTN")
        res, ck, ik, ak = self.milenage.f2345(rand)
        sqn_ak = autn[:6]
        sqn = bytes(a ^ b for a, b in zip(sqn_ak, ak, strict=True))
        assert self.milenage.f1(rand, sqn, autn[6:8]) == autn[8:]
        self.kasme = _kdf(ck + ik, 0x10, plmn, sqn_ak)
        return self.uplink(self.wrap(EMM.EMMAuthenticationResponse(val={"RES": res}).to_bytes()))

    def security_mode_complete(self, more: bytes = b"", *, imeisv: bool = True) -> list[Any]:
        """Security Mode Complete."""
        plain = b"\x07\x5e"
        if imeisv:
            digits = self.imeisv + "f"
            body = bytes((int(digits[0]) << 4 | 3,)) + bytes(
                int(digits[i + 1], 16) << 4 | int(digits[i], 16) for i in range(1, 17, 2))
            plain += element(0x23, body)
        self.kenb_count = self.up
        return self.uplink(self.wrap(plain + more, 4))

    def attach_complete(self, ebi: int = 5) -> list[Any]:
        """Attach Complete with the bearer accepted."""
        accept = bytes((ebi << 4 | 2, 0, 0xC2))
        return self.uplink(self.wrap(b"\x07\x43" + len(accept).to_bytes(2, "big") + accept))

    def attach(self, request: bytes | None = None, *more: Ie, set_up: Callable[[], object] | None = None,
               complete: bytes = b"", plmn: bytes = PLMN, apn: bytes = b"\x03ims") -> Any:
        """A whole attach; returns the Attach Accept, or whatever came in its place, as pycrate reads it."""
        self.kenb_count = self.up
        news = self.initial(self.wrap(request if request is not None else self.attach_request(), 1), *more)
        while True:
            (message,) = news
            name = message._name
            if name == "EMMIdentityRequest":
                identity = EMM.EMMIdentityResponse(val={"ID": {"type": 1, "ident": self.sim.imsi}})
                news = self.uplink(identity.to_bytes())
            elif name == "EMMAuthenticationRequest":
                news = self.challenge_answered(message, plmn)
            elif name == "EMMSecurityModeCommand":
                news = self.security_mode_complete(complete)
            elif name == "ESMInformationRequest":
                news = self.uplink(self.wrap(bytes((0x02, message["ESMHeader"]["PTI"].get_val(), 0xDA))
                                             + element(0x28, apn)))
            else:
                break
        if name != "EMMAttachAccept":
            return message
        setup = self.enb.last("InitialContextSetupRequest").ies
        key, bits = setup["SecurityKey"]
        assert self.keys is not None
        assert key.to_bytes(bits // 8, "big") == self.keys.kenb(self.kenb_count)
        (set_up or self.context_is_set_up)()
        (information,) = self.attach_complete()
        assert information._name == "EMMInformation"
        return message

    @property
    def names(self) -> list[str]:
        """What came, by pycrate's names."""
        return [message._name for message in self.plain]
