# SPDX-License-Identifier: Apache-2.0
"""What a call says of its media: offers as VoLTE handsets make them, and answers to those of others (RFC 3264;
TS 26.114, 6.2; preconditions of RFC 3312)."""

from dataclasses import dataclass

from dialtone.codec import sdp
from dialtone.codec.amr import Format
from dialtone.codec.sdp import Media, Session
from dialtone.errors import ProtocolError
from dialtone.sip.flow import bracketed

NOT_ACCEPTABLE_HERE = 488
_RATES = {"AMR-WB": 16_000, "AMR": 8_000}
_OFFER = (("116", "AMR-WB"), ("118", "AMR"))
_VIDEO, _VIDEO_CLOCK = "113", 90_000
_VIDEO_PORTS = 200
"""Video has ports of its own, so much above those of the voice."""
_EVENTS = (("111", 16_000), ("110", 8_000))
_MIRROR = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


@dataclass(frozen=True, slots=True)
class Codec:
    """What both ends speak: payload type, and how its packets are written."""

    payload_type: int
    format: Format

    @property
    def clock(self) -> int:
        """Rate of its time stamps."""
        return _RATES[self.format.name]


@dataclass(slots=True)
class Local:
    """Our half: where we hear, which way media go, how often we have said so. `video` is None until somebody speaks of
    it, and then whether the call has it."""

    address: str
    port: int
    session: int
    version: int = 0
    direction: str = "sendrecv"
    video: bool | None = None

    def head(self) -> list[str]:
        """The session's own lines; each description has another version (RFC 3264, 8)."""
        self.version += 1
        kind = "IP6" if ":" in self.address else "IP4"
        return ["v=0", f"o=- {self.session} {self.version} IN {kind} {self.address}", "s=-",
                f"c=IN {kind} {self.address}", "b=AS:41", "t=0 0"]


@dataclass(frozen=True, slots=True)
class Readiness:
    """The preconditions (RFC 3312, 5.1): which ends have their bearers; `wanted` False leaves them out."""

    wanted: bool
    local: bool = False
    remote: bool = False
    confirm: bool = False

    def lines(self) -> list[str]:
        """As attributes, in the order in which handsets write them."""
        if not self.wanted:
            return []
        state = {True: "sendrecv", False: "none"}
        lines = [f"a=curr:qos local {state[self.local]}", f"a=curr:qos remote {state[self.remote]}",
                 "a=des:qos mandatory local sendrecv", "a=des:qos mandatory remote sendrecv"]
        return [*lines, "a=conf:qos remote sendrecv"] if self.confirm else lines


def offer(local: Local, ready: Readiness, *, aligned: bool) -> bytes:
    """Audio with AMR-WB and AMR, and telephone events at both rates."""
    audio = Media(kind="audio", port=local.port, proto="RTP/AVP",
                  formats=[number for number, _ in (*_OFFER, *_EVENTS)])
    audio.lines = ["b=AS:41", "b=RS:512", "b=RR:1537"]
    align = ";octet-align=1" if aligned else ""
    for number, name in _OFFER:
        audio.lines += [f"a=rtpmap:{number} {name}/{_RATES[name]}/1",
                        f"a=fmtp:{number} mode-change-capability=2;max-red=0{align}"]
    for number, rate in _EVENTS:
        audio.lines += [f"a=rtpmap:{number} telephone-event/{rate}", f"a=fmtp:{number} 0-15"]
    audio.lines += [*ready.lines(), f"a={local.direction}", "a=ptime:20", "a=maxptime:240"]
    media = [audio] if local.video is None else [audio, _picture(local, ready, local.direction)]
    return sdp.encode(Session(lines=local.head(), media=media))


def _picture(local: Local, ready: Readiness, direction: str, payload: str = _VIDEO) -> Media:
    """H.264 at the constrained baseline profile (TS 26.114, 5.2.2; IR.94, 3.3); port 0 where it is over."""
    if not local.video:
        return Media(kind="video", port=0, proto="RTP/AVP", formats=[payload])
    video = Media(kind="video", port=local.port + _VIDEO_PORTS, proto="RTP/AVP", formats=[payload])
    video.lines = ["b=AS:512", "b=RS:8000", "b=RR:6000", f"a=rtpmap:{payload} H264/{_VIDEO_CLOCK}",
                   f"a=fmtp:{payload} profile-level-id=42C00C;packetization-mode=1", *ready.lines(), f"a={direction}"]
    return video


