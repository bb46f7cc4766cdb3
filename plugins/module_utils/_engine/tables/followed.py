# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes beside a table of recipients what its domains follow: one file, `.NAME.sources`, readable by root alone.

It is no part of the table: nothing is read from it to decide what the table holds, and deleting it is harmless.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.index import read_record, record_path
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.plan import TablePlan
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.replace import write_record
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.followed import (
    FollowedDomain,
    ListChange,
    dump,
    followed_path,
    load,
    noted,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.clock import now
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    put_private_file,
    read_file,
    reason,
    remove_file,
)


def read_followed(table: str) -> dict[str, FollowedDomain]:
    """What is noted of the domains of the table whose source is at the path; nothing if that can't be read."""
    try:
        return load((read_file(followed_path(table)) or b"").decode("utf-8", "replace"))
    except HostError:
        return {}


def note_followed(plan: TablePlan) -> None:
    """Notes what the task of this plan read and did, once that is done. The caller holds the lock of the table.

    Raises HostError.
    """
    said, path = plan.following, plan.reference.path
    known = read_followed(path) if said.domains or said.others else {}
    if not (said.domains or known):
        return
    kept = {held.domain: held.why for held in plan.held if held.of}
    found = noted(known, said, ListChange(plan.wanted, plan.removed, kept), now())
    if found.keys() != known.keys():
        # A request that is known by its name does not tell of domains that follow no more.
        _forget_other_requests(plan)
    _write(path, found)


def take_back_followed(table: str, names: Collection[str], before: bytes | None) -> None:
    """Notes of the domains with these names what the file held `before`, None if it was not there.

    What is noted of others by now stays. The caller holds the lock of the table. Raises HostError.
    """
    then, now = load((before or b"").decode("utf-8", "replace")), read_followed(table)
    found = {name: domain for name, domain in now.items() if name not in names}
    found.update((name, domain) for name, domain in then.items() if name in names)
    if found or before is not None:
        if found != now:
            _write(table, found)
    elif now:
        remove_file(followed_path(table))


def _write(table: str, domains: Mapping[str, FollowedDomain]) -> None:
    put_private_file(followed_path(table), dump(domains).encode())


def _forget_other_requests(plan: TablePlan) -> None:
    path = plan.reference.path
    record = read_record(path)
    if record is not None and set(record.requests) - set(plan.files.requests):
        try:
            write_record(path, replace(record, requests=plan.files.requests))
        except OSError as error:
            raise HostError(f"{record_path(path)}: {reason(error)}") from error
