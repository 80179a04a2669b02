# SPDX-License-Identifier: Apache-2.0
"""The network has lost the phone's registration, and the phone makes it anew (TS 24.229, 5.1.2A.1.6; TS 23.380).

A 504 of the S-CSCF says it. A P-CSCF that has lost the SAs says nothing at all: then the phone refreshes, and when that
is not answered either, begins from the beginning.
"""

from collections.abc import Iterator

from dialtone.codec import xml
from dialtone.codec.sip import NameAddr, SipResponse
from dialtone.effects import Effect
from dialtone.errors import ProtocolError
from dialtone.sim.ims import registration
from dialtone.sim.ims.client import ImsClient
from dialtone.sim.ims.states import RegistrationState

TYPE, CLAUSE = "application/3gpp-ims+xml", "TS 24.229, 7.6"
SERVER_TIMEOUT = 504


def alternative(msg: SipResponse) -> str:
    """The alternative service that an answer names: `emergency`, `restoration`; empty without one."""
    if msg.content_type != TYPE:
        return ""
    try:
        return xml.parse(msg.body, "ims-3gpp", CLAUSE).findtext("alternative-service/type") or ""
    except ProtocolError:
        return ""


def refused(client: ImsClient, msg: SipResponse) -> Iterator[Effect]:
    """What a refusal means for the registration: nothing, unless the S-CSCF that granted it has lost it."""
    if msg.status != SERVER_TIMEOUT or alternative(msg) != "restoration" or client.registration is None:
        return
    asserted = msg.first("P-Asserted-Identity")
    granted = [NameAddr.parse(route).uri for route in client.registration.service_route[-1:]]
    if asserted is not None and NameAddr.parse(asserted).uri in granted:
        yield from client.move("ended by the network")
        yield from registration.lost(client, "the network has lost the registration")
        yield from registration.begin(client)


def silent(client: ImsClient) -> Iterator[Effect]:
    """Not a word to a request."""
    if client.state == RegistrationState.REGISTERED:
        yield from registration.refresh(client)
