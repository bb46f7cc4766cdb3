# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept with a table of recipients of the sources that its domains follow: `.NAME.sources` beside it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Mapping

VERSION = 1
# So many of the addresses that went last are kept of each domain, to ask the mail host for.
MOST_VANISHED = 20


@dataclass(frozen=True)
class FollowedSource:
    """What is known of one source of a domain.

    `read_at` (UTC, ISO 8601), `count` and `digest` are of the last good read; the source has failed since if there is
    a `problem`, which is that of the last read, at `failed_at`.
    """

    name: str
    type: str
    host: str
    read_at: str = ""
    count: int = 0
    digest: str = ""
    failed_at: str = ""
    problem: str = ""


@dataclass(frozen=True)
class FollowedDomain:
    """What is known of a domain whose list follows sources.

    `listed_at` is when its list was last made what the sources say, or found to be. `kept` is why the last run left
    the list as it was; empty if it did not. `vanished` are addresses that went last.
    """

    name: str
    sources: tuple[FollowedSource, ...] = ()
    listed_at: str = ""
    kept: str = ""
    vanished: tuple[str, ...] = field(default=(), repr=False)


def followed_path(table_path: str) -> str:
    """Where this is kept for the table whose source is at the path."""
    directory, slash, name = table_path.rpartition("/")
    return f"{directory}{slash}.{name}.sources"


def load(text: str) -> dict[str, FollowedDomain]:
    """The domains by name; none if the text is not what `dump` writes."""
    try:
        data = json.loads(text)
        if data["version"] != VERSION:
            return {}
        return {name: _domain(name, given) for name, given in data["domains"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _domain(name: str, given: Mapping[str, Any]) -> FollowedDomain:
    sources = tuple(FollowedSource(**source) for source in given["sources"])
    return FollowedDomain(name, sources, given["listed_at"], given["kept"], tuple(given["vanished"]))


def dump(domains: Mapping[str, FollowedDomain]) -> str:
    """The text for the file."""
    told = {
        name: {key: value for key, value in asdict(domain).items() if key != "name"} for name, domain in domains.items()
    }
    return json.dumps({"version": VERSION, "domains": told}, indent=1, sort_keys=True) + "\n"
