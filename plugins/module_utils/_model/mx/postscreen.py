# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has postscreen(8) meet strangers at port 25, and takes that back.

The entry of smtpd at port 25 becomes the service of type pass that postscreen hands clients to: only its name, its type
and what that demands are written, so its fields, overrides and comments move with it, whoever changes them meanwhile,
and come back to the byte. All that the role sets for postscreen are overrides of the new entry at port 25; main.cf
keeps what it says of postscreen, and `off` has nothing to remember. See POSTSCREEN_README.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import plain_address, reaching_others
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service, as_request
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import ABSENT
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    SMTP_PORTS,
    disabled_by,
    effective,
    on_loopback,
    pass_name,
    port_of,
    program,
    service_named,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.postscreen import (
    ACCESS_LIST,
    CACHE_NAME,
    POSTSCREEN_CACHE,
    addresses_let_in,
    is_ours,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.front_door import (
    ENFORCE,
    OFF,
    Screening,
    read_screening,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import ServiceChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import MxRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import (
    RENAMED,
    first_release,
    name_in,
    supports,
)

CHECK = "postscreen"
# Its helpers, by the parameters that name their services.
HELPERS = {"dnsblog_service_name": "dnsblog", "tlsproxy_service_name": "tlsproxy"}
# By these postscreen goes as well as the server behind it.
_SHARED = ("mynetworks", "myhostname", "smtpd_banner", "smtpd_tls_security_level")
_SITES = "postscreen_dnsbl_sites"
_DENIED = "postscreen_denylist_action"
# What an entry that a run has made may set at one time and not at another.
_MANAGED = frozenset({*_SHARED, _SITES, _DENIED, RENAMED[_DENIED].old})
# Whoever is handed on by postscreen is known to that alone.
_PROXIED = ("smtpd_upstream_proxy_protocol", "postscreen_upstream_proxy_protocol")
# An argument of a program can have no more than 128 kB; an address needs 50 bytes.
MOST_ADDRESSES = 1000


@dataclass(frozen=True)
class PostscreenPlan:
    """What services are to be, and reasons against it."""

    services: Mapping[str, ServiceChange] = field(default_factory=dict)
    notes: Sequence[str] = ()
    refusals: Sequence[Refusal] = ()


def postscreen_plan(request: MxRequest, host: HostState) -> PostscreenPlan:
    """What the setting asks of a host with Postfix."""
    wanted = read_screening(request.settings["postscreen"])
    if not wanted.mode or not host.installed or not (request.present or wanted.mode == OFF):
        return PostscreenPlan()
    doors = [service for service in host.services if service.type == "inet" and _is_door(service)]
    screens = [service for service in doors if program(service) == "postscreen"]
    ours = [service for service in screens if is_ours(service)]
    if ours and len(screens) == 1:
        behind = _behind(host, ours[0])
        return _taken_back(ours[0], behind, host) if wanted.mode == OFF else _kept(ours[0], behind, wanted, host)
    if screens:
        return PostscreenPlan(refusals=_against_theirs(screens[0], wanted, host))
    if wanted.mode == OFF:
        return PostscreenPlan()
    refusals = _against(doors, host)
    return PostscreenPlan(refusals=refusals) if refusals else _set_up(doors[0], wanted, host)


def _is_door(service: Service) -> bool:
    """Whether strangers come to it at port 25."""
    return port_of(service) in SMTP_PORTS and not on_loopback(service)


def _pass_name(host: HostState) -> str:
    return host.value("smtpd_service_name") or "smtpd"


def _behind(host: HostState, screen: Service) -> Service | None:
    """The server that it hands clients to."""
    return service_named(host.services, f"{pass_name(host, screen)}/pass")


def _set_up(door: Service, wanted: Screening, host: HostState) -> PostscreenPlan:
    """postscreen comes to stand before a server that strangers reach directly so far."""
    helpers = {parameter: host.value(parameter) or name for parameter, name in HELPERS.items()}
    there = {parameter: name for parameter, name in helpers.items() if service_named(host.services, f"{name}/unix")}
    chroot = as_request(door).chroot
    settings = _overrides(door, door, wanted, host)
    # What is there stays when postscreen goes.
    settings.update(there)
    missing = [name for parameter, name in helpers.items() if parameter not in there]
    return PostscreenPlan(
        {
            # It is the same entry, so all that it had is still to be its own.
            f"{_pass_name(host)}/pass": ServiceChange(
                dict(door.overrides), command=door.command, renamed_from=door.key
            ),
            door.key: ServiceChange(
                {**dict.fromkeys(door.overrides), **settings}, command="postscreen", chroot=chroot, process_limit="1"
            ),
            **{f"{name}/unix": ServiceChange(command=name, chroot=chroot, process_limit="0") for name in missing},
        },
        notes=_notes(host),
    )


def _kept(screen: Service, behind: Service | None, wanted: Screening, host: HostState) -> PostscreenPlan:
    """A postscreen of ours as it is to be by now."""
    settings = _overrides(screen, behind, wanted, host)
    helpers = {parameter: screen.overrides.get(parameter) for parameter in HELPERS}
    settings.update({parameter: name for parameter, name in helpers.items() if name})
    gone = dict.fromkeys(name for name in screen.overrides if name in _MANAGED)
    changes = {screen.key: ServiceChange({**gone, **settings}, process_limit="1")}
    for parameter, name in HELPERS.items():
        key = f"{host.value(parameter) or name}/unix"
        if not helpers[parameter] and not service_named(host.services, key):
            chroot = as_request(screen).chroot
            changes[key] = ServiceChange(command=name, chroot=chroot, process_limit="0")
    return PostscreenPlan(changes, notes=_notes(host))


def _taken_back(screen: Service, behind: Service | None, host: HostState) -> PostscreenPlan:
    """The server is at port 25 again. Helpers that were there before stay."""
    if behind is None:
        cause = f"master.cf has no service {_pass_name(host)}/pass any more, which was {screen.key} before"
        remedy = f"give {screen.key} the command smtpd in master.cf, and remove its overrides of postscreen"
        return PostscreenPlan(refusals=[Refusal("", CHECK, cause, remedy)])
    changes = {
        screen.key: ServiceChange(
            {**dict.fromkeys(screen.overrides), **behind.overrides}, command=behind.command, renamed_from=behind.key
        ),
        behind.key: ServiceChange(state=ABSENT),
    }
    for parameter, name in HELPERS.items():
        key = f"{host.value(parameter) or name}/unix"
        if parameter not in screen.overrides and service_named(host.services, key):
            changes[key] = ServiceChange(state=ABSENT)
    return PostscreenPlan(changes)


def _overrides(screen: Service, behind: Service | None, wanted: Screening, host: HostState) -> dict[str, str]:
    """What the entry of postscreen sets. `screen` has the exceptions so far, if it is one."""
    action = _action(wanted)
    shared = {name: behind.overrides[name] for name in _SHARED if behind and name in behind.overrides}
    found = {
        **shared,
        "postscreen_greet_action": action,
        "postscreen_dnsbl_action": action,
        name_in(host.version, _DENIED): action,
        ACCESS_LIST: _access_list(screen, host),
    }
    if host.postscreen.cache_type:
        found[POSTSCREEN_CACHE] = f"{host.postscreen.cache_type}:$data_directory/{CACHE_NAME}"
    if wanted.sites:
        found[_SITES] = ",".join(wanted.sites)
    return found


def _action(wanted: Screening) -> str:
    return "enforce" if wanted.mode == ENFORCE else "ignore"


def _access_list(screen: Service, host: HostState) -> str:
    """Own clients, other MX hosts, and whatever main.cf names beside its own clients."""
    present = addresses_let_in(screen.overrides.get(ACCESS_LIST, ""))
    addresses = _addresses(present, host)
    inline = [f"inline:{{{','.join(f'{address}=permit' for address in addresses)}}}"] if addresses else []
    others = [member for member in split_items(host.value(ACCESS_LIST)) if member != "permit_mynetworks"]
    return ",".join(["permit_mynetworks", *inline, *others])


def _addresses(present: Sequence[str], host: HostState) -> list[str]:
    """The addresses of the other MX hosts, sorted.

    An MX host may have another address each time DNS is asked. So one of which an address is let in is left alone, and
    an address that is let in stays.
    """
    if not supports(host.version, "inline_tables"):
        return []
    own = {plain_address(address) for address in host.own_addresses}
    found = set(present)
    for addresses in host.postscreen.exchangers.values():
        others = [address for address in reaching_others(addresses) if address not in own]
        if not found.intersection(others):
            found.update(others)
    return sorted(found)[:MOST_ADDRESSES]


def _notes(host: HostState) -> list[str]:
    if host.postscreen.exchangers and not supports(host.version, "inline_tables"):
        return [
            f"postscreen of Postfix before {first_release('inline_tables')} is not told of the other MX hosts; "
            "what they send waits six seconds at first"
        ]
    return []


def _against(doors: Sequence[Service], host: HostState) -> list[Refusal]:
    """What keeps postscreen from standing before the server at port 25."""
    if not supports(host.version, "postscreen"):
        return [
            _refusal(f"Postfix before {first_release('postscreen')} has no postscreen", "leave the setting out here")
        ]
    if len(doors) != 1:
        named = " and ".join(service.key for service in doors)
        cause = (
            f"master.cf has {named} at port 25, and one server can stand behind postscreen"
            if doors
            else "master.cf has no server at port 25 that strangers reach"
        )
        return [_refusal(cause, "have one service smtp, type inet, command smtpd, without an address in front of it")]
    door, name = doors[0], _pass_name(host)
    found = []
    if program(door) != "smtpd":
        cause = f"{door.key} of master.cf runs {program(door)}, which postscreen can't hand clients to"
        found.append(_refusal(cause, f"give {door.key} the command smtpd, or leave the setting out"))
    if effective(host, door, "smtpd_tls_wrappermode").lower() == "yes":
        found.append(_refusal(f"{door.key} speaks TLS from the first byte", "unset smtpd_tls_wrappermode there"))
    for parameter in _PROXIED:
        value = effective(host, door, parameter)
        if value:
            cause = f"{parameter} is {value}, so each client says for itself, or by a proxy, which it is"
            found.append(_refusal(cause, f"empty {parameter} for {door.key}; a proxy needs a port of its own"))
    if service_named(host.services, f"{name}/pass"):
        cause = f"master.cf already has a service {name}/pass, with no postscreen before it"
        found.append(_refusal(cause, f"remove {name}/pass, whose place {door.key} would take"))
    disabled = disabled_by(name, "pass", host.value("master_service_disable"))
    if disabled:
        member = min(disabled)
        found.append(_refusal(f"master_service_disable contains {member}", f"remove {member} from it"))
    if not host.postscreen.cache_type:
        cause = "neither btree nor lmdb works on this host, and postscreen can keep its cache in nothing else"
        found.append(_refusal(cause, "install Postfix's support for lmdb (postfix-lmdb)"))
    return found


def _against_theirs(screen: Service, wanted: Screening, host: HostState) -> list[Refusal]:
    """What of a postscreen that somebody else has set up is not as wanted: it could not be put back."""
    if wanted.mode == OFF:
        cause = f"{screen.key} runs a postscreen that no role has set up, so what was there before is not known"
        return [_refusal(cause, f"give {screen.key} the command smtpd in master.cf, or leave the setting out")]
    acts = {"postscreen_greet_action": wanted.mode == ENFORCE}
    sites = split_items(effective(host, screen, _SITES))
    if sites:
        acts["postscreen_dnsbl_action"] = wanted.mode == ENFORCE
    found = []
    for name, refuses in acts.items():
        value = effective(host, screen, name).lower()
        if (value != "ignore") != refuses:
            cause = f"{screen.key} runs a postscreen that no role has set up, and its {name} is {value}"
            found.append(_refusal(cause, f"set {name} to {_action(wanted)}, or leave the setting out"))
    missing = [site for site in wanted.sites if site not in sites]
    if missing:
        cause = f"{screen.key} runs a postscreen that no role has set up, and it does not ask {', '.join(missing)}"
        found.append(_refusal(cause, f"add that to {_SITES}, or leave dnsbl_sites out"))
    return found


def _refusal(cause: str, remedy: str) -> Refusal:
    return Refusal("", CHECK, cause, remedy)
