# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role declares: domains and host-wide settings, checked and with blanks filled."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import plain_address
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.accepted import Accepted, read_accepted
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import Check
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_limits import (
    beyond,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import (
    INTEGER,
    TIME,
    Kind,
    seconds,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_values import (
    address_problem,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import (
    ABSENT,
    PRESENT,
    PRIMARY,
    SECONDARY,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.etrn import plain_networks
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.refused_mail import RETRYING
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import RELAY
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import Encode, forms
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.front_door import (
    read_certificate_pair,
    read_load_balancers,
    read_screening,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.settings import SETTINGS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import bare_host, domain_name, nexthops
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.removals import read_limit
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import (
    as_list,
    lines_in,
    names_in,
)

LISTED = "listed"
ANY = "any"
EXTERNAL = "external"
VERIFY = "verify"
# Of a domain whose list stays as it is, since one of its sources can't be believed; nobody declares it.
KEPT = "kept"
BOUNCE = "bounce"
REFUSE = "refuse"
KEEP = "keep"
FLUSH = "flush"
HOLD = "hold"
PHASES = frozenset({"preflight", "install", "tables", "config", "service", "verify"})
# What a setting of the whole host is when nobody gives it.
DEFAULTS: Mapping[str, Any] = {
    name: setting["default"] for name, setting in SETTINGS.items() if setting.get("planned", True)
}


@dataclass(frozen=True)
class DomainItem:
    """One declared domain. `listed_count` and `digest` describe its list without the addresses of roles.

    `waiting_mail`: what becomes of mail that waits for it when it leaves. `form_of` is the name under which it was
    declared where this is its other form. `follows`: its list is what sources say; `kept` is why it stays as it is
    instead, with the policy of that name. `awaits`: in check mode, what a run installs before they can be read.
    `standby`: strangers are put off while a better MX host answers. `etrn_from`: the addresses and networks from which
    alone its queue may be asked for, in one canonical form.
    """

    index: int
    name: str
    role: str
    state: str = PRESENT
    policy: str | None = None
    listed_count: int = 0
    digest: str = ""
    lists_postmaster: bool = False
    lists_abuse: bool = False
    probe_recipient: str | None = None
    subdomains: bool = False
    force: bool = False
    waiting_mail: str = REFUSE
    refused_mail: str = BOUNCE
    refused_mail_retry: bool = False
    standby: bool = False
    etrn_from: tuple[str, ...] = ()
    nexthops: tuple[str, ...] = ()
    mx_lookup: bool = False
    result: str | None = None
    form_of: str = ""
    follows: bool = False
    kept: str = ""
    awaits: str = ""

    @property
    def agent(self) -> str:
        """The service that sends its mail."""
        return RETRYING if self.refused_mail_retry else RELAY

    @property
    def patterns(self) -> list[str]:
        """The patterns of this domain's rows in a transport table."""
        return [self.name, "." + self.name] if self.subdomains else [self.name]


@dataclass(frozen=True)
class MxRequest:
    """Everything a role run declares, and what the other role on the same host does."""

    role: str
    items: tuple[DomainItem, ...]
    settings: Mapping[str, Any]
    peer_domains: frozenset[str] = frozenset()
    refusals: tuple[Refusal, ...] = ()
    config_directory: str = "/etc/postfix"
    run_tags: tuple[str, ...] = ("all",)
    skip_tags: tuple[str, ...] = ()
    after_install: bool = False
    accepted: tuple[Accepted, ...] = ()

    def runs(self, phase: str) -> bool:
        """Whether the tags of this run include the phase.

        Tags of which none is a phase's are the user's own, on the role as a whole: where they chose it, all phases run,
        and where they did not, none does and what is planned here is of no effect.
        """
        own = not {*PHASES, "untagged"}.intersection(self.run_tags)
        chosen = own or "all" in self.run_tags or "tagged" in self.run_tags or phase in self.run_tags
        return chosen and phase not in self.skip_tags and "tagged" not in self.skip_tags

    @property
    def present(self) -> list[DomainItem]:
        return [item for item in self.items if item.state == PRESENT]

    @property
    def absent(self) -> list[DomainItem]:
        return [item for item in self.items if item.state == ABSENT]

    @cached_property
    def declared(self) -> frozenset[str]:
        """All names that either role declares, in whatever state."""
        return frozenset(item.name for item in self.items) | self.peer_domains


@dataclass
class _Reading:
    refusals: list[Refusal] = field(default_factory=list)


def blank(value: Any) -> bool:
    """Whether a survey's answer was left empty; an empty list or mapping is one too."""
    return value is None or value in ("", [], {})


def _off(value: Any) -> bool:
    return blank(value) or value is False


def read_request(params: Mapping[str, Any], checks: Sequence[Check] = ()) -> MxRequest:
    """The request that module parameters hold. What can't be right becomes a refusal, so that all are seen at once.

    `checks` are those of which findings can be accepted: every one, for whoever makes any.
    """
    reading = _Reading()
    peer = _peer(params)
    settings = _settings(params, peer, reading)
    role_of_all = {"secondary_mx": SECONDARY, "primary_mx": PRIMARY}.get(params.get("role") or "", "")
    items = _items(params.get("domains") or [], role_of_all, bool(settings["standby"]), reading)
    peer_names = _peer_names(peer)
    for item in items:
        if item.name in peer_names:
            reading.refusals.append(
                Refusal(
                    item.name,
                    "both_roles",
                    f"the domain is declared by this role and by {peer.get('role') or 'the other role'}",
                    "declare it in one role only; a host has one role per domain",
                )
            )
    return MxRequest(
        role=params.get("role") or "",
        items=tuple(items),
        settings=settings,
        peer_domains=frozenset(peer_names),
        config_directory=params.get("config_directory") or "/etc/postfix",
        run_tags=tuple(params.get("run_tags") or ("all",)),
        skip_tags=tuple(params.get("skip_tags") or ()),
        after_install=bool(params.get("after_install")),
        accepted=_accepted(settings, checks, reading),
        refusals=tuple(reading.refusals),
    )


def _accepted(settings: Mapping[str, Any], checks: Sequence[Check], reading: _Reading) -> tuple[Accepted, ...]:
    try:
        return tuple(read_accepted(settings["accepted"], checks))
    except InvalidInput as error:
        reading.refusals.append(Refusal.from_error("", "accepted", error))
        return ()


def _peer(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """The other role's declaration, or nothing where it is for another instance of Postfix."""
    peer = params.get("peer") or {}
    own_directory = params.get("config_directory") or "/etc/postfix"
    peer_directory = (peer.get("settings") or {}).get("config_directory") or "/etc/postfix"
    if not peer.get("domains") or str(peer_directory).rstrip("/") != str(own_directory).rstrip("/"):
        return {}
    return peer


def _peer_names(peer: Mapping[str, Any]) -> set[str]:
    """Names only: the other role's own run judges its items."""
    names = set()
    for name in peer.get("domains") or []:
        try:
            names.add(domain_name(name, "peer"))
        except InvalidInput:
            continue
    return names


def _settings(params: Mapping[str, Any], peer: Mapping[str, Any], reading: _Reading) -> dict[str, Any]:
    theirs = peer.get("settings") or {}
    settings: dict[str, Any] = {}
    for name, default in DEFAULTS.items():
        mine = params.get(name)
        settings[name] = default if blank(mine) else mine
        if not peer:
            continue
        other = theirs.get(name)
        both_roles = SETTINGS[name].get("both_roles")
        if both_roles == "either" and not blank(other) and other != default:
            # Said for the host once, it is said: the first of the two roles makes the table.
            settings[name] = other
        elif both_roles == "shared" and blank(mine) and not blank(other):
            settings[name] = other
        elif _disagree(name, settings[name], default if blank(other) else other):
            reading.refusals.append(
                Refusal(
                    "",
                    "roles_disagree",
                    f"{name} is {settings[name]!r} here but {other if not blank(other) else default!r} for "
                    f"{peer.get('role') or 'the other role'} on the same Postfix",
                    "give both roles the same value",
                )
            )
    for name in DEFAULTS:
        refusal = _refuse_form(name, settings[name])
        if refusal:
            reading.refusals.append(refusal)
            # The rest is judged as if it had not been given.
            settings[name] = DEFAULTS[name]
    return settings


def _refuse_form(name: str, given: Any) -> Refusal | None:
    """The refusal of a value that is not what the setting must be, or with which Postfix would not do its work."""
    form = SETTINGS[name].get("form", "")
    values = given if isinstance(given, list) else [given]
    for text in [value if isinstance(value, Mapping) else str(value) for value in values]:
        wrong = _FORMS[form](text, SETTINGS[name]) if form and text else None
        if wrong:
            return Refusal("", name, *wrong)
    return None


def _wrong_address(text: str, _setting: Mapping[str, Any]) -> tuple[str, str] | None:
    wrong = address_problem(text)
    return (wrong, "give addresses, or names that this host resolves") if wrong else None


def _wrong_time(text: str, setting: Mapping[str, Any]) -> tuple[str, str] | None:
    if seconds(text) is None:
        return f'"{text}" is not a Postfix time value', "use a value such as 10d, 12h or 3600s"
    return _wrong_amount(text, setting, Kind(TIME, setting["unit"]))


def _wrong_number(text: str, setting: Mapping[str, Any]) -> tuple[str, str] | None:
    if not (text.isascii() and text.isdigit()):
        return f'"{text}" is not a whole number', f"use digits only, {setting['least']} or more"
    return _wrong_amount(text, setting, Kind(INTEGER))


def _wrong_amount(text: str, setting: Mapping[str, Any], kind: Kind) -> tuple[str, str] | None:
    """What is wrong with an amount: for the daemon that reads the parameter, or for the mail."""
    least = str(setting["least"])
    if text != setting.get("or_else") and _counted(text, kind) < _counted(least, kind):
        return f'"{text}" is less than {least}: {setting["because"]}', f"use {least} or more"
    wanted = beyond(setting["parameter"], kind, text) if "parameter" in setting else ""
    if wanted:
        return (
            f'"{text}" is more than {setting["parameter"]} takes: Postfix\'s daemons would not start',
            f"use {wanted}",
        )
    return None


def _counted(text: str, kind: Kind) -> int:
    return (seconds(text, kind.unit) or 0) if kind.name == TIME else int(text)


def _wrong_removals(text: str, _setting: Mapping[str, Any]) -> tuple[str, str] | None:
    try:
        read_limit(text)
    except InvalidInput as error:
        return error.cause_and_remedy("correct the value")
    return None


def _wrong_for(read: Callable[[Any], object]) -> Callable[[Any, Mapping[str, Any]], tuple[str, str] | None]:
    """What is wrong with a value that `read` can't read."""

    def wrong(given: Any, _setting: Mapping[str, Any]) -> tuple[str, str] | None:
        try:
            read(given)
        except InvalidInput as error:
            return error.cause_and_remedy("correct the value")
        return None

    return wrong


_FORMS: Mapping[str, Callable[[Any, Mapping[str, Any]], tuple[str, str] | None]] = {
    "addresses": _wrong_address,
    "certificate": _wrong_for(read_certificate_pair),
    "load_balancers": _wrong_for(read_load_balancers),
    "number": _wrong_number,
    "postscreen": _wrong_for(read_screening),
    "removals": _wrong_removals,
    "time": _wrong_time,
}


def _disagree(name: str, mine: Any, other: Any) -> bool:
    both_roles = SETTINGS[name].get("both_roles")
    if both_roles == "shared":
        if SETTINGS[name].get("ordered"):
            return not blank(other) and list(map(str, mine)) != list(map(str, other))
        return not blank(other) and _plain(mine) != _plain(other)
    return both_roles == "equal" and bool(mine != other)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items() if not blank(part)}
    return sorted(map(str, value)) if isinstance(value, list) else str(value)


def _items(raw: Sequence[Mapping[str, Any]], role: str, standby: bool, reading: _Reading) -> list[DomainItem]:
    items: list[DomainItem] = []
    seen: dict[str, DomainItem] = {}
    for index, given in enumerate(raw):
        try:
            item = _item(index, given, role, standby)
        except InvalidInput as error:
            reading.refusals.append(Refusal.from_error(str(given.get("name") or ""), "invalid", error))
            continue
        first = seen.setdefault(item.name, item)
        if first is item:
            items.append(item)
        elif replace(item, index=first.index) != first:
            reading.refusals.append(
                Refusal(
                    item.name,
                    "declared_twice",
                    f"domains[{first.index}] and domains[{index}] declare it differently",
                    "declare each domain once",
                )
            )
    return items


def _item(index: int, given: Mapping[str, Any], role_of_all: str, standby: bool) -> DomainItem:
    place = f"domains[{index}]"
    name = domain_name(given.get("name"), f"{place}.name")
    role = given.get("role") or role_of_all
    if role not in (PRIMARY, SECONDARY):
        raise InvalidInput(f'"{name}" ({place}) has the role "{role}"; set it to primary or secondary')
    if role_of_all and role != role_of_all:
        raise InvalidInput(
            f'"{name}" ({place}) has the role {role}; leave role out, or use mxrelay.postfix.mx for a mixed list'
        )
    extra = [
        option for option in ("mail_host", "port", "mx_lookup") if role == SECONDARY and not _off(given.get(option))
    ]
    if extra:
        raise InvalidInput(
            f'"{name}" ({place}) has {extra[0]}, but a secondary MX follows the domain\'s MX records; '
            f"leave {extra[0]} out, or make this host the primary MX"
        )
    state = given.get("state") or PRESENT
    has_list = bool(given.get("has_list"))
    policy = given.get("recipients_policy") or (LISTED if has_list else None)
    if policy in (ANY, EXTERNAL) and has_list:
        raise InvalidInput(
            f'"{name}" ({place}) has a list of recipients and the policy {policy}; leave one of them out'
        )
    if policy == EXTERNAL and given.get("recipients_from") and state == PRESENT:
        raise InvalidInput(
            f'"{name}" ({place}) has recipients_from, but its policy {EXTERNAL} leaves its rows to others; '
            "leave one of them out"
        )
    kept = given.get("kept") or ""
    refused = given.get("refused_mail") or BOUNCE
    if given.get("refused_mail_retry") and refused == BOUNCE:
        raise InvalidInput(
            f'"{name}" ({place}) has refused_mail_retry, by which mail that is refused bounces later, when it expires; '
            "also set refused_mail to postmaster or hold"
        )
    if given.get("standby") and role == PRIMARY:
        raise InvalidInput(
            f'"{name}" ({place}) has standby, but this host is its primary MX: no better one takes its mail; '
            "leave standby out"
        )
    item = DomainItem(
        index=index,
        name=name,
        role=role,
        state=state,
        policy=KEPT if kept else policy,
        listed_count=int(given.get("recipients_count") or 0),
        digest=given.get("recipients_digest") or "",
        lists_postmaster=bool(given.get("lists_postmaster")),
        lists_abuse=bool(given.get("lists_abuse")),
        probe_recipient=given.get("probe_recipient") or None,
        subdomains=bool(given.get("subdomains")),
        force=bool(given.get("force")),
        waiting_mail=given.get("waiting_mail") or REFUSE,
        refused_mail=refused,
        refused_mail_retry=bool(given.get("refused_mail_retry")),
        standby=role == SECONDARY and bool(standby if blank(given.get("standby")) else given["standby"]),
        etrn_from=_etrn_from(name, given.get("etrn_from"), place),
        follows=bool(given.get("follows")),
        kept=kept,
        awaits=given.get("awaits") or "",
    )
    return _with_nexthop(item, given, place) if role == PRIMARY and state == PRESENT else item


def _etrn_from(name: str, given: Any, place: str) -> tuple[str, ...]:
    networks = []
    for text in names_in(given, f"{place}.etrn_from"):
        try:
            networks.append(ipaddress.ip_network(plain_address(text)))
        except ValueError:
            raise InvalidInput(
                f'"{name}" ({place}) has "{text}" in etrn_from, which is no address and no network; give those from '
                "which its mail host connects, such as 192.0.2.10 or 192.0.2.0/24"
            ) from None
    return plain_networks(networks)


def in_both_forms(request: MxRequest, encode: Encode) -> MxRequest:
    """The request with each internationalised domain in both of its forms, by which mail can name it with SMTPUTF8.

    Refused is a domain on which IDNA2003 and IDNA2008 differ without its other form, and one that is declared in both
    forms differently.
    """
    items = {item.name: item for item in request.items}
    refusals = list(request.refusals)
    for item in request.items:
        found = forms(item.name, encode)
        if found.candidates and item.state == PRESENT and not any(candidate in items for candidate in found.candidates):
            refusals.append(
                Refusal(
                    item.name,
                    "international",
                    "mail can also name it in another form, on which IDNA2003 and IDNA2008 differ",
                    f"also declare the form that DNS has: {' or '.join(found.candidates)}",
                )
            )
        for name in found.spellings[1:]:
            other = items.setdefault(name, replace(item, name=name, form_of=item.name))
            if replace(other, name=item.name, index=item.index, form_of="") != item:
                refusals.append(
                    Refusal(
                        name,
                        "declared_twice",
                        f"it is the other form of {item.name}, declared differently",
                        "declare it once; both forms are relayed",
                    )
                )
    peers = {spelling for name in request.peer_domains for spelling in forms(name, encode).spellings}
    return replace(request, items=tuple(items.values()), refusals=tuple(refusals), peer_domains=frozenset(peers))


def _with_nexthop(item: DomainItem, given: Mapping[str, Any], place: str) -> DomainItem:
    written = as_list(given.get("mail_host"), f"{place}.mail_host", lines_in, "write one host an item")
    hosts = [host for text in written for host in lines_in(str(text))]
    if not hosts:
        raise InvalidInput(f'"{item.name}" ({place}) has no mail_host; name the host that keeps its mailboxes')
    mx_lookup = bool(given.get("mx_lookup"))
    port = given.get("port")
    result = nexthops(hosts, None if blank(port) else int(str(port)), mx_lookup, f"{place}.mail_host")
    names = tuple(bare_host(host) for host in hosts)
    return replace(item, nexthops=names, mx_lookup=mx_lookup, result=f"{item.agent}:{result}")
