# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the settings for a whole host ask of main.cf and of the relay service, and what speaks against them.

A setting that is not given leaves the administrator's value alone. Two have a safe value where nobody set one: TLS to
the mail host, and who may use ETRN.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import is_address
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import expand
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.strangers import world_member
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    LOOPBACK,
    NO_SMTP,
    RECIPIENT_RESTRICTIONS,
    RELAY_RESTRICTIONS,
    open_services,
    overrides_for_strangers,
    written_value,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.domains import still_verifies
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MxPlan
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import MxRequest, Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import name_in, supports


def host_wide(request: MxRequest, host: HostState, plan: MxPlan) -> None:
    settings = request.settings
    if not request.present:
        return
    if settings["proxy_interfaces"]:
        plan.parameters["proxy_interfaces"] = ", ".join(map(str, settings["proxy_interfaces"]))
    interfaces = str(settings["inet_interfaces"])
    if interfaces:
        plan.parameters["inet_interfaces"] = interfaces
    listening = split_items(interfaces or host.value("inet_interfaces"))
    if listening and all(one.lower() in LOOPBACK for one in listening):
        plan.refuse(
            "",
            "inet_interfaces",
            f"inet_interfaces is {', '.join(listening)}: no other host can deliver mail here",
            f"set {request.role or 'mx'}_inet_interfaces: all",
        )
    disabled = [one for one in split_items(host.value("master_service_disable")) if one in NO_SMTP]
    if disabled:
        plan.refuse(
            "",
            "master_service_disable",
            f"master_service_disable contains {disabled[0]}: no other host can deliver mail here",
            "remove it with mxrelay.postfix.main_cf; postmulti -e create sets it for a new instance",
        )
    for where, value in [("mynetworks", host.value("mynetworks")), *overrides_for_strangers(host, "mynetworks")]:
        world = world_member(value, host.network_files, host.network_answers)
        if world:
            plan.refuse(
                "",
                "mynetworks",
                f"{where} contains {world}: anyone may relay through this host",
                "leave only your own clients' networks in it",
            )
    if host.version and not supports(host.version, "relay_service_is_guarded"):
        plan.parameters["relay_transport"] = "relay"


def relay_restrictions(request: MxRequest, host: HostState, plan: MxPlan) -> None:
    """554 instead of 454 for a relay attempt, and no list through which a stranger relays."""
    told = _wanted_restrictions(request, host, plan)
    relay = expand(plan.parameters.get(RELAY_RESTRICTIONS, host.value(RELAY_RESTRICTIONS)), host.values)
    recipient = expand(plan.parameters.get(RECIPIENT_RESTRICTIONS, host.value(RECIPIENT_RESTRICTIONS)), host.values)
    verdicts = tuple(restrictions.verdict(one, host.permitting) for one in (relay, recipient))
    if verdicts == (restrictions.EMPTY, restrictions.EMPTY) or (
        host.knows(RELAY_RESTRICTIONS)
        and verdicts == (restrictions.EMPTY, restrictions.OPEN)
        and not restrictions.grants(recipient, host.permitting)
    ):
        name = RELAY_RESTRICTIONS if host.knows(RELAY_RESTRICTIONS) else RECIPIENT_RESTRICTIONS
        plan.parameters[name] = restrictions.SAFE_LIST
        relay = restrictions.SAFE_LIST
    elif restrictions.CLOSED not in verdicts and not told:
        names = [name for name in (RELAY_RESTRICTIONS, RECIPIENT_RESTRICTIONS) if host.knows(name)]
        plan.refuse(
            "",
            "open_relay",
            f"{' and '.join(names)} let a stranger relay: no reject_unauth_destination follows restrictions that "
            "permit only your own clients",
            f"end {names[0]} with reject_unauth_destination, after the restrictions that permit only your own clients",
        )
    for name in (RELAY_RESTRICTIONS, RECIPIENT_RESTRICTIONS):
        before = plan.parameters.get(name, written_value(host, name))
        after = restrictions.rejecting(before)
        whole = expand(before, host.values)
        if after == before and restrictions.rejecting(whole) != whole:
            after = restrictions.rejecting(whole)
        if after != before:
            plan.parameters[name] = after
    for service in open_services(relay, recipient, host):
        plan.refuse(
            "",
            "open_relay",
            f"the overrides of {service.key} in master.cf let a stranger relay",
            f"end its {RELAY_RESTRICTIONS} with reject or reject_unauth_destination",
        )


