# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the services that send mail for relay domains: what they run, and by which of main.cf's parameters they go.

What a role run gives the service relay overrides for is no reason to refuse the run.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    DEPARTURE,
    DOMAIN,
    WHOLE_HOST,
    Register,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    ERROR,
    INFO,
    LOCAL,
    NEXTHOP,
    WARNING,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import (
    RELAY,
    Harm,
    dns_is_off,
    dns_overrides,
    effective_level,
    find_relay_service,
    harms,
    is_client,
    odd_arguments,
    sending_service,
    written_program,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts

# Programs of Postfix that take mail from the queue and send it to no other host.
_DROPPING = {"discard": "drops it", "error": "returns it", "retry": "keeps it in the queue"}
_KEEPING = ("local", "virtual")

of_host = Register(WHOLE_HOST)
of_domain = Register(DOMAIN)


@of_host(
    "relay_command",
    LOCAL,
    "the relay service runs something else than smtp or lmtp, or with arguments that stop it",
    place=NEXTHOP,
    mark=DEPARTURE,
)
def relay_command(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    relay = find_relay_service(state)
    if relay is None:
        return
    runs = written_program(relay)
    if not is_client(relay):
        does = _DROPPING.get(runs, "does not hand it to a mail host")
        yield Fault(
            f"the service relay/unix runs {runs}, which takes mail for relay domains and {does}",
            "let it run smtp: set its command to smtp in master.cf (module mxrelay.postfix.master_cf)",
        )
    elif odd_arguments(relay):
        odd = " ".join(odd_arguments(relay))
        yield Fault(
            f"the service relay/unix runs {runs} with {odd}: with arguments that {runs} does not "
            "know it does not start, and mail waits",
            f"remove {odd} from its command in master.cf",
        )


@of_host(
    "relay_settings",
    LOCAL,
    "main.cf, or the relay service itself, has settings that stop, rewrite or betray mail for relay domains",
    place=NEXTHOP,
    mark=DEPARTURE,
)
def relay_settings(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    relay = find_relay_service(state)
    if relay is not None and is_client(relay):
        for harm in harms(state, relay):
            yield _fault(harm, relay, "run the role, or {}")


def _fault(harm: Harm, service: Service, remedy: str, domain: str = "") -> Fault:
    """`remedy` takes the override that would put it right in place of its braces."""
    if harm.own:
        found = f"{service.key} has the override {harm.name}={harm.value}"
        wanted = f"remove the override {harm.name} of the service {service.key} unless it is meant so"
    else:
        found = f"{service.key} takes {harm.setting or f'{harm.name} = {harm.value}'} from main.cf"
        wanted = f"add the override {harm.name}={harm.instead or ''} to the service {service.key}"
        wanted = f"correct {harm.name}, or {wanted}" if harm.instead is None else remedy.format(wanted)
    return Fault(f"{found}: {harm.what}", wanted, ERROR if harm.certain else WARNING, domain)


@of_domain(
    "sending_service",
    LOCAL,
    "another service than relay sends the domain's mail, and is missing, drops it or has such settings; info if it "
    "hands it to a program",
    place=NEXTHOP,
    mark=DEPARTURE,
)
def other_service(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    """What the services local, virtual, error and discard do is a matter of the check transport."""
    agent = domain.agent
    if not domain.relayed or agent in (RELAY, *_DROPPING, *_KEEPING) or not state.services:
        return
    service = sending_service(state, agent)
    remedy = f"write relay: in place of {agent}: in its route, {domain.route}"
    if service is None:
        yield Fault(f"its mail is sent by {agent}, which master.cf does not have: it waits", remedy, ERROR, domain.name)
    elif written_program(service) in _DROPPING:
        runs = f"{service.key}, which runs {written_program(service)} and {_DROPPING[written_program(service)]}"
        yield Fault(f"its mail is sent by {runs}", remedy, ERROR, domain.name)
    elif not is_client(service):
        yield Fault(
            f"its mail is handed to {service.key}, which runs {written_program(service)}: what it does can't be told",
            f"see that {service.key} delivers it",
            INFO,
            domain.name,
        )
    else:
        for harm in harms(state, service):
            yield _fault(harm, service, remedy + ", or {}", domain.name)


@of_domain(
    "dns_off",
    LOCAL,
    "its MX hosts are not looked up, as the sending service asks no DNS",
    place=NEXTHOP,
    mark=DEPARTURE,
)
def dns_off(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    service = sending_service(state, domain.agent)
    if not domain.relayed or service is None or written_program(service) != "smtp" or domain.bracketed:
        return
    if dns_is_off(state, service):
        wanted = dns_overrides(state, service, effective_level(state, service))
        overrides = " and ".join(f"{name}={value}" for name, value in wanted.items())
        yield Fault(
            f"{service.key} asks no DNS, so the MX hosts of {domain.nexthop or domain.name} are not looked up: mail "
            "bounces at once, or goes elsewhere",
            f"run the role, or add the override {overrides} to the service {service.key}",
            ERROR,
            domain.name,
        )
