# SPDX-License-Identifier: Apache-2.0
"""Policy beside the P-GW (TS 23.203): which dedicated bearers a PDN connection has, and who wants them.

A rule is a bearer: its class, its rates, its flows. Rules come from `[policy.<name>]` for every connection to an APN,
by command for one phone, from a call, or from the phone itself; all of them by `install` and `remove`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event
from dialtone.pgw import dedicated
from dialtone.pgw.bearer import DefaultBearerUp
from dialtone.pgw.element import Pgw, Session, on
from dialtone.pgw.rule import Rule


@dataclass(slots=True)
class InstallRules(Event):
    """Give the phone's connection to `apn` these bearers; a rule of the same name is changed."""

    imsi: str
    apn: str
    rules: tuple[Rule, ...]


@dataclass(slots=True)
class RemoveRules(Event):
    """Take the bearers of these rules away."""

    imsi: str
    apn: str
    names: tuple[str, ...]


@on.event(InstallRules)
def on_install_rules(pgw: Pgw, event: InstallRules, rx: Rx) -> Effects:
    """By command."""
    session = pgw.sessions.get((event.imsi, event.apn))
    if session is not None:
        rx.subject = session.imsi
        yield from install(pgw, session, event.rules)


@on.event(RemoveRules)
def on_remove_rules(pgw: Pgw, event: RemoveRules, rx: Rx) -> Effects:
    """Likewise."""
    session = pgw.sessions.get((event.imsi, event.apn))
    if session is not None:
        rx.subject = session.imsi
        yield from remove(pgw, session, event.names)


@on.event(DefaultBearerUp)
def on_default_bearer_up(pgw: Pgw, event: DefaultBearerUp, rx: Rx) -> Effects:
    """The static bearers of its APN follow, once."""
    session = pgw.sessions.get((event.imsi, event.apn))
    if session is not None and not session.static_rules:
        rx.subject, session.static_rules = session.imsi, True
        yield from install(pgw, session, pgw.static_rules.get(session.apn, ()))


def install(pgw: Pgw, session: Session, rules: Iterable[Rule]) -> Effects:
    """New rules get a bearer each, all in one request; those that have one get it changed."""
    new = []
    for rule in rules:
        bearer = session.bearer_of(rule.name)
        if bearer is None:
            new.append(rule)
        else:
            bearer.unwanted = False
            yield from dedicated.update(pgw, session, bearer, rule)
    if new:
        yield from dedicated.create(pgw, session, new)


def remove(pgw: Pgw, session: Session, names: Iterable[str]) -> Effects:
    """The bearers of these rules go; one that is being made goes as soon as it stands."""
    bearers = [bearer for name in names if (bearer := session.bearer_of(name)) is not None]
    for bearer in bearers:
        bearer.unwanted = True
    if standing := [bearer for bearer in bearers if bearer.ebi]:
        yield from dedicated.delete(pgw, session, standing)