def _wanted_restrictions(request: MxRequest, host: HostState, plan: MxPlan) -> bool:
    """The list that is asked for, which has to close by itself; whether it was refused because it does not."""
    wanted = ", ".join(map(str, request.settings["relay_restrictions"]))
    if not wanted:
        return False
    if host.knows(RELAY_RESTRICTIONS):
        plan.parameters[RELAY_RESTRICTIONS] = wanted
    elif host.verify and still_verifies(host, plan):
        check = f"check_recipient_access {host.verify.reference}"
        plan.parameters[RECIPIENT_RESTRICTIONS] = restrictions.with_check(wanted, check)
    else:
        plan.parameters[RECIPIENT_RESTRICTIONS] = wanted
    opens = restrictions.verdict(expand(wanted, host.values), host.permitting) != restrictions.CLOSED
    if opens:
        plan.refuse(
            "",
            "open_relay",
            f"{request.role or 'mx'}_relay_restrictions ({wanted}) would let a stranger relay",
            "end them with reject_unauth_destination, after the restrictions that permit only your own clients",
        )
    return opens


def fallback_guard(host: HostState, plan: MxPlan) -> None:
    """Mail for a relay domain waits here, whatever fallback the host has for other mail."""
    relay = relay_service(host)
    if relay is None:
        plan.refuse(
            "",
            "relay_service",
            "master.cf has no service relay/unix, which sends mail for relay domains",
            "add it with mxrelay.postfix.master_cf: name relay, type unix, command smtp",
        )
        return
    name = name_in(host.version, "smtp_fallback_relay")
    effective = relay.overrides.get(name, host.value(name))
    if expand(effective, host.values) or not supports(host.version, "relay_service_is_guarded"):
        plan.overrides[name] = ""


CLIENT_RESTRICTIONS = "smtpd_client_restrictions"
ETRN_RESTRICTIONS = "smtpd_etrn_restrictions"
# Empty would let anybody have the queue flushed; who else needs it is named by the setting.
SAFE_ETRN = "permit_mynetworks, reject"
TLS_LEVEL = "smtp_tls_security_level"
DNS_SUPPORT = "smtp_dns_support_level"
AUTHORITIES = ("smtp_tls_CAfile", "smtp_tls_CApath", "smtp_tls_trust_anchor_file")
# Setting -> parameter, where the value is passed on as it is.
PLAIN = {
    "message_size_limit": "message_size_limit",
    "mail_host_concurrency": "relay_destination_concurrency_limit",
    "queue_lifetime": "maximal_queue_lifetime",
}
# Delivery agents of this host give up altogether where their limit is below that of a message.
MAILBOX_LIMITS = ("mailbox_size_limit", "virtual_mailbox_limit")


@dataclass
class Asked:
    """Changes of main.cf, overrides of the service relay/unix, and reasons not to make them."""

    parameters: dict[str, str] = field(default_factory=dict)
    overrides: dict[str, str] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, check: str, cause: str, remedy: str) -> None:
        self.refusals.append(Refusal("", check, cause, remedy))


def asked(request: MxRequest, host: HostState) -> Asked:
    """What the settings ask of a host that relays something. Without Postfix only the plain values are known."""
    found = Asked()
    settings = request.settings
    for name, parameter in PLAIN.items():
        if str(settings[name]):
            found.parameters[parameter] = str(settings[name])
    if settings["smtputf8"] != "":
        found.parameters["smtputf8_enable"] = "yes" if settings["smtputf8"] else "no"
    if settings["ipv6"] != "":
        found.parameters["inet_protocols"] = "all" if settings["ipv6"] else "ipv4"
    if host.installed:
        _message_size(request, host, found)
        _utf8(request, host, found)
        _clients(request, host, found)
        _etrn(request, host, found)
        _tls(request, host, found)
    return found


