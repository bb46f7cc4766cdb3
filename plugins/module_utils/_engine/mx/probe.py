# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks SMTP servers, few at a time and never with a message: mail hosts from this host, this host from elsewhere."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.stranger import foreign_recipients
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.answers import accepts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence, Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import best_other_exchanger
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import (
    sending_service,
    written_program,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.stranger import StrangerEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.findings import stranger_findings
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.probe_senders import ProbeSenders, read_senders
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import (
    addresses_by_domain,
    domain_names,
    is_hop,
    port_of_hop,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.people import unnamed
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.quoted import PROBE, without_people
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import names_in
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import Network
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import (
    BOUNCES,
    PORT,
    PROXY,
    XCLIENT,
    Approach,
    Prober,
    Transaction,
)

# Beyond these, a probe is a nuisance to the one who is probed.
DOMAINS = 20
SECONDS = 60.0
CONVERSATION_SECONDS = 15.0
# Postfix slows down clients that err ten times; each of these is asked by two senders.
ERRORS_AT_ONCE = 4
NOT_AVAILABLE = 421
USUAL_DELIMITER = "+"
# With a listed recipient and an unknown one these are four for each domain.
DELIMITERS_ASKED = 2


def unknown_recipient(domain: str) -> str:
    """A recipient, or a sender, that nobody has. Greylisting knows a sender that is not fresh, and lets it through."""
    return f"{PROBE}-{secrets.token_hex(6)}@{domain}"


def tagged(recipient: str, ours: str) -> dict[str, str]:
    """The recipient with something behind two delimiters, the usual one and ours: see recipient_delimiter."""
    local, _at, name = recipient.rpartition("@")
    delimiters = list(dict.fromkeys([USUAL_DELIMITER, *ours]))[:DELIMITERS_ASKED]
    free = [delimiter for delimiter in delimiters if local and delimiter not in local and delimiter not in '"@']
    return {delimiter: f"{local}{delimiter}{PROBE}@{name}" for delimiter in free}


def ask_mail_hosts(
    domains: Sequence[DomainEvidence],
    state: HostState,
    prober: Prober,
    senders: ProbeSenders,
    deadline: float | None = None,
) -> list[str]:
    """Gives each domain what its mail host says to this host. Returns what was left out, a line each.

    `deadline` is the monotonic time at which it is over; by default in a minute.
    """
    deadline = time.monotonic() + SECONDS if deadline is None else deadline
    helo = state.value("myhostname")
    silent: dict[tuple[str, int], Talk] = {}
    again: dict[tuple[str, int], list[Talk]] = {}
    targets = [
        (domain, target)
        for domain in domains
        for target in [_target(domain, state)]
        if domain.relayed and target and not domain.logs_in
    ]
    for domain, target in targets[:DOMAINS]:
        if target in silent:
            domain.talk = silent[target]
            continue
        if time.monotonic() >= deadline:
            break
        domain.tagged = tagged(domain.probe_recipient, state.value("recipient_delimiter"))
        # What it thinks of connections is seen once; to ask for each domain would use up what it allows.
        approach = Approach(target[0], target[1], helo, twice=target not in again)
        talks = prober.talk(approach, _transactions(domain, senders), deadline)
        domain.talk, *domain.sender_talks = [talk for talk in talks if not talk.again]
        if domain.talk.failure and time.monotonic() >= deadline:
            # It failed for want of time, which is not the mail host's fault.
            domain.talk = None
            break
        if domain.talk.failure:
            silent[target] = domain.talk
        elif time.monotonic() < deadline:
            domain.talks_again = [talk for talk in talks if talk.again] or again.get(target, [])
            again.setdefault(target, [talk for talk in domain.talks_again if not talk.recipients])
    left = sum(1 for domain, _target in targets if domain.talk is None)
    logins = dict.fromkeys(domain.nexthop or domain.name for domain in domains if domain.relayed and domain.logs_in)
    more = [f"the mail hosts of {left} more domains were not asked; name these domains to ask them"] if left else []
    return [
        *more,
        *(f"{host}, a mail host, was not asked: this host logs in there, and a probe does not" for host in logins),
    ]


def leave_people_out(hops: Sequence[DomainEvidence], state: HostState) -> None:
    """Of what mail hosts answered, whom their answers name is not told."""
    names = (state.value("myhostname"), *(hop.name for hop in hops))
    for hop in hops:
        listed = [*([hop.probe_recipient] if hop.probe_recipient else []), *hop.tagged.values()]
        hop.talk = without_people(hop.talk, listed, names) if hop.talk else None
        hop.sender_talks = [without_people(talk, listed, names) for talk in hop.sender_talks]
        hop.talks_again = [without_people(talk, listed, names) for talk in hop.talks_again]


def _transactions(domain: DomainEvidence, senders: ProbeSenders) -> list[Transaction]:
    """What its mail host is asked: a listed recipient and one that nobody has from `<>`, the first from others too.

    Of the listed one it is asked with something behind each delimiter as well.
    """
    listed = [domain.probe_recipient] if domain.probe_recipient else []
    return [
        (BOUNCES, [*listed, unknown_recipient(domain.name), *domain.tagged.values()]),
        *((unknown_recipient(name), listed or [f"postmaster@{domain.name}"]) for name in senders.domains),
    ]


def _target(domain: DomainEvidence, state: HostState) -> tuple[str, int] | None:
    """The mail host and its port, None where mail of the domain does not leave by SMTP or nobody knows where to."""
    service = sending_service(state, domain.agent)
    if domain.agent not in ("relay", "smtp") and (service is None or written_program(service) != "smtp"):
        return None
    if domain.nexthop and not is_hop(domain.hop_text):
        return None
    if domain.nexthop and (domain.bracketed or not domain.nexthop_exchangers):
        return domain.nexthop, port_of_hop(domain.hop_text)
    records = domain.nexthop_exchangers if domain.nexthop else domain.exchangers
    other = best_other_exchanger(records or (), state)
    return (other, PORT) if other else None


@dataclass(frozen=True)
class StrangerProbe:
    """Asks the host `server` as a stranger: where, as whom, and until when. `port` is where its mail comes.

    `people` are recipients whom its answers are not to name; None if all may be named.
    """

    server: str
    port: int
    senders: ProbeSenders
    prober: Prober
    deadline: float
    people: Collection[str] | None = ()

    def about(self, recipients: Sequence[str], listed: Sequence[str]) -> list[Talk]:
        """What he is told of a domain's recipients, and as an ordinary sender of those that are listed."""
        ordinary = self._ordinary()
        more = [(sender, listed or recipients[:1]) for sender in ordinary]
        return self._talk(Approach(self.server, self.port), [(BOUNCES, recipients), *more])

    def elsewhere(self, approach: Approach, spellings: Sequence[str]) -> list[Talk]:
        """What he is told of recipients elsewhere, few at once; a server that is silent is asked once."""
        found: list[Talk] = []
        for first in range(0, len(spellings), ERRORS_AT_ONCE):
            asked = spellings[first : first + ERRORS_AT_ONCE]
            found += self._talk(approach, [(sender, asked) for sender in [BOUNCES, *self._ordinary()]])
            if found[-1].banner is None or not accepts(found[-1].banner):
                break
        return found

    def disguised(self, approach: Approach, seen: Talk, spellings: Sequence[str]) -> list[Talk]:
        """What he is told as another client, where the server lets him say that he is one."""
        if XCLIENT.lower() in seen.extensions:
            return self.elsewhere(replace(approach, guise=XCLIENT), spellings)
        if seen.connected and (seen.banner is None or seen.banner[0] == NOT_AVAILABLE):
            return self.elsewhere(replace(approach, guise=PROXY), spellings)
        return []

    def _ordinary(self) -> list[str]:
        return [unknown_recipient(self.senders.ordinary)] if self.senders.ordinary else []

    def _talk(self, approach: Approach, transactions: Sequence[Transaction]) -> list[Talk]:
        deadline = min(self.deadline, time.monotonic() + CONVERSATION_SECONDS)
        talks = self.prober.talk(approach, transactions, deadline)
        return talks if self.people is None else [without_people(talk, self.people, ()) for talk in talks]


def as_stranger(params: Mapping[str, Any], prober: Prober, network: Network | None = None) -> Outcome:
    """What the host `probe_server` says to a stranger, as a module's outcome. Raises InvalidInput."""
    server = str(params["probe_server"])
    port = int(params.get("probe_port") or PORT)
    names = domain_names(names_in(params.get("domains"), "domains"), "domains")
    ports = _ports(params.get("probe_ports") or [], port)
    senders = read_senders(params.get("probe_senders") or {}, "")
    listed = addresses_by_domain(params.get("probe_recipients") or {}, "probe_recipients")
    if not names:
        raise InvalidInput("mx_info: probe_server needs the domains to ask about (domains); name at least one")
    named = None if params.get("show_recipients") else list(listed.values())
    stranger = StrangerProbe(server, port, senders, prober, time.monotonic() + SECONDS, named)
    found = _asked(stranger, ports, names[:DOMAINS], listed)
    if network is not None and any(talk.banner for talk in found.talks.values()):
        found = replace(found, shown=network.certificate(server, port, server, away=True), now=time.time())
    talks = [*found.talks.values(), *found.senders.values(), *found.foreign, *found.others]
    left = len(dict.fromkeys(names)) - len(found.unknown)
    people = frozenset() if params.get("show_recipients") else frozenset(listed.values())
    return Outcome(
        results={
            "findings": unnamed([finding.as_result() for finding in stranger_findings(found)], people),
            "probes": unnamed([talk_result(talk) for talk in talks], people),
            "tried": _tried(talks),
            "notes": [f"{left} more domains were not asked about; name them to ask about them"] if left else [],
        }
    )


def _ports(given: Sequence[Mapping[str, Any]], usual: int) -> list[Approach]:
    """The other ports to ask. Raises InvalidInput."""
    found = {}
    for index, item in enumerate(given):
        if not str(item.get("port", "")).isdigit():
            raise InvalidInput(
                f"probe_ports[{index}] has no port number; give it as {{port: 587}}, with tls: true or not"
            )
        if int(item["port"]) != usual:
            found[int(item["port"])] = Approach("", int(item["port"]), tls=bool(item.get("tls")))
    return list(found.values())


def _asked(
    stranger: StrangerProbe, ports: Sequence[Approach], names: Sequence[str], listed: Mapping[str, str]
) -> StrangerEvidence:
    unknown = {name: unknown_recipient(name) for name in names}
    talks: dict[str, Talk] = {}
    senders: dict[str, Talk] = {}
    for name in unknown:
        known = [listed[name]] if name in listed else []
        first, *more = stranger.about([*known, f"postmaster@{name}", unknown[name]], known)
        talks[name] = first
        senders.update(zip([name], more))
        if first.banner is None:
            break
    spellings = foreign_recipients(names[0])
    usual = Approach(stranger.server, stranger.port)
    seen = list(talks.values())[-1]
    foreign = stranger.elsewhere(usual, spellings) if seen.banner is not None else []
    others = stranger.disguised(usual, seen, spellings)
    for port in ports:
        approach = replace(port, server=stranger.server)
        said = stranger.elsewhere(approach, spellings)
        others += [*said, *stranger.disguised(approach, said[0], spellings)]
    return StrangerEvidence(stranger.server, talks, listed, unknown, foreign, senders, others)


def _tried(talks: Sequence[Talk]) -> list[str]:
    """Where, as whom and by which senders it was asked, a line for each way."""
    ways: dict[tuple[int, str], list[Talk]] = {}
    for talk in talks:
        ways.setdefault((talk.port, talk.guise), []).append(talk)
    return [_way(port, guise, found) for (port, guise), found in ways.items()]


def _way(port: int, guise: str, talks: Sequence[Talk]) -> str:
    place = f"port {port}{f' by {guise}' if guise else ''}"
    if not any(talk.banner for talk in talks):
        return f"{place}: no answer ({talks[0].failure})"
    senders = dict.fromkeys(talk.sender.rpartition("@")[2] for talk in talks if talk.mail)
    named = " and ".join(f"a sender at {name}" if name else "<>" for name in senders)
    return f"{place}: {sum(len(talk.recipients) for talk in talks)} recipients from {named or 'nobody'}"


def talk_result(talk: Talk) -> dict[str, Any]:
    """What a server answered, as a result."""
    return {
        "server": talk.server,
        "port": talk.port,
        "sender": talk.sender,
        "guise": talk.guise,
        "failure": talk.failure,
        "banner": talk.banner,
        "mail": talk.mail,
        "recipients": dict(talk.recipients),
    }
