# SPDX-License-Identifier: Apache-2.0
"""Security mechanism agreement between a phone and its P-CSCF (RFC 3329; TS 33.203, Annex H).

The phone offers in Security-Client, the network chooses and says what it has in Security-Server, and the phone repeats
that in Security-Verify, now protected, so that nobody in between can have taken the better mechanisms away.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dialtone.codec.sip import SipError, SipMessage
from dialtone.codec.sip.grammar import Known, Params, format_params, parse_params, unquote
from dialtone.crypto.ipsec_keys import ENCRYPTION, INTEGRITY, End

SEC_AGREE = "sec-agree"
NAME = "ipsec-3gpp"
CLAUSE = "RFC 3329, 2.2"
MOST = 16  # mechanisms of an offer that are read; six is what there are pairs of algorithms


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One `ipsec-3gpp` mechanism (TS 33.203, Annex H.2): algorithms, and SPIs and ports of whoever wrote it."""

    alg: str
    ealg: str
    spi_c: int
    spi_s: int
    port_c: int
    port_s: int
    q: str = ""

    @classmethod
    def parse(cls, text: str) -> "Mechanism":
        """Raises SipError. Without ealg it is null, without prot esp, without mod trans."""
        _, _, rest = text.partition(";")
        params = parse_params(f";{rest}")
        if _word(params, "prot", "esp") != "esp" or _word(params, "mod", "trans") not in ("trans", "transport"):
            raise SipError(f"{text[:80]!r} is not ESP in transport mode", clause="TS 33.203, Annex H")
        spi_c, spi_s = (_number(params, name, 256, 0xFFFFFFFF) for name in ("spi-c", "spi-s"))
        port_c, port_s = (_number(params, name, 1, 65535) for name in ("port-c", "port-s"))
        if spi_c == spi_s:
            raise SipError("spi-c and spi-s are the same", clause="TS 33.203, 7.1")
        return cls(_word(params, "alg", ""), _word(params, "ealg", "null"), spi_c, spi_s, port_c, port_s,
                   params.get("q") or "")

    def end(self, address: str) -> End:
        """What it says of whoever wrote it."""
        return End(address, self.port_c, self.port_s, self.spi_c, self.spi_s)

    def __str__(self) -> str:
        params: dict[str, str | None] = {"q": self.q} if self.q else {}
        params |= {"alg": self.alg, "prot": "esp", "mod": "trans", "ealg": self.ealg, "spi-c": str(self.spi_c),
                   "spi-s": str(self.spi_s), "port-c": str(self.port_c), "port-s": str(self.port_s)}
        return NAME + format_params(params)


def mechanisms(message: SipMessage, header: str) -> list[Mechanism]:
    """What a Security-Client or Security-Server lists, in its order, in one line or several. Others than ipsec-3gpp, or
    with algorithms that nobody here has, are passed over; so is what cannot be read, as long as something can.

    Raises SipError when nothing can."""
    found: list[Mechanism] = []
    wrong: SipError | None = None
    for text in message.all(header)[:MOST]:
        if text.partition(";")[0].strip().lower() != NAME:
            continue
        try:
            one = Mechanism.parse(text)
        except SipError as error:
            wrong = error
            continue
        if one.alg in INTEGRITY and one.ealg in ENCRYPTION:
            found.append(one)
    if wrong is not None and not found:
        raise wrong
    return found


def choose(offer: Sequence[Mechanism], integrity: Sequence[str], encryption: Sequence[str]) -> Mechanism | None:
    """The mechanism of the offer that we like best, by encryption first; None when none will do (RFC 3329, 2.3.1: the
    preference is the server's)."""
    fitting = [one for one in offer if one.alg in integrity and one.ealg in encryption]
    return min(fitting, key=lambda one: (encryption.index(one.ealg), integrity.index(one.alg)), default=None)


def repeats(verify: Sequence[str], server: str) -> bool:
    """Whether Security-Verify is what we said in Security-Server: the same mechanism with the same parameters, however
    it is spaced and in whatever order they are (RFC 3329, 2.3.1)."""
    try:
        return [_CANONICAL[text] for text in verify] == [_CANONICAL[server]]
    except SipError:
        return False


def requires(message: SipMessage) -> bool:
    """Whether the sender insists on an agreement."""
    return any(SEC_AGREE in (option.lower() for option in message.all(name)) for name in ("Require", "Proxy-Require"))


def take_out(message: SipMessage) -> None:
    """What is between phone and P-CSCF only goes no further (TS 24.229, 5.2.2.2)."""
    message.remove("Security-Client", "Security-Verify")
    for name in ("Require", "Proxy-Require"):
        options = message.all(name)
        rest = [option for option in options if option.lower() != SEC_AGREE]
        if rest != options:
            message.remove(name)
            if rest:
                message.append(name, ", ".join(rest))


def _canonical(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    name, _, rest = text.partition(";")
    params = parse_params(f";{rest}" if rest.strip() else "")
    return name.strip().lower(), tuple(sorted((key, unquote(value or "").lower()) for key, value in params.items()))


_CANONICAL = Known(_canonical)


def _word(params: Params, name: str, default: str) -> str:
    return unquote((params.get(name) or default).strip()).lower()


def _number(params: Params, name: str, low: int, high: int) -> int:
    text = unquote((params.get(name) or "").strip())
    if not text.isascii() or not text.isdigit() or len(text) > 10 or not low <= int(text) <= high:
        raise SipError(f"{name} is {text[:20]!r}", clause="TS 33.203, Annex H")
    return int(text)
