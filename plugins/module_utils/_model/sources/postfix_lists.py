# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which recipients a Postfix takes, by its address classes and the tables of each.

It follows what smtpd(8) asks about a recipient before it takes it: see ADDRESS_CLASS_README and LOCAL_RECIPIENT_README.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import without_proxy
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import needs_quotes
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import EVERY_DOMAIN

LOCAL = "mydestination"
ALIAS = "virtual_alias_domains"
MAILBOX = "virtual_mailbox_domains"
RELAY = "relay_domains"
# The address classes in the order in which trivial-rewrite(8) looks for a domain.
CLASSES = (LOCAL, ALIAS, MAILBOX, RELAY)
# The lists of recipients of each class. A virtual alias domain has those of RECIPIENTS_OF_ALL alone.
RECIPIENTS_OF = {
    LOCAL: "local_recipient_maps",
    MAILBOX: "virtual_mailbox_maps",
    RELAY: "relay_recipient_maps",
}
# What has a recipient in it makes it one whatever its class.
RECIPIENTS_OF_ALL = ("virtual_alias_maps", "canonical_maps", "recipient_canonical_maps")
# Where recipients are looked for, by the parameter.
RECIPIENT_LISTS = (*RECIPIENTS_OF.values(), *RECIPIENTS_OF_ALL)
# Of each local domain smtpd takes these, whether they are listed or not.
_ALWAYS_LOCAL = ("postmaster", "mailer-daemon")
# Services of nsswitch.conf(5) that list their users.
_LISTING_SERVICES = frozenset({"files", "compat", "systemd", "db", "altfiles", "extrausers", "cache", "mymachines"})


class ListedTable(NamedTuple):
    """The keys of a lookup table, `every` if any key is in it; `problem` says why there may be more of them."""

    name: str
    keys: Sequence[str] = ()
    every: bool = False
    problem: str = ""


@dataclass(frozen=True)
class PostfixLists:
    """What decides about the recipients of a Postfix.

    `classes` has the class of each domain, `tables` what each list of recipients names, None for an empty list.
    `luser_relay` is where mail for unknown local users goes, `myorigin` the domain of addresses that have none.
    """

    classes: Mapping[str, str]
    tables: Mapping[str, Sequence[ListedTable]]
    myorigin: str = ""
    luser_relay: str = ""
    covered: Collection[str] = field(default_factory=frozenset)

    def entries(self) -> Iterator[str]:
        """Every recipient, and for catch-alls `@domain`."""
        for parameter, tables in self.tables.items():
            domains = self._domains_of(parameter)
            by_name = [domain for domain in domains if self.classes[domain] == LOCAL or domain == self.myorigin]
            for table in tables:
                if table.every:
                    yield from (f"@{domain}" for domain in domains)
                yield from _recipients(table.keys, domains, by_name)
        for domain, its_class in self.classes.items():
            if its_class == LOCAL:
                yield from (f"{name}@{domain}" for name in _ALWAYS_LOCAL)

    def incomplete(self) -> dict[str, str]:
        """Why there are more recipients than these, by domain."""
        found: dict[str, str] = {}
        for parameter in RECIPIENT_LISTS:
            why = self._why_incomplete(parameter)
            if why and parameter in RECIPIENTS_OF_ALL:
                found.setdefault(EVERY_DOMAIN, why)
            elif why:
                for domain in self._domains_of(parameter):
                    found.setdefault(domain, why)
        return found

    def _domains_of(self, parameter: str) -> Mapping[str, str]:
        """The domains about whose recipients the list of the parameter decides."""
        if parameter in RECIPIENTS_OF_ALL:
            return self.classes
        return {
            name: its_class for name, its_class in self.classes.items() if RECIPIENTS_OF.get(its_class) == parameter
        }

    def _why_incomplete(self, parameter: str) -> str:
        if parameter in RECIPIENTS_OF.values() and not self.tables.get(parameter):
            return f"{parameter} is empty at the mail host, which so takes every address; set it there"
        if parameter == RECIPIENTS_OF[LOCAL] and self.luser_relay:
            return "luser_relay is set at the mail host, so mail for unknown users is delivered; remove it there"
        covered = {without_proxy(name) for name in self.covered}
        for table in self.tables.get(parameter, ()):
            if table.problem and without_proxy(table.name) not in covered:
                return (
                    f"{parameter} has {table.name}, {table.problem}; name in covered the source that has its addresses"
                )
        return ""


def _recipients(keys: Sequence[str], domains: Collection[str], by_name: Sequence[str]) -> Iterator[str]:
    """The recipients in these domains that the keys of a table make."""
    for key in keys:
        local, at, domain = key.rpartition("@")
        if at:
            if domain in domains:
                yield f"{quoted(local)}@{domain}" if needs_quotes(local) else key
        else:
            for own in by_name:
                yield f"{quoted(key)}@{own}"


def quoted(local: str) -> str:
    """A local part as it stands in an address. Tables have it with its quotes, or without them as aliases(5) do."""
    if not local or local.startswith('"') or not needs_quotes(local):
        return local
    escaped = local.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def domains_in(keys: Sequence[str]) -> set[str]:
    """The domains of the addresses among the keys of a table."""
    return {key.rpartition("@")[2] for key in keys if "@" in key}


def unlisted_users(nsswitch: str, unused: Collection[str] = ()) -> list[str]:
    """The services that know users whom they don't list, by the text of nsswitch.conf(5).

    `unused` are those that have nothing to say on this host.
    """
    found: list[str] = []
    for line in nsswitch.split("\n"):
        database, colon, services = line.partition("#")[0].partition(":")
        if colon and database.strip() == "passwd":
            found = [name for name in re.sub(r"\[[^\]]*\]", " ", services).split() if name not in _LISTING_SERVICES]
    return [name for name in found if name not in unused]
