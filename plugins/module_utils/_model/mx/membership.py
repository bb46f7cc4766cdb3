# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The members of main.cf's lists by which Postfix relays the domains and finds our tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, TableState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.leaving import Leaving, is_own_row
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MainCfChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import EXTERNAL, MxRequest

PARENTS = "parent_domain_matches_subdomains"


@dataclass(frozen=True)
class Members:
    """Members to add and to remove, by parameter, and reasons against it."""

    main_cf: MainCfChange = field(default_factory=MainCfChange)
    notes: Sequence[str] = ()
    refusals: Sequence[Refusal] = ()


def relay_domains(request: MxRequest, host: HostState, leaving: Leaving, removed_rows: Iterable[str]) -> Members:
    """relay_domains as it is to name the domains. `removed_rows` are patterns that the transport table loses."""
    table = request.settings["recipient_check"] == "table"
    gone = set(removed_rows)
    added: list[str] = []
    removed: list[str] = list(leaving.relay_domains)
    for item in request.present:
        dotted = "." + item.name
        wanted = [item.name, dotted] if item.subdomains and not (host.relay_parents and table) else [item.name]
        added += [name for name in wanted if name not in host.relayed or (name in gone and is_own_row(name, host))]
        if not item.subdomains and host.relayed.get(dotted) == dotted:
            removed.append(dotted)
    main_cf = items_change({"relay_domains": added}, {"relay_domains": removed})
    if request.present and not table and host.relay_parents:
        return _subdomains_unmatched(request, host, main_cf, removed)
    return Members(main_cf)


def _subdomains_unmatched(
    request: MxRequest, host: HostState, main_cf: MainCfChange, removed: Sequence[str]
) -> Members:
    """Without a table of recipients, relay_domains alone can refuse subdomains: by no longer matching parents.

    Domains that this role does not declare go on as they are: their subdomains are named from now on.
    """
    settled = {item.name for item in request.items}.union(removed)
    go_on = [
        name
        for name in host.relayed
        if "mydestination" not in host.classes.get(name, {})
        and name not in settled
        and not name.startswith(".")
        and "." + name not in host.relayed
    ]
    refusals = [
        Refusal(
            name,
            "subdomains",
            f"recipient_check is none, so relay_domains is removed from {PARENTS}, and {host.relayed[name]} "
            "would then match none of its subdomains",
            f"declare the domain, or add .{name} to that list",
        )
        for name in go_on
        if host.relayed[name] != name
    ]
    if host.unlisted_relay_members:
        refusals.append(
            Refusal(
                "",
                "subdomains",
                f"recipient_check is none, so relay_domains is removed from {PARENTS}; cannot tell whether "
                f"{', '.join(host.unlisted_relay_members)} needs it there",
                "set recipient_check to table, or declare the domains and remove that member",
            )
        )
    dotted = ["." + name for name in go_on if host.relayed[name] == name]
    change = items_change({"relay_domains": dotted}, {PARENTS: ["relay_domains"]})
    return Members(main_cf.joined(change), refusals=refusals)


def recipient_maps(request: MxRequest, host: HostState, needed: bool) -> Members:
    """relay_recipient_maps as it is to be. `needed`: it is to have our table."""
    if not request.present:
        return Members(named_table("relay_recipient_maps", host.recipients, False))
    if request.settings["recipient_check"] == "none":
        return Members(
            MainCfChange({"relay_recipient_maps": ""}),
            [
                "recipient_check is none: every recipient of a relay domain is accepted, "
                "and mail for unknown ones will bounce, often to forged senders"
            ],
        )
    current = split_items(host.value("relay_recipient_maps"))
    refusals = [
        Refusal(item.name, "external", *problem)
        for item in request.present
        if item.policy == EXTERNAL
        for problem in [_external_problem(item.probe_recipient, bool(current or needed), host)]
        if problem
    ]
    return Members(named_table("relay_recipient_maps", host.recipients, needed), refusals=refusals)


def _external_problem(probe: str | None, checked: bool, host: HostState) -> tuple[str, str] | None:
    if not checked:
        return (
            "relay_recipient_maps is empty, so every recipient would be accepted",
            "first set relay_recipient_maps to the map that holds its recipients",
        )
    if probe and host.probed.get(probe) is False:
        return (
            "its probe_recipient is not in relay_recipient_maps",
            "add it to the map, or correct probe_recipient",
        )
    return None


def pattern_maps(
    request: MxRequest, host: HostState, patterns: Mapping[str, str], removed: Iterable[str]
) -> MainCfChange:
    """relay_recipient_maps names the table of patterns as long as that has any."""
    table = host.subdomains
    if table is None:
        return MainCfChange()
    if patterns:
        return named_table("relay_recipient_maps", table, True)
    # Without a check of recipients the parameter is emptied as a whole.
    emptied = bool(request.present) and request.settings["recipient_check"] == "none"
    if table.member and set(table.rows) <= set(removed) and not emptied:
        return items_change({}, {"relay_recipient_maps": [table.member]})
    return MainCfChange()


def named_table(parameter: str, table: TableState | None, needed: bool) -> MainCfChange:
    """The parameter names the table, in place of those that it replaces, if it is `needed` or named by another type."""
    if table is None or not (needed or table.relied_on):
        return MainCfChange()
    return items_change({parameter: [] if table.member else [table.reference]}, {parameter: list(table.replaces)})


def transport_table(host: HostState, needed: bool) -> MainCfChange:
    """transport_maps as it is to be: without what our table takes the place of, even if ours has no row."""
    table = host.transport
    if table is None or needed or table.relied_on or not table.replaces:
        return named_table("transport_maps", table, needed)
    return items_change({}, {"transport_maps": list(table.replaces)})


def unset_if_emptied(name: str, host: HostState, main_cf: MainCfChange) -> MainCfChange:
    """The change without an empty list, which nobody wrote, if it takes the last member."""
    left = set(split_items(host.value(name))).difference(main_cf.remove_items.get(name, ()))
    if left or name not in main_cf.remove_items or name in main_cf.add_items:
        return main_cf
    removed = {other: members for other, members in main_cf.remove_items.items() if other != name}
    absent = [name] if name in host.explicit else []
    return replace(main_cf, remove_items=removed, absent=[*main_cf.absent, *absent])


def items_change(added: Mapping[str, list[str]], removed: Mapping[str, list[str]]) -> MainCfChange:
    """Members to add and to remove; a list without any is not touched."""
    return MainCfChange(
        add_items={name: list(dict.fromkeys(members)) for name, members in added.items() if members},
        remove_items={name: list(dict.fromkeys(members)) for name, members in removed.items() if members},
    )