def _message_size(request: MxRequest, host: HostState, found: Asked) -> None:
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


def _utf8(request: MxRequest, host: HostState, found: Asked) -> None:
    if request.settings["smtputf8"] == "" or host.knows("smtputf8_enable"):
        return
    del found.parameters["smtputf8_enable"]
    if request.settings["smtputf8"]:
        found.refuse("smtputf8", "Postfix before 3.0 has no SMTPUTF8", "leave the setting out, or use a later Postfix")


def _clients(request: MxRequest, host: HostState, found: Asked) -> None:
    wanted = ", ".join(map(str, request.settings["client_restrictions"]))
    if not wanted:
        return
    found.parameters[CLIENT_RESTRICTIONS] = wanted
    if restrictions.refuses_everybody(expand(wanted, host.values)):
        found.refuse(
            "client_restrictions",
            f"client_restrictions ({wanted}) refuse every stranger, so no mail could come in",
            "remove reject or defer, or permit the senders of mail before it",
        )


def _etrn(request: MxRequest, host: HostState, found: Asked) -> None:
    wanted = ", ".join(map(str, request.settings["etrn_restrictions"]))
    if wanted:
        found.parameters[ETRN_RESTRICTIONS] = wanted
    elif host.knows(ETRN_RESTRICTIONS) and ETRN_RESTRICTIONS not in host.explicit:
        found.parameters[ETRN_RESTRICTIONS] = SAFE_ETRN


def _tls(request: MxRequest, host: HostState, found: Asked) -> None:
    wanted = str(request.settings["mail_host_tls"])
    relay = relay_service(host)
    if relay is None:
        return
    if not host.knows(TLS_LEVEL):
        if wanted not in ("", "none"):
            found.refuse("mail_host_tls", f"this Postfix has no {TLS_LEVEL}", "leave the setting out")
        return
    effective = override(relay, TLS_LEVEL, host)
    if not wanted:
        older = [host.value(name) for name in ("smtp_use_tls", "smtp_enforce_tls")]
        unset = TLS_LEVEL not in host.explicit and TLS_LEVEL not in relay.overrides and "yes" not in older
        if unset and not effective:
            found.overrides[TLS_LEVEL] = "may"
        return
    if effective != wanted:
        found.overrides[TLS_LEVEL] = wanted
    if wanted == "dane":
        _dane(request, host, relay, found)
    elif wanted == "secure" and not any(override(relay, name, host) for name in AUTHORITIES):
        found.refuse(
            "mail_host_tls",
            "mail_host_tls is secure, but main.cf names no certificate authority that could vouch for a mail host",
            "first set smtp_tls_CApath or smtp_tls_CAfile with mxrelay.postfix.main_cf",
        )


def _dane(request: MxRequest, host: HostState, relay: Service, found: Asked) -> None:
    if not host.knows(DNS_SUPPORT):
        found.refuse("mail_host_tls", "Postfix before 2.11 has no DANE", "ask for may or secure")
        return
    if override(relay, DNS_SUPPORT, host) != "dnssec":
        found.overrides[DNS_SUPPORT] = "dnssec"
    for item in request.present:
        if item.nexthop and is_address(item.nexthop):
            found.refusals.append(
                Refusal(
                    item.name,
                    "mail_host_tls",
                    f"mail_host_tls is dane, but no TLSA record can exist for the address {item.nexthop}",
                    "give its mail_host as a name",
                )
            )


def relay_service(host: HostState) -> Service | None:
    """The service that sends mail for relay domains."""
    return next((one for one in host.services if one.name == "relay" and one.type == "unix"), None)


def override(service: Service, name: str, host: HostState) -> str:
    """The value by which a service goes, expanded."""
    return expand(service.overrides.get(name, host.value(name)), host.values)
