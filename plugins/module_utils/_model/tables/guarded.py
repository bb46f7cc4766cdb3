# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which domains keep their entries because a change would do too much to them.

An address counts once, however many forms its domain has. Those of postmaster and abuse, and the entry `@domain`, come
and go by what is declared of the domain, and do not count as addresses that a list has lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_of, is_somebody
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.edit import TableEdit
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.read_back import Rows
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.removals import Guard
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits, decode, fold, owner_of


@dataclass(frozen=True)
class HeldBack:
    """A domain whose entries stay: it would lose `removals` of `of` addresses, or has no entries yet if both are 0."""

    guard: Guard
    removals: int = 0
    of: int = 0

    @property
    def domain(self) -> str:
        return self.guard.domain

    @property
    def why(self) -> str:
        return (
            f"{self.removals} of its {self.of} addresses would be removed, more than max_removals ({self.guard.limit}) "
            "allows"
        )


def held_back(want: Edits, found: TableEdit, utf8: bool) -> list[HeldBack]:
    """The guarded domains that would lose too much, or that are not known, if the table became what `found` says."""
    if not want.guards:
        return []
    owners = _Owners(want, utf8)
    gone = owners.addresses(found.removed)
    losing = {guard: number for guard, number in gone.items() if guard.limit and number > guard.limit.least}
    new = [guard for guard in owners.entries(found.added) if guard.known]
    if not (losing or new):
        return []
    had = owners.entries(_keys(found.rows_before())) if new else Counter()
    has = owners.addresses(_keys(found.rows_before())) if losing else Counter()
    cut = [
        HeldBack(guard, number, has[guard]) for guard, number in losing.items() if _is_cut(guard, number, has[guard])
    ]
    return sorted([*cut, *(HeldBack(guard) for guard in new if not had[guard])], key=lambda held: held.domain)


def _is_cut(guard: Guard, removals: int, of: int) -> bool:
    return guard.limit is not None and removals > guard.limit.allowed(of)


def kept_apart(want: Edits, held: Sequence[HeldBack], utf8: bool) -> Edits:
    """The edits without what they would do to the domains that are held back."""
    domains = {loss.domain for loss in held}
    return want.keeping([name for name, guard in want.guards.items() if guard.domain in domains], utf8)


def limited_removals(want: Edits, removed: Sequence[str], utf8: bool) -> int:
    """How many of the removed entries are of domains that have a limit of their own."""
    limited = any(guard.limit for guard in want.guards.values())
    return sum(guard.limit is not None for guard in _Owners(want, utf8).of(removed)) if limited else 0


class _Owners:
    """Tells whose the entries of a table are, among the guarded domains of some edits."""

    def __init__(self, want: Edits, utf8: bool) -> None:
        self._guards = {fold(name, utf8): guard for name, guard in want.guards.items()}
        self._owned = {fold(name, utf8) for name in (*want.owned, *want.kept)}
        self._owners: dict[str, str] = {}

    def of(self, keys: Iterable[str]) -> Iterator[Guard]:
        """The guard of each entry that has one."""
        for key in keys:
            guard = self._guards.get(self._owner(key.rpartition("@")[2]))
            if guard and "@" in key:
                yield guard

    def entries(self, keys: Iterable[str]) -> Counter[Guard]:
        """How many entries each guarded domain has among the keys."""
        return Counter(self.of(keys))

    def addresses(self, keys: Iterable[str]) -> Counter[Guard]:
        """How many addresses each guarded domain has among the keys: in that of its forms that has most."""
        forms: Counter[str] = Counter()
        for key in filter(is_somebody, keys):
            forms[self._owner(domain_of(key))] += 1
        found: Counter[Guard] = Counter()
        for name, guard in self._guards.items():
            if not name.startswith("."):
                found[guard] = max(found[guard], forms[name] + forms["." + name])
        return found

    def _owner(self, domain: str) -> str:
        if domain not in self._owners:
            self._owners[domain] = owner_of(domain, self._owned)
        return self._owners[domain]


def _keys(rows: Rows) -> Iterator[str]:
    return (decode(line.partition(rows.separator)[0]) for line in BytesIO(rows.text))
