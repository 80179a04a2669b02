# SPDX-License-Identifier: Apache-2.0
"""Which codec to speak, and the answer to an offer (RFC 3264, 6; RFC 4867, 8.3; RFC 3312, 5)."""

from collections.abc import Callable
from dataclasses import dataclass

from dialtone.answer.voice import MODE
from dialtone.codec.amr import Format
from dialtone.codec.sdp import Media, Session
from dialtone.codec.sip import SipError

RATES = {"AMR": 8000, "AMR-WB": 16000}
_FIXED = ("crc", "robust-sorting", "interleaving")  # options of the payload format that nobody uses
_MIRROR = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


@dataclass(frozen=True, slots=True)
class Agreed:
    """What both ends speak, and where the other end is. `index` is that of the media description."""

    index: int
    payload_type: int
    format: Format
    address: str
    port: int
    rtcp_port: int
    direction: str  # ours
    parameters: tuple[tuple[str, str], ...] = ()


def choose(offer: Session, speaks_to: Callable[[str], bool]) -> Agreed:
    """The first payload type of the first audio that we have words for. Raises SipError (488)."""
    for index, media in enumerate(offer.media):
        address = offer.address_of(media)
        usable = media.kind == "audio" and media.port and media.proto.startswith("RTP/AVP")
        if not usable or not address or not speaks_to(address):
            continue
        for number, (encoding, rate, channels) in media.rtpmaps.items():
            parameters = media.fmtp(number)
            if RATES.get(encoding) != rate or channels != 1 or not _speakable(encoding, parameters):
                continue
            kept = tuple((name, parameters[name]) for name in ("octet-align", "mode-set") if name in parameters)
            return Agreed(index, int(number), Format(encoding, parameters.get("octet-align") == "1"), address,
                          media.port, media.rtcp_port, _MIRROR[offer.direction_of(media)], kept)
    raise SipError("no AMR or AMR-WB that the services speak is offered", cause=488, clause="RFC 3264, 6")


def _speakable(encoding: str, parameters: dict[str, str]) -> bool:
    modes = parameters.get("mode-set")
    if any(parameters.get(name, "0") != "0" for name in _FIXED):
        return False
    return modes is None or str(MODE[encoding]) in modes.replace(" ", "").split(",")


def waits(offer: Session, agreed: Agreed) -> bool:
    """Whether the other end has yet to reserve what it says must be there first (RFC 3312, 5.1.1)."""
    media = offer.media[agreed.index]
    wanted = any(line.strength == "mandatory" for line in media.preconditions("des"))
    there = {line.status: line.direction for line in media.preconditions("curr")}
    return wanted and there.get("local") != "sendrecv"


def answer(offer: Session, agreed: Agreed, address: str, port: int, version: int) -> Session:
    """Our description: one audio, everything else refused. No mode-set that was not offered, and no EVS."""
    family = "IP6" if ":" in address else "IP4"
    ours = Session(["v=0", f"o=- {version} {version} IN {family} {address}", "s=-", f"c=IN {family} {address}",
                    "t=0 0"])
    for index, theirs in enumerate(offer.media):
        if index == agreed.index:
            ours.media.append(_audio(theirs, agreed, port))
        else:
            ours.media.append(Media(kind=theirs.kind, port=0, proto=theirs.proto, formats=theirs.formats[:1]))
    return ours


def _audio(theirs: Media, agreed: Agreed, port: int) -> Media:
    number = str(agreed.payload_type)
    media = Media(["b=AS:41"], "audio", port, theirs.proto, [number])
    media.add(f"a=rtpmap:{number} {agreed.format.name}/{RATES[agreed.format.name]}/1")
    if agreed.parameters:
        media.add(f"a=fmtp:{number} {';'.join(f'{name}={value}' for name, value in agreed.parameters)}")
    media.add("a=ptime:20")
    media.add("a=maxptime:240")
    if theirs.preconditions("des"):
        there = {line.status: line.direction for line in theirs.preconditions("curr")}
        media.add("a=curr:qos local sendrecv")
        media.add(f"a=curr:qos remote {there.get('local', 'none')}")
        media.add("a=des:qos mandatory local sendrecv")
        media.add("a=des:qos mandatory remote sendrecv")
        if there.get("local") != "sendrecv":
            media.add("a=conf:qos remote sendrecv")
    media.add(f"a={agreed.direction}")
    return media
