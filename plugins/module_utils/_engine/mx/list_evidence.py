# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what is kept of the sources that the lists of a host follow. Nothing is changed.

It is believed only if nobody but root can have written it; that it can't be is evidence as well.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import local_members
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.lists import ListEvidence, SourceEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.recipients import RECIPIENT_MAPS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import canonical
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.people import unnamed
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.followed import (
    FollowedDomain,
    FollowedSource,
    dump,
    followed_path,
    load,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.types import KEYED_TYPES
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.clock import read_moment
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import open_regular, read_stream, reason

_NOT_OURS = "is not what this collection writes"


@dataclass(frozen=True)
class ListsRead:
    """What is known of the lists, by the domain's canonical spelling, and why a table's record can't be believed."""

    lists: Mapping[str, ListEvidence] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)

    def of(self, domain: str) -> ListEvidence | None:
        """The list of a domain, whichever of its spellings the inventory has; None if it follows no source."""
        return self.lists.get(canonical(domain))


def read_list_evidence(
    state: HostState, max_age: str, show_recipients: bool = False, now: float | None = None
) -> ListsRead:
    """What is kept beside the local tables of relay_recipient_maps. Of two tables with a domain the first counts."""
    moment = time.time() if now is None else now
    lists: dict[str, ListEvidence] = {}
    problems: dict[str, str] = {}
    for reference in local_members(state.value(RECIPIENT_MAPS)):
        if reference.type not in KEYED_TYPES:
            continue
        path = followed_path(reference.path)
        try:
            found = [_list(domain, moment, max_age, show_recipients) for domain in _domains(path)]
        except HostError as error:
            problems[str(reference)] = error.message
        except (AttributeError, TypeError, ValueError):
            problems[str(reference)] = f"{path}: {_NOT_OURS}"
        else:
            for name, evidence in found:
                lists.setdefault(name, evidence)
    return ListsRead(lists, problems)


def _domains(path: str) -> list[FollowedDomain]:
    """The domains of the record at the path; none if there is no record. Raises HostError if it can't be believed."""
    try:
        with os.fdopen(open_regular(path, os.O_NOFOLLOW), "rb") as stream:
            status = os.fstat(stream.fileno())
            _refuse_others(path, status)
            text = read_stream(stream, path, status.st_size + 1).decode("utf-8")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise HostError(f"{path}: {'is a symbolic link' if os.path.islink(path) else reason(error)}") from error
    found = load(text)
    if not found and text != dump({}):
        raise HostError(f"{path}: {_NOT_OURS}")
    return list(found.values())


def _refuse_others(path: str, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        raise HostError(f"{path}: belongs to the user {status.st_uid}, not to root")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise HostError(f"{path}: has mode {stat.S_IMODE(status.st_mode):04o}, which lets others in")


def _list(domain: FollowedDomain, now: float, max_age: str, show_recipients: bool) -> tuple[str, ListEvidence]:
    """A domain's canonical spelling, and its record as evidence. Raises whatever a value that we don't write raises."""
    return canonical(domain.name.lower()), ListEvidence(
        tuple(_source(source, now, show_recipients) for source in domain.sources),
        domain.listed_at,
        _age(domain.listed_at, now),
        _told(domain.kept, show_recipients),
        tuple(address.lower() for address in domain.vanished),
        max_age,
    )


def _source(source: FollowedSource, now: float, show_recipients: bool) -> SourceEvidence:
    _age(source.failed_at, now)
    return SourceEvidence(
        source.name,
        source.type,
        source.host,
        source.read_at,
        _age(source.read_at, now),
        source.count,
        source.failed_at,
        _told(source.problem, show_recipients),
    )


def _told(text: str, show_recipients: bool) -> str:
    """A reason on one line, without anybody's address."""
    line = " ".join(text.split())
    return line if show_recipients else str(unnamed(line))


def _age(moment: str, now: float) -> int | None:
    """How many seconds ago it was, None for never."""
    return max(0, int(now) - read_moment(moment)) if moment else None
