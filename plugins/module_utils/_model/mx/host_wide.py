# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the settings for a whole host ask of main.cf and of the relay service, and what speaks against them.

A setting that is not given leaves the administrator's value alone. Two have a safe value where nobody set one: TLS to
the mail host, and who may use ETRN.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import is_address
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.admission import ETRN_RESTRICTIONS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.delimiters import DELIMITER, NO_DELIMITER
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import effective
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import (
    DNS_SUPPORT,
    HOST_LOOKUP,
    TLS_DEMANDED,
    TLS_LEVEL,
    TLS_POLICY,
    dns_is_off,
    dns_overrides,
    find_relay_service,
    harms,
    parameter_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.certificate import certificate_settings
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.client_limits import client_limits
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import MxRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.settings import SETTINGS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import (
    first_release,
    missing_parameter,
    name_in,
    supports,
)

PROTOCOLS = "inet_protocols"
CLIENT_RESTRICTIONS = "smtpd_client_restrictions"
# Empty would let anybody have the queue flushed; who else needs it is named by the setting.
SAFE_ETRN = "permit_mynetworks, reject"
AUTHORITIES = ("smtp_tls_CAfile", "smtp_tls_CApath", "smtp_tls_trust_anchor_file")
# Setting -> parameter, where the value is passed on as it is.
PLAIN = {name: setting["parameter"] for name, setting in SETTINGS.items() if "parameter" in setting}
# Delivery agents of this host give up altogether where their limit is below that of a message.
MAILBOX_LIMITS = ("mailbox_size_limit", "virtual_mailbox_limit")
# What separates a user from a word of his own; letters, digits and what routes mail (! and %) are no delimiters.
DELIMITERS = "+-=_.#~"
# Overrides that the relay service can get from a run, by the names of smtp(8).
GUARDS = (
    "smtp_fallback_relay",
    "fallback_relay",
    "disable_dns_lookups",
    "smtp_generic_maps",
    "smtp_sasl_auth_enable",
    "smtp_tcp_port",
    "smtp_tls_wrappermode",
    DNS_SUPPORT,
    HOST_LOOKUP,
    TLS_LEVEL,
    TLS_POLICY,
)


@dataclass
class HostSettings:
    """Changes of main.cf, members that its lists get, overrides of the service relay/unix, and reasons not to make
    them."""

    parameters: dict[str, str] = field(default_factory=dict)
    items: dict[str, list[str]] = field(default_factory=dict)
    overrides: dict[str, str] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, check: str, cause: str, remedy: str) -> None:
        self.refusals.append(Refusal("", check, cause, remedy))


def host_settings(request: MxRequest, host: HostState) -> HostSettings:
    """What the settings ask of a host that relays something. Without Postfix only the plain values are known."""
    found = HostSettings()
    settings = request.settings
    for name, parameter in PLAIN.items():
        if str(settings[name]):
            found.parameters[parameter] = str(settings[name])
    for name in ("proxy_interfaces", "inet_interfaces"):
        if settings[name]:
            found.parameters[name] = _listed(settings[name])
    if settings["smtputf8"] != "":
        found.parameters["smtputf8_enable"] = "yes" if settings["smtputf8"] else "no"
    if settings["ipv6"] != "":
        found.parameters[PROTOCOLS] = "all" if settings["ipv6"] else "ipv4"
    own = certificate_settings(request, host)
    found.parameters.update(own.parameters)
    found.refusals += own.refusals
    _limits(request, host, found)
    _delimiter(request, host, found)
    if host.installed:
        _ipv6(request, host, found)
        _message_size(request, host, found)
        _utf8(request, host, found)
        _clients(request, found)
        _etrn(request, host, found)
        _tls(request, host, found)
        _mail_hosts(request, host, found)
        _relay_service(host, found)
        _sending(request, host, found)
    return found


