# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows that the table of valid recipients is to get, and the reasons not to make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import PRESENT
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import DomainRows, HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import RecipientsItem
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_digest import VALUE
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import (
    ANY,
    EXTERNAL,
    KEPT,
    LISTED,
    VERIFY,
    DomainItem,
    MxRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.subdomain_patterns import (
    patterns_by_domain,
    subdomain_patterns,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.words import some_of

_HOW_TO_SAY = "list its recipients, or set recipients_policy to any, verify or external"


@dataclass(frozen=True)
class Recipients:
    """Rows by domain, patterns for subdomains that go on as they are, and what is to be said of them."""

    items: Sequence[RecipientsItem] = ()
    patterns: Mapping[str, str] | None = None
    notes: Sequence[str] = ()
    refusals: Sequence[Refusal] = ()


def declared_recipients(request: MxRequest, host: HostState) -> Recipients:
    """The rows of the domains that are declared here."""
    if request.settings["recipient_check"] != "table":
        return Recipients(refusals=[refusal for item in request.present for refusal in _needs_a_table(item)])
    own = [item for item in request.present if not item.form_of]
    # Rows in a domain's other form come and go with those of the name that was declared.
    other_forms = {item.form_of for item in request.present if item.form_of and _differ(item, request, host)}
    refusals = [refusal for item in own for refusal in [*_needs_recipients(item), *_has_nothing_to_keep(item, host)]]
    refused = {refusal.domain for refusal in refusals}
    items = [
        RecipientsItem(
            name=item.name,
            policy=LISTED if item.policy == LISTED else ANY,
            index=item.index,
            postmaster=item.policy == LISTED and bool(request.settings["postmaster"]),
            subdomains=item.subdomains and item.policy == LISTED,
            changed=item.name in other_forms or _differ(item, request, host),
            digest=item.digest,
            lists_postmaster=item.lists_postmaster,
            abuse=item.policy == LISTED and bool(request.settings["abuse"]),
            lists_abuse=item.lists_abuse,
        )
        for item in own
        if item.policy not in (EXTERNAL, KEPT) and item.name not in refused
    ]
    return Recipients(items=items, refusals=refusals, notes=_unread(own))


def _unread(items: Sequence[DomainItem]) -> list[str]:
    """What check mode can't tell of lists."""
    waiting: dict[str, list[str]] = {}
    for item in items:
        if item.awaits:
            waiting.setdefault(item.awaits, []).append(item.name)
    return [
        f"what would change in the list of {some_of(names)} can't be told before a run installs {library}, which its "
        "source needs"
        for library, names in waiting.items()
    ]


def _needs_a_table(item: DomainItem) -> list[Refusal]:
    if item.form_of or not (item.listed_count or item.policy in (ANY, VERIFY, EXTERNAL, KEPT)):
        return []
    return [
        Refusal(
            item.name,
            "recipient_check",
            f"recipient_check is none, which accepts every recipient, but its policy is "
            f"{LISTED if item.follows else item.policy}",
            "set recipient_check to table, or leave out recipients and recipients_policy",
        )
    ]


def _needs_recipients(item: DomainItem) -> list[Refusal]:
    if item.policy is None:
        return [Refusal(item.name, "no_recipients", "it has no recipients and no recipients_policy", _HOW_TO_SAY)]
    if item.policy == LISTED and not item.listed_count:
        cause = "its list of recipients is empty, so all its mail would be refused"
        return [Refusal(item.name, "no_recipients", cause, _HOW_TO_SAY)]
    return []


def _has_nothing_to_keep(item: DomainItem, host: HostState) -> list[Refusal]:
    """Without rows of people all mail of the domain would be refused, or all of it accepted as before."""
    rows = host.recipient_rows.get(item.name, DomainRows())
    if item.policy != KEPT or item.awaits or (rows.count and not rows.wildcard):
        return []
    cause = f"it has no list to keep, and its sources can't be believed: {item.kept}"
    return [Refusal(item.name, "no_recipients", cause, f"correct that and run again, or {_HOW_TO_SAY}")]


def _differ(item: DomainItem, request: MxRequest, host: HostState) -> bool:
    rows = host.recipient_rows.get(item.name, DomainRows())
    return rows_differ(item, rows, bool(request.settings["postmaster"]), bool(request.settings["abuse"]))


def rows_differ(item: DomainItem, rows: DomainRows, postmaster: bool, abuse: bool) -> bool:
    """Whether the table's rows for a domain are other than what the item declares."""
    if item.policy == LISTED:
        return (
            rows.digest != item.digest
            or rows.wildcard
            or not rows.tidy
            or rows.postmaster != (postmaster or item.lists_postmaster)
            or rows.abuse != (abuse or item.lists_abuse)
        )
    return not (rows.wildcard and rows.tidy and not rows.addresses)


def needs_table(request: MxRequest, host: HostState, items: Sequence[RecipientsItem]) -> bool:
    """Whether relay_recipient_maps is to have our table; for domains that are not written now only a filled one.

    A list that awaits a library will be written.
    """
    ours = host.recipients
    named = bool(split_items(host.value("relay_recipient_maps")))
    filled = bool(ours and ours.exists and (ours.relied_on or not (named or ours.repair)))
    awaited = any(item.awaits for item in request.present)
    return bool(items) or awaited or (filled and any(item.policy in (EXTERNAL, KEPT) for item in request.present))


def undeclared_domains(request: MxRequest, host: HostState) -> list[str]:
    """The relay domains that neither role declares."""
    return sorted(
        name
        for name in host.relayed
        if name.lstrip(".") not in request.declared and "mydestination" not in host.classes.get(name, {})
        # Keys of a table that is there for something else as well; Postfix looks up domains.
        and "@" not in name and name != "*"
    )


def undeclared_recipients(request: MxRequest, host: HostState, undeclared: Sequence[str]) -> Recipients:
    """What becomes of the recipients of domains that are not declared here, where there was no list so far.

    A list refuses the recipients of every relay domain that it has no rows of.
    """
    closes = request.settings["recipient_check"] == "table" and not split_items(host.value("relay_recipient_maps"))
    if not closes:
        return Recipients()
    # The other role has not run yet, or will run another time; until then its domains go on as they are.
    waiting = [name for name in host.relayed if name in request.peer_domains and not _has_rows(name, host)]
    items = [RecipientsItem(name=name, policy=ANY, changed=True) for name in waiting]
    notes = [
        f"every recipient of {name} is accepted, as before, until the role that declares it runs" for name in waiting
    ]
    refusals = [
        Refusal(
            name,
            "undeclared",
            "cannot tell which domains it contains; a list created now would refuse all their recipients",
            "declare its domains and remove it from relay_domains, or set recipient_check to none",
        )
        for name in host.unlisted_relay_members
    ]
    if request.settings["undeclared_domains"] == "any":
        return Recipients(
            [*items, *_wildcards(undeclared, host)], _patterns(undeclared, request, host), notes, refusals
        )
    closed = [
        Refusal(
            name,
            "undeclared",
            "this host relays it without a list of recipients; a list created now would refuse all its recipients",
            f"declare the domain, or set {request.role or 'mx'}_undeclared_domains: any",
        )
        for name in undeclared
    ]
    return Recipients(items, {}, notes, [*closed, *refusals])


def _has_rows(name: str, host: HostState) -> bool:
    rows = host.recipient_rows.get(name, DomainRows())
    return bool(rows.count or rows.wildcard)


def _wildcards(names: Sequence[str], host: HostState) -> list[RecipientsItem]:
    """Every recipient of these domains is accepted, as it was without a list."""
    return [
        RecipientsItem(name=name, policy=ANY, changed=True)
        for name in names
        if not name.startswith(".") and not host.recipient_rows.get(name, DomainRows()).wildcard
    ]


def _patterns(names: Sequence[str], request: MxRequest, host: HostState) -> dict[str, str]:
    own = _with_own_rows(request, host)
    wide = [name.lstrip(".") for name in names if name.startswith(".") or host.relay_parents]
    return dict.fromkeys(subdomain_patterns(wide, own), VALUE)


def _with_own_rows(request: MxRequest, host: HostState) -> list[str]:
    """The domains that have rows of their own, or get them in this run."""
    others = [name for name in {*request.peer_domains, *host.relayed} if _has_rows(name, host)]
    gone = {item.name for item in request.absent}
    return [*(item.name for item in request.present), *(name for name in others if name not in gone)]


def declared_patterns(request: MxRequest, host: HostState) -> dict[str, str]:
    """A pattern for each domain of which every recipient is accepted, or asked about, at its subdomains as well."""
    if request.settings["recipient_check"] != "table":
        return {}
    wide = [item for item in request.present if item.subdomains and item.policy in (ANY, VERIFY)]
    own = _with_own_rows(request, host)
    return dict.fromkeys(subdomain_patterns((item.name for item in wide), own), VALUE)


def patterns_no_longer_wanted(request: MxRequest, host: HostState, wanted: Mapping[str, str]) -> list[str]:
    """The patterns of ours for declared domains that are to be known at their subdomains otherwise, or not at all."""
    if host.subdomains is None or request.settings["recipient_check"] != "table":
        return []
    ours = patterns_by_domain(host.subdomains.rows)
    settled = [item.name for item in request.present if item.policy != EXTERNAL]
    return [pattern for name in settled for pattern in ours.get(name, ()) if pattern not in wanted]


def recipients_left_at_subdomains(request: MxRequest, host: HostState) -> list[str]:
    """Subdomains that were listed once and are no longer to be known by their addresses."""
    items = {item.name: item for item in request.items}
    found = []
    for name in host.recipient_rows:
        # Of a member that can't be listed nobody knows whether it has the subdomain.
        if name in request.declared or name in host.relayed or host.unlisted_relay_members:
            continue
        labels = name.split(".")
        parents = [".".join(labels[place:]) for place in range(1, len(labels))]
        item = next((items[parent] for parent in parents if parent in items), None)
        if item is None or item.policy in (EXTERNAL, KEPT):
            continue
        if not (item.state == PRESENT and item.subdomains and item.policy == LISTED):
            found.append(name)
    return found
