# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inverse of an MX plan: what takes back what was carried out of it, and leaves everything else as it is by now.

Three states are compared: before the run, as planned, and now. What is now as before needs nothing, what is as planned
goes back, and what is neither was touched by somebody else: it stays, and stands against undoing anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import (
    join_items,
    split_items,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import ABSENT
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MainCfChange, RecipientsItem
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_digest import (
    domain_rows,
    grouped_rows,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_rows import rows_differ
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import DomainItem

KeyedRows = Mapping[str, str]


@dataclass
class Undo:
    """Values to set again, names to take away, and what somebody else has touched since."""

    set: dict[str, str] = field(default_factory=dict)
    remove: list[str] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """All that it sets or takes away."""
        return [*self.set, *self.remove]

    @property
    def needed(self) -> bool:
        return bool(self.names)

    def restores(self, before: KeyedRows, now: KeyedRows) -> bool:
        """Whether it makes of `now` what was before, so nobody else has changed anything."""
        gone = set(self.remove)
        kept = {name: value for name, value in now.items() if name not in gone}
        return not self.touched and {**kept, **self.set} == dict(before)

    def back(self, name: str, value: str | None) -> None:
        if value is None:
            self.remove.append(name)
        else:
            self.set[name] = value


def same_remarks(before: bytes, now: bytes) -> bool:
    """Whether two texts have the same comments, in whatever places: edits of ours move some, and change none."""
    return _remarks(before) == _remarks(now)


def _remarks(text: bytes) -> Counter[bytes]:
    return Counter(line.strip() for line in text.split(b"\n") if line.lstrip().startswith(b"#"))


def undo_rows(before: KeyedRows, now: KeyedRows, planned: Mapping[str, str | None]) -> Undo:
    """The inverse for rows, or overrides, that were to get the planned values; None is one that was to go."""
    undo = Undo()
    for key, value in planned.items():
        if now.get(key) == before.get(key):
            continue
        if now.get(key) == value:
            undo.back(key, before.get(key))
        else:
            undo.touched.append(key)
    return undo


def undo_recipients(before: KeyedRows, now: KeyedRows, planned: Sequence[RecipientsItem]) -> Undo:
    """The inverse for whole domains. A domain stands or falls with all its rows."""
    undo = Undo()
    wide = frozenset(item.name for item in planned if item.subdomains)
    named = frozenset(item.name for item in planned)
    were, are = (grouped_rows(table, wide, named) for table in (before, now))
    for item in planned:
        old, new = were.get(item.name, {}), are.get(item.name, {})
        if old == new:
            continue
        if not _as_planned(item, new):
            undo.touched.append(item.name)
            continue
        undo.set.update({key: value for key, value in old.items() if new.get(key) != value})
        undo.remove += [key for key in new if key not in old]
    return undo


def _as_planned(planned: RecipientsItem, new: KeyedRows) -> bool:
    if planned.state == ABSENT:
        return not new
    item = DomainItem(
        index=0,
        name=planned.name,
        role="",
        policy=planned.policy,
        digest=planned.digest,
        lists_postmaster=planned.lists_postmaster,
        lists_abuse=planned.lists_abuse,
    )
    return bool(new) and not rows_differ(item, domain_rows(planned.name, new), planned.postmaster, planned.abuse)


def undo_parameters(before: KeyedRows, now: KeyedRows, planned: MainCfChange, defaults: KeyedRows) -> Undo:
    """The inverse for main.cf. `before` and `now` are what it sets itself, `defaults` what a parameter means unset.

    Members of lists go back one by one, so that those which others
    have added or removed meanwhile stay so.
    """
    values = {**planned.parameters, **dict.fromkeys(planned.absent)}
    undo = Undo()
    for name, value in values.items():
        if _same(now.get(name), before.get(name)):
            continue
        if _same(now.get(name), value):
            undo.back(name, before.get(name))
        else:
            undo.touched.append(name)
    for name in dict.fromkeys([*planned.add_items, *planned.remove_items]):
        if now.get(name) == before.get(name):
            continue
        if name not in now:
            undo.touched.append(name)
            continue
        old = split_items(before.get(name, defaults.get(name, "")))
        back = _list_back(old, split_items(now[name]), planned.add_items.get(name, ()))
        back += [member for member in planned.remove_items.get(name, ()) if member in old and member not in back]
        if sorted(back) == sorted(old):
            undo.back(name, before.get(name))
        elif back != split_items(now[name]):
            undo.set[name] = join_items(back)
    return undo


def _list_back(old: Sequence[str], now: Sequence[str], added: Sequence[str]) -> list[str]:
    ours = {member for member in added if member not in old}
    return [member for member in now if member not in ours]


def _same(left: str | None, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    return split_items(left) == split_items(str(right))
