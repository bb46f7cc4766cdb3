# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MX plan: what a host needs for its declared relay domains, and every reason not to change it.

Follows "Configuring Postfix as primary or backup MX host for a remote site" of STANDARD_CONFIGURATION_README.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.match_lists import expand, lookup_keys
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx_host import (
    DomainRows,
    HostState,
    MxRecord,
    TableState,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx_request import (
    ABSENT,
    ANY,
    EXTERNAL,
    LISTED,
    PRESENT,
    PRIMARY,
    SECONDARY,
    VERIFY,
    DomainItem,
    Refusal,
    MxRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx_settings import asked, relay_service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.recipient_digest import VALUE
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers import world_member
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import name_in, supports

# Members of master_service_disable without which smtpd does not listen.
NO_SMTP = frozenset({"inet", "smtp.inet", "smtp/inet"})
LOOPBACK = frozenset({"loopback-only", "localhost", "127.0.0.1", "::1", "[::1]"})
RELAY_RESTRICTIONS = "smtpd_relay_restrictions"
RECIPIENT_RESTRICTIONS = "smtpd_recipient_restrictions"
# The first for subdomains, which this row is found for as well: they are refused at once, not asked about.
VERIFY_ACTION = "reject_unlisted_recipient, reject_unverified_recipient"
PARENTS = "parent_domain_matches_subdomains"


@dataclass(frozen=True)
class RecipientsItem:
    """One domain's rows as they are to be; `index` is its place in the declared list, None for a domain not in it."""

    name: str
    policy: str
    state: str = PRESENT
    index: int | None = None
    postmaster: bool = False
    subdomains: bool = False
    changed: bool = False
    # What the list is, by which its rows are known again.
    digest: str = ""
    lists_postmaster: bool = False

    def as_result(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "recipients_policy": self.policy,
            "state": self.state,
            "item": self.index,
            "postmaster": self.postmaster,
            "subdomains": self.subdomains,
            "changed": self.changed,
            "digest": self.digest,
            "lists_postmaster": self.lists_postmaster,
        }


@dataclass
class MxPlan:
    """The complete change. Removals of rows are apart, for they come after main.cf has let go of the domain."""

    refusals: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    recipients: list[RecipientsItem] = field(default_factory=list)
    recipients_removed: list[RecipientsItem] = field(default_factory=list)
    transport: dict[str, str] = field(default_factory=dict)
    transport_removed: list[str] = field(default_factory=list)
    # Patterns for the addresses of subdomains, where no row of an indexed table matches them.
    subdomains: dict[str, str] = field(default_factory=dict)
    subdomains_removed: list[str] = field(default_factory=list)
    verify: dict[str, str] = field(default_factory=dict)
    verify_removed: list[str] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    add_items: dict[str, list[str]] = field(default_factory=dict)
    remove_items: dict[str, list[str]] = field(default_factory=dict)
    overrides: dict[str, str] = field(default_factory=dict)
    undeclared: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    def refuse(self, domain: str, check: str, cause: str, remedy: str) -> None:
        self.refusals.append(Refusal(domain, check, cause, remedy))

    def add_item(self, parameter: str, item: str) -> None:
        members = self.add_items.setdefault(parameter, [])
        if item not in members:
            members.append(item)

    def remove_item(self, parameter: str, item: str) -> None:
        members = self.remove_items.setdefault(parameter, [])
        if item not in members:
            members.append(item)


def decide(request: MxRequest, host: HostState) -> MxPlan:
    """The plan for `request` on a host with Postfix. Without Postfix only what the values say can be decided."""
    plan = MxPlan(refusals=list(request.refusals))
    recipient_policies(request, host, plan)
    primary_rows(request, host, plan)
    if host.installed:
        host_wide(request, host, plan)
        refuse_other_classes(request, host, plan)
        refuse_loops(request, host, plan)
        undeclared_domains(request, host, plan)
        absent_domains(request, host, plan)
        secondary_rows(request, host, plan)
        relay_domains_members(request, host, plan)
        recipient_maps(request, host, plan)
        subdomain_patterns(request, host, plan)
        left_at_subdomains(request, host, plan)
        transport_maps(request, host, plan)
        verification(request, host, plan)
        if request.present:
            relay_restrictions(request, host, plan)
            fallback_guard(host, plan)
    else:
        for item in request.present:
            plan.add_item("relay_domains", item.name)
    if request.present:
        wanted = asked(request, host)
        plan.parameters.update(wanted.parameters)
        plan.overrides.update(wanted.overrides)
        plan.refusals += wanted.refusals
    return plan


def best_exchanger(records: Sequence[MxRecord], host: HostState, proxies: Sequence[str]) -> MxRecord | None:
    """This host's own record where no other exchanger is better than it, so that relayed mail has nowhere to go."""
    own = [one for one in records if host.is_self(one.host, one.addresses, proxies)]
    if not own:
        return None
    best = min(one.preference for one in own)
    others = [one for one in records if one not in own]
    return None if any(one.preference < best for one in others) else min(own, key=lambda one: one.preference)


def rows_differ(item: DomainItem, rows: DomainRows, postmaster: bool) -> bool:
    """Whether the table's rows for a domain are other than what the item declares."""
    if item.policy == LISTED:
        return (
            rows.digest != item.digest
            or rows.wildcard
            or not rows.tidy
            or rows.postmaster != (postmaster or item.lists_postmaster)
        )
    return not (rows.wildcard and rows.tidy and rows.count == 0 and not rows.postmaster)


def subdomain_pattern(name: str) -> str:
    """The pattern of a regexp table that matches every address of a domain's subdomains, and none of its own."""
    return "/@[^@]+\\." + name.replace(".", "\\.") + "$/"


def recipient_policies(request: MxRequest, host: HostState, plan: MxPlan) -> None:
    settings = request.settings
    table = settings["recipient_check"] == "table"
    for item in request.present:
        if item.form_of:
            # Its rows come and go with those of the name that was declared.
            rows = host.recipient_rows.get(item.name, DomainRows())
            if table and rows_differ(item, rows, bool(settings["postmaster"])):
                plan.recipients = [
                    replace(one, changed=True) if one.name == item.form_of else one for one in plan.recipients
                ]
        elif not table:
            if item.listed_count or item.policy in (ANY, VERIFY, EXTERNAL):
                plan.refuse(
                    item.name,
                    "recipient_check",
                    f"recipient_check is none, which accepts every recipient, and its policy is {item.policy}",
                    "make recipient_check table, or leave out recipients and recipients_policy",
                )
        elif item.policy is None:
            plan.refuse(
                item.name,
                "no_recipients",
                "it has no recipients and no recipients_policy",
                "list its recipients, or say recipients_policy any, verify or external",
            )
        elif item.policy == LISTED and not item.listed_count:
            plan.refuse(
                item.name,
                "no_recipients",
                "its list of recipients is empty, so that all its mail would be refused",
                "list its recipients, or say recipients_policy any, verify or external",
            )
        elif item.policy != EXTERNAL:
            rows = host.recipient_rows.get(item.name, DomainRows())
            plan.recipients.append(
                RecipientsItem(
                    name=item.name,
                    policy=LISTED if item.policy == LISTED else ANY,
                    index=item.index,
                    postmaster=item.policy == LISTED and bool(settings["postmaster"]),
                    subdomains=item.subdomains and item.policy == LISTED,
                    changed=rows_differ(item, rows, bool(settings["postmaster"])),
                    digest=item.digest,
                    lists_postmaster=item.lists_postmaster,
                )
            )


def primary_rows(request: MxRequest, host: HostState, plan: MxPlan) -> None:
    """The rows of primaries, and an end to rows for subdomains where they are no longer wanted."""
    rows = host.transport.rows if host.transport else {}
    for item in request.present:
        if item.result is not None:
            plan.transport.update(dict.fromkeys(item.patterns, item.result))
        dotted = "." + item.name
        if not item.subdomains and dotted in rows:
            others = _others_routed_by(dotted, request, host)
            if others:
                plan.notes.append(_row_stays(dotted, others))
            else:
                plan.transport_removed.append(dotted)
    _keep_routes(request, host, plan)


def _keep_routes(request: MxRequest, host: HostState, plan: MxPlan) -> None:
    """A primary's row for its subdomains does not capture those for which the other role makes this a secondary."""
    rows = host.transport.rows if host.transport else {}
    for one in host.relayed:
        name = one.lstrip(".")
        captured = next((key for key in lookup_keys(name, False)[1:] if key in plan.transport), None)
        if captured is None or one in rows:
            continue
        if name in request.peer_domains:
            plan.transport[one] = "relay:"
        elif name not in request.declared and not request.settings["remove_undeclared"] and captured not in rows:
            plan.notes.append(f"the transport row {captured} routes {one} as well, which no role declares")


def secondary_rows(request: MxRequest, host: HostState, plan: MxPlan) -> None:
    """`relay:` where something else would capture the mail of a secondary; its own MX lookup does without a row.

    The row for one's subdomains captures the mail of those that are secondaries themselves, so parents come first, and
    what counts are the rows as this plan leaves them.
    """
    ours = host.transport
    rows = ours.rows if ours else {}
    found = set(rows if ours and (ours.member or plan.transport) else ())
    found = found.difference(plan.transport_removed).union(plan.transport)
    for item in sorted(request.present, key=lambda one: one.name.count(".")):
        if item.role == PRIMARY:
            continue
        if _is_captured(item, host) or found.intersection(lookup_keys(item.name, False)[1:] + ["*"]):
            plan.transport.update(dict.fromkeys(item.patterns, "relay:"))
            found.update(item.patterns)
        else:
            plan.transport_removed += [one for one in item.patterns if one in rows]
            found.difference_update(item.patterns)


def _is_captured(item: DomainItem, host: HostState) -> bool:
    """Whether something else than our table sends a secondary's mail elsewhere than to its MX hosts."""
    return bool(
        host.value("relayhost")
        or host.value("sender_dependent_relayhost_maps")
        or host.value("relay_transport") not in ("relay", "")
        or item.name in host.weak_captures
    )


def _others_routed_by(dotted: str, request: MxRequest, host: HostState) -> list[str]:
    """The relay domains, that are to stay, which nothing but the transport row for a domain's subdomains routes."""
    rows = host.transport.rows if host.transport else {}
    return [
        one
        for one, member in host.relayed.items()
        if one.endswith(dotted)
        and one != dotted
        and one not in rows
        and one.lstrip(".") not in request.declared
        and not (request.settings["remove_undeclared"] and member == one)
    ]


def _row_stays(dotted: str, others: list[str]) -> str:
    return f"the transport row {dotted} stays, since it routes {others[0]}, which no role declares"


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
            f"master_service_disable has {disabled[0]}: no other host can deliver mail here",
            "take it out with mxrelay.postfix.main_cf; postmulti -e create writes it for a new instance",
        )
    for where, value in [("mynetworks", host.value("mynetworks")), *_overrides(host, "mynetworks")]:
        world = world_member(value, host.network_files, host.network_answers)
        if world:
            plan.refuse(
                "",
                "mynetworks",
                f"{where} contains {world}: everybody may relay through this host",
                "leave only the networks of your own clients in it",
            )
    if host.version and not supports(host.version, "relay_service_is_guarded"):
        plan.parameters["relay_transport"] = "relay"


def refuse_other_classes(request: MxRequest, host: HostState, plan: MxPlan) -> None:
    for item in request.present:
        for parameter, member in host.classes.get(item.name, {}).items():
            plan.refuse(
                item.name,
                "class",
                f"{parameter} has it too ({member}), and a domain has one class",
                f"remove it from {parameter}, or leave it out here",
            )


def refuse_loops(request: MxRequest, host: HostState, plan: MxPlan) -> None:
    """What would send accepted mail back to this host, or where another map sends it."""
    proxies = [str(one) for one in request.settings["proxy_interfaces"]]
    for item in request.present:
        capture = host.captures.get(item.name)
        if capture:
            plan.refuse(
                item.name,
                "captured",
                f"{capture.member} in transport_maps answers {capture.result} for {capture.key}, "
                "before any row of ours",
                # Postfix asks all members for the whole address before it asks any for the domain.
                "leave the domain out of that entry"
                if capture.key.startswith("any address")
                else "remove that entry, or put the member after the table of this role",
            )
        if item.role == SECONDARY:
            _refuse_best_exchanger(item.name, host.mx.get(item.name, ()), host, proxies, plan)
        elif item.nexthop:
            _refuse_own_nexthop(item, host, proxies, plan)


def _refuse_best_exchanger(
    name: str, records: Sequence[MxRecord], host: HostState, proxies: Sequence[str], plan: MxPlan
) -> None:
    own = best_exchanger(records, host, proxies)
    if own:
        plan.refuse(
            name,
            "best_mx",
            f"DNS names this host ({own.host}, preference {own.preference}) as its best MX, "
            "so that a secondary would bounce what it accepts",
            "make the domain primary with a mail_host, or give the primary's MX record a lower preference",
        )


def _refuse_own_nexthop(item: DomainItem, host: HostState, proxies: Sequence[str], plan: MxPlan) -> None:
    nexthop = item.nexthop or ""
    if host.is_self(nexthop, host.host_addresses.get(nexthop, ()), proxies):
        plan.refuse(
            item.name,
            "own_nexthop",
            f"its mail_host {nexthop} is this host, so that its mail would loop",
            "name the host that keeps its mailboxes",
        )
    elif item.mx_lookup and best_exchanger(host.mx.get(nexthop, ()), host, proxies):
        plan.refuse(
            item.name,
            "own_nexthop",
            f"the best MX of its mail_host {nexthop} is this host, so that its mail would loop",
            "leave out mx_lookup, or name the host that keeps its mailboxes",
        )
    elif unknown_host(nexthop, item.mx_lookup, host):
        plan.refuse(
            item.name,
            "mail_host",
            f"DNS knows no {'MX or ' if item.mx_lookup else ''}address of its mail_host {nexthop}, "
            "so that its mail would be returned at once",
            "correct the name, or add it to DNS",
        )


def unknown_host(name: str, mx_lookup: bool, host: HostState) -> bool:
    """Whether DNS answered, and what it said leaves mail for this nexthop nowhere to go."""
    if not name or host.host_addresses.get(name) or name not in host.mx:
        return False
    return not (mx_lookup and host.mx[name])


def undeclared_domains(request: MxRequest, host: HostState, plan: MxPlan) -> None:
    settings = request.settings
    declared = request.declared
    others = [
        name
        for name in host.relayed
        if name.lstrip(".") not in declared
        and "mydestination" not in host.classes.get(name, {})
        # Keys of a table that is there for something else as well; Postfix looks up domains.
        and "@" not in name
        and name != "*"
    ]
    plan.undeclared = stay = sorted(others)
    if settings["remove_undeclared"]:
        stay = [name for name in plan.undeclared if host.relayed[name] != name]
        for name in plan.undeclared:
            if host.relayed[name] == name:
                _let_go(name, False, request, host, plan)
        plan.notes += [f"{one} is relayed through {host.relayed[one]}, which this role does not write" for one in stay]
    closes = settings["recipient_check"] == "table" and not split_items(host.value("relay_recipient_maps"))
    if not closes or not _needs_recipients_table(request, host, plan):
        return
    # The other role has not run yet, or will run another time; until then its domains go on as they are.
    others_wait = [name for name in host.relayed if name in request.peer_domains]
    for name in others_wait:
        rows = host.recipient_rows.get(name, DomainRows())
        if not (rows.count or rows.wildcard):
            plan.recipients.append(RecipientsItem(name=name, policy=ANY, changed=True))
            plan.notes.append(f"every recipient of {name} is accepted, as before, until the role that declares it runs")
    for name in stay:
        if settings["undeclared_domains"] == "any":
            _go_on(name, host, plan)
        else:
            plan.refuse(
                name,
                "undeclared",
                "this host relays it without a list of recipients; the list made here would refuse all its recipients",
                f"declare the domain, or set {request.role or 'mx'}_undeclared_domains: any",
            )
    for name in host.unlisted_relay_members:
        plan.refuse(
            name,
            "undeclared",
            "which domains it has can't be seen; the list made here would refuse all their recipients",
            "declare its domains and take it out of relay_domains, or make recipient_check none",
        )


def _go_on(name: str, host: HostState, plan: MxPlan) -> None:
    """Every recipient of a relay domain that this role does not declare is accepted, as it was without a list."""
    if not name.startswith(".") and not host.recipient_rows.get(name, DomainRows()).wildcard:
        plan.recipients.append(RecipientsItem(name=name, policy=ANY, changed=True))
    if name.startswith(".") or host.relay_parents:
        plan.subdomains[subdomain_pattern(name.lstrip("."))] = VALUE


def absent_domains(request: MxRequest, host: HostState, plan: MxPlan) -> None:
    for item in request.absent:
        _let_go(item.name, item.force, request, host, plan, item)


def _let_go(
    name: str, force: bool, request: MxRequest, host: HostState, plan: MxPlan, item: DomainItem | None = None
) -> None:
    """Everything of ours that a domain leaves behind. What is not there needs no removal."""
    rows = host.recipient_rows.get(name)
    transport_rows = host.transport.rows if host.transport else {}
    mine = [one for one in (name, "." + name) if one in transport_rows]
    others = _others_routed_by("." + name, request, host)
    if "." + name in mine and others:
        mine.remove("." + name)
        plan.notes.append(_row_stays("." + name, others))
    relayed = [one for one in (name, "." + name) if one in host.relayed]
    verified = [one for one in (name, "." + name) if host.verify and one in host.verify.rows]
    pattern = subdomain_pattern(name)
    matched = bool(host.subdomains and pattern in host.subdomains.rows)
    if not (rows or mine or relayed or verified or matched):
        return
    proxies = [str(one) for one in request.settings["proxy_interfaces"]]
    named = [one for one in host.mx.get(name, ()) if host.is_self(one.host, one.addresses, proxies)]
    if named and not force:
        plan.refuse(
            name,
            "still_mx",
            f"DNS still names this host ({named[0].host}) as its MX, so that its mail would be refused",
            "remove the MX record first, or declare the domain with state: absent and force: true",
        )
        return
    for one in relayed:
        if host.relayed[one] != one and not (one in mine and _is_own_row(one, host)):
            plan.refuse(
                name,
                "relay_domains",
                f"relay_domains has it from {host.relayed[one]}, which this role does not write",
                "remove it there",
            )
        elif host.relayed[one] == one:
            plan.remove_item("relay_domains", one)
    if rows and not (item and item.policy == EXTERNAL):
        plan.recipients_removed.append(
            RecipientsItem(
                name=name,
                policy=LISTED,
                state=ABSENT,
                index=item.index if item else None,
                subdomains=bool(item and item.subdomains),
                changed=True,
            )
        )
    plan.transport_removed += mine
    plan.verify_removed += verified
    if matched:
        plan.subdomains_removed.append(pattern)
    plan.waiting.append(name)


def _is_own_row(name: str, host: HostState) -> bool:
    """Whether relay_domains has the domain from our transport table."""
    return host.transport is not None and host.relayed.get(name, "").endswith(host.transport.reference)


def relay_domains_members(request: MxRequest, host: HostState, plan: MxPlan) -> None:
    table = request.settings["recipient_check"] == "table"
    for item in request.present:
        wanted = [item.name]
        if item.subdomains and not (host.relay_parents and table):
            wanted.append("." + item.name)
        for name in wanted:
            if name not in host.relayed or (name in plan.transport_removed and _is_own_row(name, host)):
                plan.add_item("relay_domains", name)
        dotted = "." + item.name
        if not item.subdomains and host.relayed.get(dotted) == dotted:
            plan.remove_item("relay_domains", dotted)
    if request.present and not table and host.relay_parents:
        _unmatch_subdomains(request, host, plan)


def _unmatch_subdomains(request: MxRequest, host: HostState, plan: MxPlan) -> None:
    """Without a table of recipients, relay_domains alone can refuse subdomains: by no longer matching parents.

    Domains that this role does not declare go on as they are: their subdomains are named from now on.
    """
    plan.remove_item(PARENTS, "relay_domains")
    settled = {item.name for item in request.items}.union(plan.remove_items.get("relay_domains", ()))
    for name in host.relayed:
        local = "mydestination" in host.classes.get(name, {})
        if local or name in settled or name.startswith(".") or "." + name in host.relayed:
            continue
        if host.relayed[name] == name:
            plan.add_item("relay_domains", "." + name)
        else:
            plan.refuse(
                name,
                "subdomains",
                f"recipient_check is none, for which {PARENTS} lets go of relay_domains, and {host.relayed[name]} "
                "would then match no subdomain of it",
                f"declare the domain, or give that list .{name} as well",
            )
    if host.unlisted_relay_members:
        plan.refuse(
            "",
            "subdomains",
            f"recipient_check is none, for which {PARENTS} lets go of relay_domains, and whether "
            f"{', '.join(host.unlisted_relay_members)} needs that can't be seen",
            "make recipient_check table, or declare the domains and leave that member out",
        )


def _needs_recipients_table(request: MxRequest, host: HostState, plan: MxPlan) -> bool:
    """Whether relay_recipient_maps is to have our table; for external domains only one that others have filled."""
    ours = host.recipients
    named = bool(split_items(host.value("relay_recipient_maps")))
    filled = bool(ours and ours.exists and (ours.member or not (named or ours.repair)))
    return bool(plan.recipients) or (filled and any(item.policy == EXTERNAL for item in request.present))


def recipient_maps(request: MxRequest, host: HostState, plan: MxPlan) -> None:
    if not request.present:
        return
    current = split_items(host.value("relay_recipient_maps"))
    if request.settings["recipient_check"] == "none":
        plan.parameters["relay_recipient_maps"] = ""
        plan.notes.append(
            "recipient_check is none: every recipient of a relay domain is accepted, "
            "and mail for unknown ones will be returned to senders that are often forged"
        )
        return
    needed = _needs_recipients_table(request, host, plan)
    for item in request.present:
        if item.policy != EXTERNAL:
            continue
        if not current and not needed:
            plan.refuse(
                item.name,
                "external",
                "relay_recipient_maps is empty, so that every recipient would be accepted",
                "set relay_recipient_maps to the map that keeps its recipients first",
            )
        elif item.probe_recipient and host.probed.get(item.probe_recipient) is False:
            plan.refuse(
                item.name,
                "external",
                "its probe_recipient is not found in relay_recipient_maps",
                "have the map answer for it, or correct probe_recipient",
            )
    if needed and host.recipients:
        name_table("relay_recipient_maps", host.recipients, plan)


def subdomain_patterns(request: MxRequest, host: HostState, plan: MxPlan) -> None:
    """A pattern for each domain of which every recipient is accepted, or asked about, at its subdomains as well."""
    table = host.subdomains
    if table is None:
        return
    if request.settings["recipient_check"] == "table":
        for item in request.present:
            pattern = subdomain_pattern(item.name)
            if item.subdomains and item.policy in (ANY, VERIFY):
                plan.subdomains[pattern] = VALUE
            elif pattern in table.rows and item.policy != EXTERNAL:
                plan.subdomains_removed.append(pattern)
    if plan.subdomains:
        name_table("relay_recipient_maps", table, plan)
    elif table.member and all(pattern in plan.subdomains_removed for pattern in table.rows):
        if "relay_recipient_maps" not in plan.parameters:
            plan.remove_item("relay_recipient_maps", table.member)


def left_at_subdomains(request: MxRequest, host: HostState, plan: MxPlan) -> None:
    """Rows of subdomains that were listed once and are no longer to be known by their addresses."""
    items = {item.name: item for item in request.items}
    for name in host.recipient_rows:
        # Of a member that can't be listed nobody knows whether it has the subdomain.
        if name in request.declared or name in host.relayed or host.unlisted_relay_members:
            continue
        labels = name.split(".")
        parents = [".".join(labels[place:]) for place in range(1, len(labels))]
        item = next((items[one] for one in parents if one in items), None)
        if item is None or item.policy == EXTERNAL:
            continue
        if not (item.state == PRESENT and item.subdomains and item.policy == LISTED):
            plan.recipients_removed.append(RecipientsItem(name=name, policy=LISTED, state=ABSENT, changed=True))
            plan.waiting.append(name)


def transport_maps(request: MxRequest, host: HostState, plan: MxPlan) -> None:
    if plan.transport and host.transport:
        name_table("transport_maps", host.transport, plan)


def name_table(parameter: str, table: TableState, plan: MxPlan) -> None:
    for replaced in table.replaces:
        plan.remove_item(parameter, replaced)
    if table.member == "":
        plan.add_item(parameter, table.reference)


def verification(request: MxRequest, host: HostState, plan: MxPlan) -> None:
    items = [item for item in request.present if item.policy == VERIFY]
    rows = dict(host.verify.rows) if host.verify else {}
    parents = "smtpd_access_maps" in split_items(host.value(PARENTS))
    for item in items:
        plan.verify[item.name] = VERIFY_ACTION
        if item.subdomains and not parents:
            plan.verify["." + item.name] = VERIFY_ACTION
    for item in request.present:
        plan.verify_removed += [one for one in (item.name, "." + item.name) if one in rows and one not in plan.verify]
    if items:
        _refuse_verification(items, host, plan)
    if not host.verify:
        return
    before = written_value(host, RECIPIENT_RESTRICTIONS)
    changed = restrictions.with_check if still_verifies(host, plan) else restrictions.without_check
    after = changed(before, f"check_recipient_access {host.verify.reference}")
    for replaced in host.verify.replaces:
        after = restrictions.without_check(after, f"check_recipient_access {replaced}")
    if after and after != before:
        plan.parameters[RECIPIENT_RESTRICTIONS] = after
    elif after != before:
        plan.absent.append(RECIPIENT_RESTRICTIONS)
    if items:
        plan.parameters["unverified_recipient_defer_code"] = "250"


def still_verifies(host: HostState, plan: MxPlan) -> bool:
    """Whether the recipients of any domain are to be verified."""
    rows = dict(host.verify.rows) if host.verify else {}
    return any(name not in plan.verify_removed for name in {**rows, **plan.verify})


def _refuse_verification(items: Sequence[DomainItem], host: HostState, plan: MxPlan) -> None:
    if not host.knows("unverified_recipient_defer_code"):
        for item in items:
            plan.refuse(
                item.name,
                "verify",
                "Postfix before 2.6 has no unverified_recipient_defer_code: "
                "mail would be deferred whenever the mail host can't be reached",
                "list the recipients, or use a later Postfix",
            )
    for name, value in host.values.items():
        if name.startswith("smtpd_") and name.endswith("_restrictions"):
            for used in restrictions.uses_verification(value):
                plan.refuse(
                    items[0].name,
                    "verify",
                    f"{name} uses {used}, whose answers unverified_recipient_defer_code = 250 would change",
                    f"remove {used} from {name}, or use another recipients_policy",
                )


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
            f"{' and '.join(names)} let a stranger relay: neither has a reject_unauth_destination before which only "
            "your own clients are permitted",
            f"end {names[0]} with reject_unauth_destination, after what permits your own clients and nobody else",
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
            "end them with reject_unauth_destination, after what permits your own clients and nobody else",
        )
    return opens


