# SPDX-License-Identifier: Apache-2.0
"""What the S-CSCF keeps of a private identity: its subscription, contacts, the challenge that is under way, and who
watches its registration."""

from dataclasses import dataclass, field

from dialtone.codec.ims_subscription import ImsSubscription, PublicIdentity, ServiceProfile
from dialtone.codec.sip import SipUri
from dialtone.codec.sip.grammar import Params
from dialtone.scscf.numbers import same_identity
from dialtone.scscf.states import RegistrationState
from dialtone.sip.dialog import Dialog

MOST_CONTACTS = 8
"""Contacts of one private identity; the one refreshed longest ago gives way to a new one."""


@dataclass(slots=True)
class Contact:
    """A binding (TS 24.229, 5.4.1.2.2F). `key` tells whether a new one takes its place: the instance, or the URI.
    `expires` in seconds since the epoch; `params` are the Contact's, features among them."""

    id: str
    key: str
    uri: str
    params: Params
    path: tuple[str, ...]
    call_id: str
    cseq: int
    expires: float
    display: str = ""

    @property
    def emergency(self) -> bool:
        """Whether it was registered for calls to 112 only: nothing else goes there (TS 24.229, 5.4.8)."""
        return "sos" in SipUri.parse(self.uri).params

    @property
    def q(self) -> float:
        """Preference; 1 without (RFC 3261, 20.10)."""
        try:
            return min(max(float(self.params.get("q") or 1.0), 0.0), 1.0)
        except ValueError:
            return 0.0


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a phone was asked (RFC 3310), and what it must answer with."""

    nonce: str
    algorithm: str
    password: bytes


@dataclass(slots=True)
class Watcher:
    """A subscription to the registration state: a dialog that we are the notifier of (RFC 3680; RFC 6665)."""

    dialog: Dialog
    expires: float = 0.0
    version: int = 0


@dataclass(slots=True)
class User:
    """A private identity."""

    impi: str
    state: RegistrationState = RegistrationState.NOT_REGISTERED
    subscription: ImsSubscription | None = None
    found_by: tuple[str, ...] = ()  # the identities that it is served under
    contacts: dict[str, Contact] = field(default_factory=dict)
    watchers: dict[tuple[str, str, str], Watcher] = field(default_factory=dict)
    challenge: Challenge | None = None
    third_parties: dict[str, int] = field(default_factory=dict)  # application servers that know of it, with their CSeq

    @property
    def subject(self) -> str:
        """The IMSI where the identity is made of one, for the trace."""
        return self.impi.partition("@")[0]

    @property
    def identities(self) -> tuple[PublicIdentity, ...]:
        """The implicit registration set."""
        return self.subscription.identities if self.subscription else ()

    @property
    def associated(self) -> tuple[str, ...]:
        """Its identities that calls may be made with, in the order of P-Associated-URI: phones show the first one."""
        return tuple(each.identity for each in self.identities if not each.barred)

    def identity(self, uri: str) -> PublicIdentity | None:
        """The identity of the set that a URI names."""
        return next((each for each in self.identities if same_identity(each.identity, uri)), None)

    def profile(self, uri: str) -> ServiceProfile | None:
        """The service profile of an identity."""
        return next((profile for profile in (self.subscription.profiles if self.subscription else ())
                     if any(same_identity(each.identity, uri) for each in profile.identities)), None)

    def live(self, now: float) -> list[Contact]:
        """Contacts that have not expired and take any request, the preferred ones first."""
        return sorted((each for each in self.contacts.values() if each.expires > now and not each.emergency),
                      key=lambda each: -each.q)

    @property
    def idle(self) -> bool:
        """Whether nothing of it is left to remember."""
        return (self.state is RegistrationState.NOT_REGISTERED and self.challenge is None and not self.contacts
                and not self.watchers)
