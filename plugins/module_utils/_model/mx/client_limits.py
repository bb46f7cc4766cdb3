# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits for each client of this host, and the mail servers that they are not meant for.

See "Measures against clients that make too many connections" of TUNING_README, and anvil(8), which counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import reaching_others
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import (
    join_items,
    split_items,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_limits import beyond
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import (
    INTEGER,
    Kind,
    seconds,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import MxRequest, blank

EXCEPTIONS = "smtpd_client_event_limit_exceptions"
RATE_UNIT = "anvil_rate_time_unit"
_MINUTE = 60


class ClientLimit(NamedTuple):
    """The parameter, and the least value that does no harm to a mail server."""

    parameter: str
    least: int
    because: str


CLIENT_LIMITS: Mapping[str, ClientLimit] = {
    "connections": ClientLimit(
        "smtpd_client_connection_count_limit", 20, "a mail server opens 20 at once, as Postfix does by default"
    ),
    "connections_per_minute": ClientLimit(
        "smtpd_client_connection_rate_limit", 60, "after an outage a mail server opens one after the other"
    ),
    "messages_per_minute": ClientLimit(
        "smtpd_client_message_rate_limit", 60, "after an outage a mail server sends one after the other"
    ),
    "recipients_per_minute": ClientLimit(
        "smtpd_client_recipient_rate_limit", 500, "one message may have 100 (RFC 5321, 4.5.3.1.8)"
    ),
    "errors": ClientLimit(
        "smtpd_hard_error_limit", 10, "a message to a mailing list has several recipients who are gone"
    ),
}
_ERRORS = "errors"


@dataclass(frozen=True)
class ClientLimits:
    """Parameters of main.cf, members of its lists, and reasons not to write them."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[str, list[str]] = field(default_factory=dict)
    refusals: Sequence[Refusal] = ()


def client_limits(request: MxRequest, host: HostState) -> ClientLimits:
    """What the setting `limits` asks for; nothing if it is not given."""
    wanted = {name: str(value) for name, value in request.settings["limits"].items() if not blank(value)}
    wrong = [problem for name, value in wanted.items() for problem in [_wrong(name, value, host)] if problem]
    if wrong or not wanted:
        return ClientLimits(refusals=tuple(Refusal("", "limits", *problem) for problem in wrong))
    parameters = {CLIENT_LIMITS[name].parameter: _written(name, value) for name, value in wanted.items()}
    rates = any(name.endswith("_per_minute") for name in wanted)
    if rates and host.installed and seconds(host.value(RATE_UNIT)) != _MINUTE:
        parameters[RATE_UNIT] = f"{_MINUTE}s"
    own = f"mxrelay_limit_exceptions_{request.role or 'mx'}"
    excepted = _excepted(own, request, host)
    if not excepted and own not in host.explicit:
        return ClientLimits(parameters)
    return ClientLimits({**parameters, own: join_items(excepted)}, {EXCEPTIONS: [f"${own}"]})


def _wrong(name: str, value: str, host: HostState) -> tuple[str, str] | None:
    limit = CLIENT_LIMITS.get(name)
    if limit is None:
        return f"limits has no option {name}", f"use {', '.join(CLIENT_LIMITS)}"
    if not (value.isascii() and value.isdigit()):
        return f'limits.{name}: "{value}" is not a whole number', f"use digits only, {limit.least} or more"
    unlimited = "" if name == _ERRORS else ", or 0 for no limit"
    if int(value) < limit.least and not (unlimited and int(value) == 0):
        cause = f"limits.{name} is {value}, less than {limit.least}: {limit.because}"
        return cause, f"use {limit.least} or more{unlimited}"
    taken = beyond(limit.parameter, Kind(INTEGER), value)
    if taken:
        return f"limits.{name}: {value} is more than {limit.parameter} takes", f"use {taken}"
    if host.installed and not host.knows(limit.parameter):
        return f"this Postfix has no {limit.parameter}", f"leave limits.{name} out"
    return None


def _written(name: str, value: str) -> str:
    """The value of the parameter. Under overload smtpd lets a client err once, as by its default."""
    return f"${{stress?1}}${{stress:{value}}}" if name == _ERRORS else value


def _excepted(own: str, request: MxRequest, host: HostState) -> list[str]:
    """The members of the parameter `own`: the neighbours' addresses, and what it has if DNS did not tell them all."""
    if not host.knows(EXCEPTIONS):
        return []
    proxies = list(map(str, request.settings["proxy_interfaces"]))
    found = {
        address
        for name, addresses in host.neighbours.items()
        if not host.is_self(name, addresses, proxies)
        for address in reaching_others(addresses)
    }
    members = {f"[{address}]" if ":" in address else address for address in found}
    return sorted(members.union(split_items(host.explicit.get(own, "")) if host.neighbours_unanswered else ()))
