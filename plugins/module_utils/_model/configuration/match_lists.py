# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Postfix's lists of domains: what a member is, and which member matches a domain.

See postconf(5) on mydestination, relay_domains and parent_domain_matches_subdomains. A list is read from left to
right and its first matching member decides; `!` before a member turns its match into "not in the list".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items

# table -> key -> result, for every key that was asked; a key without a result is left out.
TableAnswers = Mapping[str, Mapping[str, str]]
_TABLE = re.compile(r"^[a-z][a-z0-9_]*:.+", re.IGNORECASE)
_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|\((\w+)\)|(\w+))")
# `${name?text}` is the text if the parameter has a value, `${name:text}` if it has none.
_CONDITION = re.compile(r"\$(?:\{(\w+)([?:])([^{}]*)\}|\((\w+)([?:])([^()]*)\))")
_DEEPEST = 20
# The types of tables that ask a server.
_SERVERS = frozenset({"ldap", "memcache", "mongodb", "mysql", "nis", "nisplus", "pgsql", "socketmap", "tcp"})
_SERVER_WITHIN = re.compile(rf"\b(?:{'|'.join(sorted(_SERVERS))}):")


@dataclass(frozen=True)
class Member:
    """One member: a pattern, the path of a file of patterns, or `type:path` of a lookup table."""

    text: str
    kind: str
    negated: bool = False


def member_of(text: str) -> Member:
    """`text` as a member: `!x.example`, `/etc/postfix/domains`, `hash:/etc/postfix/domains`."""
    negated = text.startswith("!")
    body = text.lstrip("!")
    if body.startswith("/"):
        return Member(body, "file", negated)
    if is_table(body) and not body.startswith("["):
        return Member(body, "table", negated)
    return Member(body.lower(), "pattern", negated)


def is_table(text: str) -> bool:
    """Whether a member of a list is `type:name`."""
    return bool(_TABLE.match(text))


def without_proxy(table: str) -> str:
    """`type:name` as proxymap(8) is asked for it, and as the others know it."""
    while table.startswith("proxy:"):
        table = table[len("proxy:") :]
    return table


def type_of(table: str) -> str:
    """The type of `type:name`, `proxy:` stripped."""
    return without_proxy(table).partition(":")[0]


def asks_server(table: str) -> bool:
    """Whether a lookup asks a server, which may be another host, also as one of several tables together."""
    kind = type_of(table)
    return kind in _SERVERS or (kind in ("pipemap", "unionmap") and _SERVER_WITHIN.search(table) is not None)


def members_of(value: str, files: Mapping[str, str]) -> list[Member]:
    """The members of an expanded value, files replaced by the patterns in them.

    `files` holds the text of each file by its path; a file that is not there stays a member of kind file.
    """
    found: list[Member] = []
    for text in split_items(value):
        member = member_of(text)
        if member.kind == "file" and member.text in files:
            for line in files[member.text].split("\n"):
                if not line.startswith("#"):
                    listed = [member_of(word) for word in split_items(line)]
                    found += [Member(inner.text, inner.kind, inner.negated != member.negated) for inner in listed]
        else:
            found.append(member)
    return found


def match(domain: str, members: Sequence[Member], parents: bool | None, answers: TableAnswers) -> Member | None:
    """The member that puts `domain` in the list, or None.

    `parents`: whether parent_domain_matches_subdomains names this list; None for the lists that hold whole names
    only, which mydestination, virtual_alias_domains and virtual_mailbox_domains are.
    """
    for member in members:
        if _matches(domain, member, parents, answers):
            return None if member.negated else member
    return None


def lookup_keys(domain: str, parents: bool | None) -> list[str]:
    """What a table is asked for `domain`: itself, then each parent (with a dot before it unless `parents`).

    None for `parents` asks for the domain alone, as the lists that hold whole names do.
    """
    keys = [domain]
    if parents is None:
        return keys
    labels = domain.split(".")
    return keys + [("" if parents else ".") + ".".join(labels[place:]) for place in range(1, len(labels))]


def _matches(domain: str, member: Member, parents: bool | None, answers: TableAnswers) -> bool:
    if member.kind == "table":
        results = answers.get(member.text, {})
        return any(key in results for key in lookup_keys(domain, parents))
    if member.kind == "file":
        return False
    if domain == member.text:
        return True
    if parents is None:
        return False
    if parents:
        return domain.endswith("." + member.text)
    return member.text.startswith(".") and domain.endswith(member.text)


def expand(value: str, parameters: Mapping[str, str]) -> str:
    """`value` with `$name`, `${name}`, `$(name)`, `${name?text}` and `${name:text}` replaced, as postconf -x does it.

    Comparisons, and texts in braces, which Postfix has from 3.0 on, stay as they are.
    """
    for _round in range(_DEEPEST):
        expanded = _CONDITION.sub(lambda found: _chosen(found, parameters), value)
        expanded = _REFERENCE.sub(
            lambda found: parameters.get(found.group(1) or found.group(2) or found.group(3), ""), expanded
        )
        if expanded == value:
            break
        value = expanded
    return value


def _chosen(condition: re.Match[str], parameters: Mapping[str, str]) -> str:
    """The text of a condition if it holds, else nothing."""
    name, mark, text = filter(lambda part: part is not None, condition.groups())
    return text if bool(parameters.get(name, "")) is (mark == "?") else ""
