# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MX plan: the complete change of a host, as its phases carry it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import DomainRows, TableState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import (
    LISTED,
    PRESENT,
    DomainItem,
    Refusal,
)


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


def name_table(parameter: str, table: TableState, plan: MxPlan) -> None:
    for replaced in table.replaces:
        plan.remove_item(parameter, replaced)
    if table.member == "":
        plan.add_item(parameter, table.reference)
