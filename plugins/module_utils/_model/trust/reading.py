# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What smtpd finds in a restriction list: its members, those of classes, and those that rows of access tables name.

A row of an access table may name restrictions and classes, none of them with a table of its own: see access(5) and
RESTRICTION_CLASS_README.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Callable, NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import expand, type_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restriction_names import (
    is_table_name,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restrictions import parts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import effective
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.access import LIST, UNKNOWN, comes_to

CLASSES = "smtpd_restriction_classes"
# Tables whose one row is for every key.
_FOR_EVERYBODY = frozenset({"static", "randmap"})


class RowsLead(NamedTuple):
    """The restrictions to which rows of an access table lead, through classes as well.

    Unless the rows are `listed`, they are all to which rows of any table could lead by the classes of main.cf.
    """

    leads_to: tuple[str, ...] = ()
    listed: bool = True


@dataclass(frozen=True)
class ListReading:
    """How the lists of one service are read: `expand` replaces its $names, `classes` are the restriction classes.

    `results` are the different results of access tables, None for a table whose rows can't be listed.
    """

    expand: Callable[[str], str]
    classes: Mapping[str, str]
    results: Mapping[str, Sequence[str] | None] = field(default_factory=dict)

    def parts(self, value: str) -> list[str]:
        """The restrictions that smtpd finds in the value, those of classes in their place."""
        return self._flat(parts(self.expand(value)), frozenset())

    def rows(self, part: str) -> RowsLead:
        """What rows lead to if the restriction is an access table; nothing for any other."""
        table = table_of(part)
        return self._rows(table, frozenset()) if table else RowsLead()

    def _flat(self, found: Sequence[str], within: frozenset[str]) -> list[str]:
        flat: list[str] = []
        for part in found:
            if part in self.classes and part not in within:
                flat += self._flat(parts(self.classes[part]), within | {part})
            else:
                flat.append(part)
        return flat

    def _rows(self, table: str, within: frozenset[str]) -> RowsLead:
        results = self.results.get(table)
        listed = results is not None and all(comes_to(result) != UNKNOWN for result in results)
        lists = [result for result in results or () if comes_to(result) == LIST]
        named = self._flat(
            [part for value in (lists if listed else self.classes) for part in parts(value)], frozenset()
        )
        rows = RowsLead(tuple(named), listed)
        for inner in dict.fromkeys(map(table_of, named)):
            if inner and inner not in within and inner != table:
                more = self._rows(inner, within | {table})
                rows = RowsLead((*rows.leads_to, *more.leads_to), rows.listed and more.listed)
        return RowsLead(tuple(dict.fromkeys(rows.leads_to)), rows.listed)


def table_of(part: str) -> str:
    """The access table that a restriction asks, "" if it asks none."""
    word, _blank, argument = part.partition(" ")
    if argument and word.lower().endswith("_access"):
        return argument
    return part if is_table_name(part) else ""


def is_for_everybody(part: str) -> bool:
    """Whether the restriction is a table that says the same whatever it is asked."""
    return type_of(table_of(part)) in _FOR_EVERYBODY


def list_reading_of(state: HostState, service: Service) -> ListReading:
    """How the service reads its lists."""
    written = {**state.parameters, **service.overrides}
    classes = {name: effective(state, service, name) for name in split_items(effective(state, service, CLASSES))}
    return ListReading(lambda value: expand(value, written), classes, state.admission.results)


def access_tables_asked(state: HostState, services: Sequence[Service], names: Sequence[str]) -> list[str]:
    """The access tables in these lists of the services, and in the classes to which their rows may lead."""
    found: list[str] = []
    for service in services:
        reading = list_reading_of(state, service)
        values = [*(effective(state, service, name) for name in names), *reading.classes]
        found += [table_of(part) for value in values for part in reading.parts(value)]
    return [table for table in dict.fromkeys(found) if table and "$" not in table]
