# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a source of type postfix: every recipient that the Postfix of this host takes. Nothing is changed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader, named_files
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.postfix_tables import TableLister
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import (
    references,
    split_items,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import MasterCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import (
    Member,
    expand,
    lookup_keys,
    match,
    members_of,
    without_proxy,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import SMTP_PORTS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import canonical
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_name
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.addresses import reading_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.postfix_lists import (
    CLASSES,
    RECIPIENT_LISTS,
    RELAY,
    ListedTable,
    PostfixLists,
    domains_in,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import EVERY_DOMAIN, Reading
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Commands
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    text_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

PARENTS = "parent_domain_matches_subdomains"
NOT_THERE = (
    f"the Postfix of the source has the domain in none of {', '.join(CLASSES)}; add it there, or correct the host"
)
PARAMETERS = (*CLASSES, *RECIPIENT_LISTS, "luser_relay", "myorigin", PARENTS)


def read_postfix_source(definition: Mapping[str, Any], commands: Commands, domains: Sequence[str]) -> Reading:
    """The recipients of the instance: of the domains that it names where that can be listed, and of `domains`.

    Raises HostError if Postfix is missing or its parameters can't be read.
    """
    postfix = Postfix(commands, str(definition["config_directory"]))
    if not postfix.installed():
        raise SourceError(f"there is no Postfix with {postfix.config_directory}/main.cf on this host; correct the host")
    values = postfix.parameters(PARAMETERS, ["-x"])
    values.update(_of_smtpd(postfix))
    lister = TableLister(postfix, float(definition["timeout"]))
    tables = {name: [lister.table(table) for table in split_items(values.get(name, ""))] for name in RECIPIENT_LISTS}
    classes, problem = _classes(values, tables, domains, lister, MapReader(postfix))
    lists = PostfixLists(
        classes, tables, values.get("myorigin", "").lower(), values.get("luser_relay", ""), definition["covered"]
    )
    incomplete = lists.incomplete()
    known = set(map(canonical, classes))
    incomplete.update((domain, NOT_THERE) for domain in domains if canonical(domain) not in known)
    if problem:
        incomplete.setdefault(EVERY_DOMAIN, problem)
    return reading_of(lists.entries(), definition["skip_invalid"], incomplete=incomplete)


def _of_smtpd(postfix: Postfix) -> dict[str, str]:
    """The lists of recipients that master.cf has for the server on port 25 alone."""
    path = os.path.join(postfix.config_directory, "master.cf")
    text = text_of(path)
    for service in MasterCf(text, path).effective:
        port = service.name.rpartition(":")[2]
        if service.command.split()[:1] == ["smtpd"] and (service.type == "pass" or port in SMTP_PORTS):
            return _expanded(postfix, service.overrides)
    return {}


def _expanded(postfix: Postfix, overrides: Mapping[str, str]) -> dict[str, str]:
    """The lists of recipients among the overrides of a service, without $names."""
    lists = {name: value for name, value in overrides.items() if name in RECIPIENT_LISTS}
    named = sorted({name for value in overrides.values() for name in references(value)})
    values = {**(postfix.parameters(named, ["-x"]) if named else {}), **overrides}
    return {name: expand(value, values) for name, value in lists.items()}


def _classes(
    values: Mapping[str, str],
    tables: Mapping[str, Sequence[ListedTable]],
    wanted: Sequence[str],
    lister: TableLister,
    reader: MapReader,
) -> tuple[dict[str, str], str]:
    """The class of each domain that is named where domains or recipients are, and why that may be wrong."""
    lists = {name: _domain_list(name, values, lister) for name in CLASSES}
    named = {domain for found in lists.values() for domain in found.names}
    named.update(domain for found in tables.values() for table in found for domain in domains_in(table.keys))
    domains = sorted({*filter(_is_domain, named), *wanted, *map(canonical, wanted)})
    classes: dict[str, str] = {}
    for name, found in lists.items():
        left = [domain for domain in domains if domain not in classes]
        answers = found.answers(left, reader)
        classes.update((domain, name) for domain in left if match(domain, found.members, found.parents, answers))
    problems = [f"{table} could not be asked ({why}); repair it there" for table, why in reader.problems.items()]
    return classes, next(iter(problems), "")


class _DomainList(NamedTuple):
    """A list of domains: its members, and the keys of those that are tables which can be listed."""

    members: Sequence[Member]
    parents: bool | None
    listed: Mapping[str, Sequence[str]]

    @property
    def names(self) -> Iterable[str]:
        """The domains that it names."""
        yield from (member.text.lstrip(".") for member in self.members if member.kind == "pattern")
        for keys in self.listed.values():
            yield from (key.lstrip(".") for key in keys if "@" not in key)

    def answers(self, domains: Sequence[str], reader: MapReader) -> dict[str, dict[str, str]]:
        """What its tables say of the domains, those that can't be listed being asked."""
        asked = list(dict.fromkeys(key for domain in domains for key in lookup_keys(domain, self.parents)))
        tables = [member.text for member in self.members if member.kind == "table"]
        return {
            table: (
                dict.fromkeys(self.listed[table], "")
                if table in self.listed
                else reader.ask(without_proxy(table), asked)
            )
            for table in tables
        }


def _domain_list(name: str, values: Mapping[str, str], lister: TableLister) -> _DomainList:
    value = values.get(name, "")
    members = members_of(value, named_files(split_items(value)))
    tables = [lister.table(member.text) for member in members if member.kind == "table"]
    listed = {table.name: table.keys for table in tables if not table.every and not table.problem}
    parents = name in split_items(values.get(PARENTS, "")) if name == RELAY else None
    return _DomainList(members, parents, listed)


def _is_domain(text: str) -> bool:
    """Whether mail from elsewhere can be for it."""
    try:
        return "." in domain_name(text, "the source")
    except InvalidInput:
        return False
