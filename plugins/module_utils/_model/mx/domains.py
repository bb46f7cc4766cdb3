# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the relay domains of a request need on a host: rows, members of lists, and reasons to refuse them."""

from __future__ import annotations

from dataclasses import replace
from typing import Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import lookup_keys
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    RECIPIENT_RESTRICTIONS,
    best_exchanger,
    unknown_host,
    written_value,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    DomainRows,
    HostState,
    MxRecord,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import (
    MxPlan,
    RecipientsItem,
    name_table,
    rows_differ,
    subdomain_pattern,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_digest import VALUE
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import (
    ABSENT,
    ANY,
    EXTERNAL,
    LISTED,
    PRESENT,
    PRIMARY,
    SECONDARY,
    VERIFY,
    DomainItem,
    MxRequest,
)

# The first for subdomains, which this row is found for as well: they are refused at once, not asked about.
VERIFY_ACTION = "reject_unlisted_recipient, reject_unverified_recipient"
PARENTS = "parent_domain_matches_subdomains"


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
                    f"recipient_check is none, which accepts every recipient, but its policy is {item.policy}",
                    "set recipient_check to table, or leave out recipients and recipients_policy",
                )
        elif item.policy is None:
            plan.refuse(
                item.name,
                "no_recipients",
                "it has no recipients and no recipients_policy",
                "list its recipients, or set recipients_policy to any, verify or external",
            )
        elif item.policy == LISTED and not item.listed_count:
            plan.refuse(
                item.name,
                "no_recipients",
                "its list of recipients is empty, so all its mail would be refused",
                "list its recipients, or set recipients_policy to any, verify or external",
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
            plan.notes.append(f"the transport row {captured} also routes {one}, which no role declares")


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
    return f"the transport row {dotted} stays because it routes {others[0]}, which no role declares"


def refuse_other_classes(request: MxRequest, host: HostState, plan: MxPlan) -> None:
    for item in request.present:
        for parameter, member in host.classes.get(item.name, {}).items():
            plan.refuse(
                item.name,
                "class",
                f"it is also in {parameter} ({member}), but a domain can be in only one address class",
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
                f"{capture.member} in transport_maps answers {capture.result} for {capture.key} "
                "before this role's table is asked",
                # Postfix asks all members for the whole address before it asks any for the domain.
                (
                    "leave the domain out of that entry"
                    if capture.key.startswith("any address")
                    else "remove that entry, or put the member after this role's table"
                ),
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
            "so a secondary would bounce what it accepts",
            "make the domain primary with a mail_host, or give the primary's MX record a lower preference",
        )


def _refuse_own_nexthop(item: DomainItem, host: HostState, proxies: Sequence[str], plan: MxPlan) -> None:
    nexthop = item.nexthop or ""
    if host.is_self(nexthop, host.host_addresses.get(nexthop, ()), proxies):
        plan.refuse(
            item.name,
            "own_nexthop",
            f"its mail_host {nexthop} is this host, so its mail would loop",
            "name the host that keeps its mailboxes",
        )
    elif item.mx_lookup and best_exchanger(host.mx.get(nexthop, ()), host, proxies):
        plan.refuse(
            item.name,
            "own_nexthop",
            f"the best MX of its mail_host {nexthop} is this host, so its mail would loop",
            "leave out mx_lookup, or name the host that keeps its mailboxes",
        )
    elif unknown_host(nexthop, item.mx_lookup, host):
        plan.refuse(
            item.name,
            "mail_host",
            f"DNS has no {'MX or ' if item.mx_lookup else ''}address for its mail_host {nexthop}, "
            "so its mail would be returned at once",
            "correct the name, or add it to DNS",
        )


def undeclared_domains(request: MxRequest, host: HostState, plan: MxPlan) -> None:
    settings = request.settings
    declared = request.declared
    others = [
        name
        for name in host.relayed
        if name.lstrip(".") not in declared and "mydestination" not in host.classes.get(name, {})
        # Keys of a table that is there for something else as well; Postfix looks up domains.
        and "@" not in name and name != "*"
    ]
    plan.undeclared = stay = sorted(others)
    if settings["remove_undeclared"]:
        stay = [name for name in plan.undeclared if host.relayed[name] != name]
        for name in plan.undeclared:
            if host.relayed[name] == name:
                _let_go(name, False, request, host, plan)
        plan.notes += [f"{one} is relayed through {host.relayed[one]}, which this role does not manage" for one in stay]
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
                "this host relays it without a list of recipients; a list created now would refuse all its recipients",
                f"declare the domain, or set {request.role or 'mx'}_undeclared_domains: any",
            )
    for name in host.unlisted_relay_members:
        plan.refuse(
            name,
            "undeclared",
            "cannot tell which domains it contains; a list created now would refuse all their recipients",
            "declare its domains and remove it from relay_domains, or set recipient_check to none",
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
            f"DNS still names this host ({named[0].host}) as its MX, so its mail would be refused",
            "remove the MX record first, or declare the domain with state: absent and force: true",
        )
        return
    for one in relayed:
        if host.relayed[one] != one and not (one in mine and _is_own_row(one, host)):
            plan.refuse(
                name,
                "relay_domains",
                f"it is in relay_domains through {host.relayed[one]}, which this role does not manage",
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
                f"recipient_check is none, so relay_domains is removed from {PARENTS}, and {host.relayed[name]} "
                "would then match none of its subdomains",
                f"declare the domain, or add .{name} to that list",
            )
    if host.unlisted_relay_members:
        plan.refuse(
            "",
            "subdomains",
            f"recipient_check is none, so relay_domains is removed from {PARENTS}; cannot tell whether "
            f"{', '.join(host.unlisted_relay_members)} needs it there",
            "set recipient_check to table, or declare the domains and remove that member",
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
            "and mail for unknown ones will bounce, often to forged senders"
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
                "relay_recipient_maps is empty, so every recipient would be accepted",
                "first set relay_recipient_maps to the map that holds its recipients",
            )
        elif item.probe_recipient and host.probed.get(item.probe_recipient) is False:
            plan.refuse(
                item.name,
                "external",
                "its probe_recipient is not in relay_recipient_maps",
                "add it to the map, or correct probe_recipient",
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
