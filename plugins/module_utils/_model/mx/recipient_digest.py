# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain's list of recipients as a digest: equal lists can be recognised where the list itself must not go."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import DomainRows
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import ROLES, domain_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.both_forms import canonical_key

VALUE = "x"


def rows_digest(entries: Mapping[str, str]) -> str:
    """The SHA-256 of the entries in one order, in hexadecimal; "" for no entries.

    It is the same for a domain in its two forms.
    """
    if not entries:
        return ""
    entries = {canonical_key(key): value for key, value in entries.items()}
    text = "".join(f"{key} {entries[key]}\n" for key in sorted(entries))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def rows_by_domain(
    rows: Mapping[str, str],
    untidy: frozenset[str],
    subdomains_of: frozenset[str],
    declared: frozenset[str] = frozenset(),
) -> dict[str, DomainRows]:
    """What a recipients table holds for each domain.

    `untidy` are keys that the source has more than once; rows of a subdomain count for the domain in `subdomains_of`
    that they are below, if there is one, unless the subdomain is itself one of `declared`.
    """
    grouped = grouped_rows(rows, subdomains_of, declared)
    return {name: domain_rows(name, entries, untidy) for name, entries in grouped.items()}


def grouped_rows(
    rows: Mapping[str, str], subdomains_of: frozenset[str], declared: frozenset[str]
) -> dict[str, dict[str, str]]:
    """The rows of addresses by the domain that they count for: see rows_by_domain."""
    grouped: dict[str, dict[str, str]] = {}
    for key, value in rows.items():
        if "@" in key:
            grouped.setdefault(_owner(domain_of(key), subdomains_of, declared), {})[key] = value
    return grouped


def _owner(domain: str, subdomains_of: frozenset[str], declared: frozenset[str]) -> str:
    if not subdomains_of or domain in declared:
        return domain
    labels = domain.split(".")
    for place in range(len(labels)):
        parent = ".".join(labels[place:])
        if parent in subdomains_of:
            return parent
    return domain


def domain_rows(name: str, entries: Mapping[str, str], untidy: frozenset[str] = frozenset()) -> DomainRows:
    """What these rows are that count for one domain."""
    own = {"@" + name, *(f"{role}@{name}" for role in ROLES)}
    listed = {key: value for key, value in entries.items() if key not in own}
    return DomainRows(
        count=len(listed),
        digest=rows_digest(listed),
        postmaster="postmaster@" + name in entries,
        abuse="abuse@" + name in entries,
        wildcard="@" + name in entries,
        tidy=not untidy.intersection(entries) and all(entries.get(key, VALUE) == VALUE for key in own),
    )
