# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Estimates when the first queued mail of each domain bounces, and how long the queue takes to drain."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.evidence import transport_answers
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host_files import written
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.relay_domains import look_at
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import MainCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import MasterCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import relayed_by, service_named
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.estimate import (
    NOTHING,
    Drain,
    Measured,
    RetryTimes,
    Route,
    deliveries_for,
    drain,
    first_bounce,
    next_try,
    slowest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.rate import Rates, sent_mail
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import HOLD, Message, waiting_for
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.deferred_queue import due_times
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import text_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.mail_log import LOG_BYTES, HostMailLog
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

# What sends mail for the domains of a class, unless transport_maps has them.
_AGENTS = {
    "mydestination": "local_transport",
    "virtual_alias_domains": "default_transport",
    "virtual_mailbox_domains": "virtual_transport",
}


@dataclass(frozen=True)
class Estimate:
    """What is estimated for a domain, or for all together. `rate` is None if no delivery was read of the log."""

    first_bounce: float | None = None
    drain: Drain = NOTHING
    rate: Measured | None = None

    def as_result(self, now: float) -> dict[str, Any]:
        bounce = None if self.first_bounce is None else int(self.first_bounce)
        return {
            "first_bounce": bounce,
            "to_first_bounce": None if bounce is None else max(0, bounce - int(now)),
            "drain": self.drain.as_result(),
            "rate": self.rate.as_result() if self.rate else None,
        }


@dataclass(frozen=True)
class Estimates:
    """The estimate of each domain that mail waits for, and of all."""

    total: Estimate = field(default_factory=Estimate)
    domains: Mapping[str, Estimate] = field(default_factory=dict)

    def of(self, domain: str) -> Estimate:
        return self.domains.get(domain, Estimate())


def estimate(
    postfix: Postfix,
    messages: Iterable[Message],
    domains: Sequence[str],
    now: float,
    log_bytes: int = 0,
    local: bool = False,
) -> Estimates:
    """The estimates for the domains (all if none is named). What is on hold neither ages nor drains.

    So many of the last bytes of the mail log are read for what deliveries take. Nothing is asked of Postfix if nothing
    waits. `local`: tables on other hosts are not asked by which transport the mail goes.
    """
    waiting = waiting_for((message for message in messages if message.queue != HOLD), domains)
    if not waiting:
        return Estimates()
    values = postfix.parameters(options=("-x",))
    times = RetryTimes.from_values(values)
    due = due_times(values.get("queue_directory", ""))
    routes = routes_of(postfix, list(waiting), values, local)
    look = _Look(times, due, routes, read_rates(postfix, values, log_bytes, now), now)
    found = {domain: look.at({domain: mail}) for domain, mail in waiting.items()}
    return Estimates(look.total(waiting), found)


def read_rates(postfix: Postfix, values: Mapping[str, str], log_bytes: int, now: float) -> Rates:
    """The deliveries in the last bytes of the mail log."""
    if log_bytes <= 0:
        return Rates()
    log = HostMailLog.of(postfix.commands, values)
    return Rates(
        sent_mail(log.tail(min(log_bytes, LOG_BYTES)), now),
        written(os.path.join(postfix.config_directory, "main.cf")) or 0,
    )


@dataclass(frozen=True)
class _Look:
    """All that is known at the moment `now`."""

    times: RetryTimes
    due: Mapping[str, float]
    routes: Mapping[str, Route]
    rates: Rates
    now: float

    def at(self, waiting: Mapping[str, Sequence[Message]]) -> Estimate:
        """The estimate for domains of one destination."""
        route = self.routes[next(iter(waiting))]
        mail = [message for messages in waiting.values() for message in messages]
        rate = self.rates.measured(waiting, route.transport, self.now)
        each = rate.takes(sum(message.size for message in mail) / len(mail)) if rate else None
        waits = [
            (self._next_try(message) - self.now, _deliveries(message, domain, route))
            for domain, messages in waiting.items()
            for message in messages
        ]
        bounce = first_bounce(mail, self.times, self.now, self.due)
        return Estimate(bounce, drain(waits, route, each, rate.per_second if rate else None), rate)

    def total(self, waiting: Mapping[str, Sequence[Message]]) -> Estimate:
        """All domains: those of one destination share its concurrency, and the destinations drain side by side."""
        together: dict[Route, dict[str, Sequence[Message]]] = {}
        for domain, mail in waiting.items():
            together.setdefault(self.routes[domain], {})[domain] = mail
        found = [self.at(several) for several in together.values()]
        bounces = [known.first_bounce for known in found if known.first_bounce is not None]
        last = slowest([known.drain for known in found])
        return Estimate(min(bounces), last, next(known.rate for known in found if known.drain.route == last.route))

    def _next_try(self, message: Message) -> float:
        return next_try(message, self.times, self.now, self.due.get(message.queue_id))


def _deliveries(message: Message, domain: str, route: Route) -> int:
    return deliveries_for(
        sum(1 for address, _reason in message.recipients if domain_of(address).lower() == domain), route
    )


def routes_of(
    postfix: Postfix, domains: Sequence[str], values: Mapping[str, str], local: bool = False
) -> dict[str, Route]:
    """By which transport, to which destination and with which limits the mail of each domain goes."""
    main_cf, master_cf = (os.path.join(postfix.config_directory, name) for name in ("main.cf", "master.cf"))
    state = HostState(
        values=values,
        explicit=MainCf(text_of(main_cf), main_cf).values,
        services=MasterCf(text_of(master_cf), master_cf).effective,
    )
    reader = MapReader(postfix, local)
    state, _names = look_at(domains, state, reader)
    answers = transport_answers(domains, state, reader)
    found = {}
    for domain in domains:
        answer = answers.get(domain)
        agent, _colon, nexthop = answer.result.partition(":") if answer else ("", "", "")
        default, _colon, host = state.value(_agent_parameter(domain, state)).partition(":")
        transport = agent or default or "smtp"
        destination = nexthop or ("" if agent else host or state.value("relayhost")) or domain
        found[domain] = Route.from_values(transport, destination.lower(), values, _processes(transport, state))
    return found


def _agent_parameter(domain: str, state: HostState) -> str:
    """The parameter that names the transport of the domain's class. See ADDRESS_CLASS_README."""
    classes = [_AGENTS[name] for name in state.classes.get(domain, {}) if name in _AGENTS]
    return classes[0] if classes else "relay_transport" if relayed_by(domain, state) else "default_transport"


def _processes(transport: str, state: HostState) -> int:
    """How many processes of the transport run at most, 0 for no limit."""
    service = service_named(state.services, f"{transport}/unix")
    limit = service.process_limit if service else "-"
    text = state.value("default_process_limit") if limit == "-" else limit
    return int(text) if text.isdigit() else 100