def overrides_to_take_back(request: MxRequest, host: HostState) -> dict[str, None]:
    """The overrides of the relay service that a run has set, and nothing needs once the last relay domain is gone.

    Those are the ones that a run would set if they were not there: what an administrator set to another value, or
    where main.cf asks for nothing else, stays.
    """
    relay = find_relay_service(host)
    if relay is None:
        return {}
    names = {parameter_of(relay, name) for name in GUARDS}.union(GUARDS)
    if supports(host.version, "relay_service_is_guarded") and not supports(host.version, "relay_service_ships_bare"):
        names -= {"smtp_fallback_relay", "fallback_relay"}
    bare = replace(relay, overrides={name: value for name, value in relay.overrides.items() if name not in names})
    without = replace(host, services=[bare if service.key == relay.key else service for service in host.services])
    wanted = host_settings(request, without).overrides
    if dns_is_off(without, bare):
        wanted.update(dns_overrides(without, bare, wanted.get(TLS_LEVEL, override(bare, TLS_LEVEL, host))))
    return {name: None for name, value in wanted.items() if name in names and relay.overrides.get(name) == value}


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _relay_service(host: HostState, found: HostSettings) -> None:
    """Mail for a relay domain waits here, whatever fallback the host has for other mail."""
    guarded = supports(host.version, "relay_service_is_guarded")
    if host.version and not guarded:
        found.parameters["relay_transport"] = "relay"
    relay = find_relay_service(host)
    if relay is None:
        return
    name = name_in(host.version, "smtp_fallback_relay")
    if override(relay, name, host) or not guarded:
        found.overrides[name] = ""


def _sending(request: MxRequest, host: HostState, found: HostSettings) -> None:
    """Mail for a relay domain goes to its mail host as it came, whatever main.cf asks for on the way to a smarthost."""
    relay = find_relay_service(host)
    if relay is None:
        return
    for harm in harms(host, relay):
        if harm.instead is not None and not harm.own:
            found.overrides.setdefault(harm.name, harm.instead)
    looked_up = [item for item in request.present if item.result is None or item.mx_lookup]
    support = parameter_of(relay, DNS_SUPPORT)
    if looked_up and dns_is_off(host, relay) and not {support, "disable_dns_lookups"}.intersection(relay.overrides):
        level = found.overrides.get(TLS_LEVEL, override(relay, TLS_LEVEL, host))
        for name, value in dns_overrides(host, relay, level).items():
            found.overrides.setdefault(name, value)


def _mail_hosts(request: MxRequest, host: HostState, found: HostSettings) -> None:
    several = [item for item in request.present if len(item.nexthops) > 1]
    if not host.version or supports(host.version, "nexthop_list"):
        return
    found.refusals += [
        Refusal(
            item.name,
            "mail_host",
            f"Postfix before {first_release('nexthop_list')} takes one mail host for a domain",
            "name one mail_host, which can be a name with several addresses",
        )
        for item in several
    ]


def _message_size(request: MxRequest, host: HostState, found: HostSettings) -> None:
    wanted = int(str(request.settings["message_size_limit"]) or "-1")
    if wanted < 0:
        return
    for name in MAILBOX_LIMITS:
        limit = host.value(name)
        if limit.isdigit() and int(limit) and (int(limit) < wanted or not wanted):
            found.refuse(
                "message_size_limit",
                f"{name} is {limit}, below the requested message size limit, which would stop delivery "
                "to this host's own mailboxes",
                f"ask for at most {limit}, or raise {name} first",
            )


def _ipv6(request: MxRequest, host: HostState, found: HostSettings) -> None:
    if request.settings["ipv6"] == "" or not missing_parameter(".".join(map(str, host.version)), PROTOCOLS):
        return
    del found.parameters[PROTOCOLS]
    if request.settings["ipv6"]:
        cause = f"Postfix before {first_release(PROTOCOLS)} has no IPv6"
        found.refuse("ipv6", cause, "leave the setting out, or use a later Postfix")


def _utf8(request: MxRequest, host: HostState, found: HostSettings) -> None:
    if request.settings["smtputf8"] == "" or host.knows("smtputf8_enable"):
        return
    del found.parameters["smtputf8_enable"]
    if request.settings["smtputf8"]:
        cause = f"Postfix before {first_release('smtputf8_enable')} has no SMTPUTF8"
        found.refuse("smtputf8", cause, "leave the setting out, or use a later Postfix")