def open_services(relay: str, recipient: str, host: HostState) -> list[Service]:
    """SMTP services whose own overrides let a stranger relay; `relay` and `recipient` are main.cf's lists."""
    found = []
    for service in host.services:
        overridden = {RELAY_RESTRICTIONS, RECIPIENT_RESTRICTIONS} & set(service.overrides)
        lists = [
            expand(service.overrides.get(RELAY_RESTRICTIONS, relay), host.values),
            expand(service.overrides.get(RECIPIENT_RESTRICTIONS, recipient), host.values),
        ]
        closed = restrictions.CLOSED in [restrictions.verdict(one, host.permitting) for one in lists]
        if overridden and not closed and faces_strangers(service):
            found.append(service)
    return found


def faces_strangers(service: Service) -> bool:
    """Whether it is an SMTP server that more than this host itself can reach."""
    words = service.command.split()
    local = service.name.startswith(("127.", "localhost:", "[::1]:", "::1:"))
    return bool(words) and words[0] == "smtpd" and service.type in ("inet", "pass") and not local


def _overrides(host: HostState, parameter: str) -> list[tuple[str, str]]:
    return [
        (f"{parameter} of {service.key}", expand(service.overrides[parameter], host.values))
        for service in host.services
        if parameter in service.overrides and faces_strangers(service)
    ]


def fallback_guard(host: HostState, plan: MxPlan) -> None:
    """Mail for a relay domain waits here, whatever fallback the host has for other mail."""
    relay = relay_service(host)
    if relay is None:
        plan.refuse(
            "",
            "relay_service",
            "master.cf has no service relay/unix, through which mail for relay domains is sent",
            "add it with mxrelay.postfix.master_cf: name relay, type unix, command smtp",
        )
        return
    name = name_in(host.version, "smtp_fallback_relay")
    effective = relay.overrides.get(name, host.value(name))
    if expand(effective, host.values) or not supports(host.version, "relay_service_is_guarded"):
        plan.overrides[name] = ""


def written_value(host: HostState, name: str) -> str:
    """The value as main.cf has it, else the effective default."""
    return host.explicit.get(name, host.value(name))
