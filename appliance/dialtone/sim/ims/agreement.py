# SPDX-License-Identifier: Apache-2.0
"""The phone's half of the security agreement, and its answer to a challenge (TS 33.203, 7.2; TS 24.229, 5.1.1.5)."""

from dataclasses import dataclass

from dialtone.codec.sip import AuthParams, RegisterResponse, SipRequest
from dialtone.crypto.ipsec_keys import SaSet
from dialtone.crypto.sip_digest import AKA_V1, password_of, response_of
from dialtone.errors import ProtocolError
from dialtone.sim.ims.client import ImsClient, Secure
from dialtone.sim.usim import Authenticated
from dialtone.sip.security_agreement import Mechanism, mechanisms

_LOWEST_SPI = 256


@dataclass(frozen=True, slots=True)
class Offer:
    """What one REGISTER offers: the same SPIs and ports with every pair of algorithms (TS 33.203, Annex H)."""

    mechanisms: tuple[Mechanism, ...]


def make_offer(client: ImsClient) -> Offer:
    """Fresh SPIs, and a client port that the SAs in use do not have (TS 24.229, 5.1.1.4.1)."""
    handset, used = client.handset, {one.sas.phone.port_c for one in client.agreements()}
    if handset.one_port:
        port_c = handset.port_s
    else:
        port_c = next(port for port in range(handset.port_c, 1024, -1) if port not in used)
    spis: set[int] = {spi for one in client.agreements() for spi in (one.sas.phone.spi_c, one.sas.phone.spi_s)}
    fresh: list[int] = []
    while len(fresh) < 2:
        spi = int.from_bytes(client.random(4))
        if spi >= _LOWEST_SPI and spi not in spis:
            fresh.append(spi)
            spis.add(spi)
    return Offer(tuple(Mechanism(alg, ealg, fresh[0], fresh[1], port_c, handset.port_s)
                       for alg, ealg in handset.mechanisms))


def agree(client: ImsClient, offer: Offer, challenge: RegisterResponse, keys: Authenticated) -> Secure:
    """The SAs of a challenge. Raises ProtocolError for what a phone answers with silence: no Security-Server, one that
    it did not offer, or two between which it cannot choose."""
    texts = challenge.all("Security-Server")
    if not texts:
        raise ProtocolError("the challenge has no Security-Server", clause="TS 24.229, 5.1.1.5.1")
    given = mechanisms(challenge, "Security-Server")
    offered = {(one.alg, one.ealg) for one in offer.mechanisms}
    fitting = sorted((one for one in given if (one.alg, one.ealg) in offered), key=_preference, reverse=True)
    if not fitting:
        raise ProtocolError("Security-Server has no algorithms that the phone offered", clause="RFC 3329, 2.3.1")
    if len(fitting) > 1 and _preference(fitting[0]) == _preference(fitting[1]):
        raise ProtocolError("Security-Server has two mechanisms of the same preference", clause="RFC 3329, 2.3.1")
    chosen, mine = fitting[0], offer.mechanisms[0]
    ck, ik = (keys.ck, keys.ik) if not client.faults.wrong_ipsec_key else (bytes(16), bytes(16))
    sas = SaSet.make(mine.end(client.address), chosen.end(client.p_cscf), chosen.alg, chosen.ealg, ck, ik)
    return Secure(sas, ", ".join(texts))


def _preference(one: Mechanism) -> float:
    try:
        return float(one.q or "0.001")
    except ValueError:
        return 0.0


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a 401 asks (RFC 2617, 3.2.1)."""

    realm: str
    nonce: str
    algorithm: str
    qop: str
    opaque: str

    @classmethod
    def of(cls, client: ImsClient, answer: RegisterResponse) -> "Challenge":
        """Raises ProtocolError for one that a phone cannot answer."""
        text = answer.first("WWW-Authenticate")
        if text is None:
            raise ProtocolError("the 401 has no WWW-Authenticate", clause="RFC 3261, 20.44")
        params = AuthParams.parse(text)
        if params.scheme.lower() != "digest" or not params.get("nonce") or not params.get("realm"):
            raise ProtocolError("the challenge has no realm or no nonce", clause="RFC 2617, 3.2.1")
        if "ck" in params.params or "ik" in params.params:
            raise ProtocolError("the challenge tells CK or IK to everybody", clause="TS 24.229, 5.2.2.1")
        offered = [one.strip().lower() for one in params.get("qop").split(",") if one.strip()]
        qop = next((one for one in client.handset.qop if one in offered), "")
        if offered and not qop:
            raise ProtocolError(f"qop {params.get('qop')} is not known", clause="RFC 2617, 3.2.1")
        algorithm = params.get("algorithm", AKA_V1)
        password_of(algorithm, b"", b"", b"")  # says now whether it is known
        return cls(params.get("realm"), params.get("nonce"), algorithm, qop, params.get("opaque"))


def credentials(client: ImsClient, challenge: Challenge, request: SipRequest, keys: Authenticated | None,
                **more: str) -> str:
    """Authorization that answers a challenge. Where the card did not accept it, there are no keys: with `auts` the
    answer is made under an empty password (RFC 3310, 3.4), without it is empty (TS 24.229, 5.1.1.5.3)."""
    password = password_of(challenge.algorithm, keys.res, keys.ik, keys.ck) if keys else b""
    params = {"username": client.identity.impi, "realm": challenge.realm, "nonce": challenge.nonce,
              "uri": request.uri, "algorithm": challenge.algorithm}
    fresh = {"qop": challenge.qop, "nc": "00000001", "cnonce": client.token(16)} if challenge.qop else {}
    realm = "elsewhere.example.org" if client.faults.wrong_digest else challenge.realm
    answer = response_of(password, username=client.identity.impi, realm=realm, method=request.method,
                         uri=request.uri, nonce=challenge.nonce, qop=challenge.qop, body=request.body,
                         cnonce=fresh.get("cnonce", ""), nc=fresh.get("nc", ""))
    if keys is None and not more:
        answer = ""
    opaque = {"opaque": challenge.opaque} if challenge.opaque else {}
    return str(AuthParams("Digest", {**params, "response": answer, **fresh, **opaque, **more}))


def initial_credentials(client: ImsClient) -> str:
    """Authorization of a first REGISTER: who it is, and nothing else (TS 24.229, 5.1.1.2.2)."""
    identity = client.identity
    algorithm = {"algorithm": "MD5"} if client.faults.md5 else {}
    return str(AuthParams("Digest", {"username": identity.impi, "realm": identity.domain, "nonce": "",
                                     "uri": f"sip:{identity.domain}", "response": "", **algorithm}))