def _clients(request: MxRequest, found: HostSettings) -> None:
    wanted = ", ".join(map(str, request.settings["client_restrictions"]))
    if wanted:
        found.parameters[CLIENT_RESTRICTIONS] = wanted


def _delimiter(request: MxRequest, host: HostState, found: HostSettings) -> None:
    wanted = str(request.settings[DELIMITER])
    others = "".join(character for character in wanted if character not in DELIMITERS)
    if wanted == NO_DELIMITER:
        found.parameters[DELIMITER] = ""
    elif others:
        cause = f'"{others[0]}" in {DELIMITER} is part of the names of people'
        found.refuse(DELIMITER, cause, f"use one or more of {' '.join(DELIMITERS)}, or {NO_DELIMITER}")
    elif len(wanted) > 1 and host.version and not supports(host.version, "delimiter_set"):
        cause = f"Postfix before {first_release('delimiter_set')} takes one character"
        found.refuse(DELIMITER, cause, f"use the first, {wanted[0]}")
    elif wanted:
        found.parameters[DELIMITER] = wanted


def _limits(request: MxRequest, host: HostState, found: HostSettings) -> None:
    limits = client_limits(request, host)
    found.parameters.update(limits.parameters)
    found.items.update(limits.items)
    found.refusals += limits.refusals


def _etrn(request: MxRequest, host: HostState, found: HostSettings) -> None:
    wanted = ", ".join(map(str, request.settings["etrn_restrictions"]))
    if wanted:
        found.parameters[ETRN_RESTRICTIONS] = wanted
    elif host.knows(ETRN_RESTRICTIONS) and ETRN_RESTRICTIONS not in host.explicit:
        found.parameters[ETRN_RESTRICTIONS] = SAFE_ETRN


def _tls(request: MxRequest, host: HostState, found: HostSettings) -> None:
    wanted = str(request.settings["mail_host_tls"])
    relay = find_relay_service(host)
    if relay is None:
        return
    if not host.knows(TLS_LEVEL):
        if wanted not in ("", "none"):
            found.refuse("mail_host_tls", f"this Postfix has no {TLS_LEVEL}", "leave the setting out")
        return
    present = override(relay, TLS_LEVEL, host)
    if not wanted:
        older = [host.value(name) for name in ("smtp_use_tls", "smtp_enforce_tls")]
        unset = TLS_LEVEL not in host.explicit and TLS_LEVEL not in relay.overrides and "yes" not in older
        if unset and not present:
            found.overrides[TLS_LEVEL] = "may"
        return
    # What main.cf demands of a smarthost is not what was asked for here, even where it is the same.
    if present != wanted or (wanted in TLS_DEMANDED and TLS_LEVEL not in relay.overrides):
        found.overrides[TLS_LEVEL] = wanted
    if wanted == "dane":
        _dane(request, host, relay, found)
    elif wanted == "secure" and not any(override(relay, name, host) for name in AUTHORITIES):
        found.refuse(
            "mail_host_tls",
            "mail_host_tls is secure, but main.cf names no certificate authority that could vouch for a mail host",
            "first set smtp_tls_CApath or smtp_tls_CAfile with mxrelay.postfix.main_cf",
        )


def _dane(request: MxRequest, host: HostState, relay: Service, found: HostSettings) -> None:
    if not host.knows(DNS_SUPPORT):
        found.refuse(
            "mail_host_tls", f"Postfix before {first_release(DNS_SUPPORT)} has no DANE", "ask for may or secure"
        )
        return
    if override(relay, DNS_SUPPORT, host) != "dnssec":
        found.overrides[DNS_SUPPORT] = "dnssec"
    found.refusals += [
        Refusal(
            item.name,
            "mail_host_tls",
            f"mail_host_tls is dane, but no TLSA record can exist for the address {host}",
            "give its mail_host as a name",
        )
        for item in request.present
        for host in item.nexthops
        if is_address(host)
    ]


def override(service: Service, name: str, host: HostState) -> str:
    """The value by which a service goes, expanded."""
    return effective(host, service, name)