def pictures(remote: Session) -> str | None:
    """The payload type of H.264 in a description that has video; None without."""
    return next((number for one in remote.media if one.kind == "video" and one.port
                 for number, kind in one.rtpmaps.items() if kind.encoding == "H264"), None)


def answer(local: Local, remote: Session, ready: Readiness) -> tuple[bytes, Codec]:
    """The answer to an offer: its first codec that we have, with its own payload types; other media are refused by port
    0 (RFC 3264, 6). Raises ProtocolError with 488 where there is none."""
    audio, codec = audio_of(remote), codec_of(remote)
    number = str(codec.payload_type)
    maps = audio.rtpmaps
    event = next((other for other, one in maps.items()
                  if one.encoding == "TELEPHONE-EVENT" and one.rate == codec.clock), None)
    reply = Media(kind="audio", port=local.port, proto=audio.proto, formats=[number, *([event] if event else [])])
    align = ";octet-align=1" if codec.format.aligned else ""
    reply.lines = ["b=AS:41", "b=RS:512", "b=RR:1537", f"a=rtpmap:{number} {codec.format.name}/{codec.clock}/1",
                   f"a=fmtp:{number} mode-change-capability=2;max-red=0{align}"]
    if event:
        reply.lines += [f"a=rtpmap:{event} telephone-event/{codec.clock}", f"a=fmtp:{event} 0-15"]
    theirs = _MIRROR[remote.direction_of(audio)]
    direction = theirs if local.direction == "sendrecv" or theirs == "inactive" else local.direction
    reply.lines += [*ready.lines(), f"a={direction}", "a=ptime:20", "a=maxptime:240"]
    media = []
    for one in remote.media:
        if one is audio:
            media.append(reply)
        elif one.kind == "video" and local.video and (payload := pictures(remote)) is not None:
            media.append(_picture(local, ready, direction, payload))
        else:
            media.append(Media(kind=one.kind, port=0, proto=one.proto, formats=one.formats))
    return sdp.encode(Session(lines=local.head(), media=media)), codec


def audio_of(remote: Session) -> Media:
    """The audio of a description. Raises ProtocolError."""
    for media in remote.media:
        if media.kind == "audio" and media.port:
            return media
    raise ProtocolError("there is no audio", cause=NOT_ACCEPTABLE_HERE, clause="RFC 3264, 6")


def codec_of(remote: Session) -> Codec:
    """The first codec of a description that we have. Raises ProtocolError."""
    audio = audio_of(remote)
    for number, one in audio.rtpmaps.items():
        if one.encoding in _RATES and one.rate == _RATES[one.encoding] and number in audio.formats:
            return Codec(int(number), Format(one.encoding, audio.fmtp(number).get("octet-align") == "1"))
    raise ProtocolError("there is no codec that the phone has", cause=NOT_ACCEPTABLE_HERE, clause="RFC 3264, 6")


def destination(remote: Session) -> tuple[str, int]:
    """Where our media go. Raises ProtocolError."""
    audio = audio_of(remote)
    address = remote.address_of(audio)
    if address is None:
        raise ProtocolError("there is no address for the audio", cause=400, clause="RFC 4566, 5.7")
    return address, audio.port


def direction_to_us(remote: Session) -> str:
    """Which way media go, seen from our end."""
    return _MIRROR[remote.direction_of(audio_of(remote))]


def has_preconditions(remote: Session) -> bool:
    """Whether its sender waits for bearers (RFC 3312)."""
    return bool(audio_of(remote).preconditions("des"))


def is_ready(remote: Session) -> bool:
    """Whether the bearer at the sender's end is there."""
    return any(one.status in ("local", "e2e") and one.direction == "sendrecv"
               for one in audio_of(remote).preconditions("curr"))


def where(address: str, port: int) -> str:
    """`10.46.0.3:50000`, for people."""
    return f"{bracketed(address)}:{port}"
