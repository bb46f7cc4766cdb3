# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept with a table of recipients of the sources that its domains follow: `.NAME.sources` beside it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_name, domain_of, is_somebody

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

    def after(self, known: FollowedSource) -> FollowedSource:
        """The same, with what is known of its last good read if this one was none."""
        if not self.problem or (known.name, known.type, known.host) != (self.name, self.type, self.host):
            return self
        return replace(self, read_at=known.read_at, count=known.count, digest=known.digest)


@dataclass(frozen=True)
class FollowedDomain:
    """What is known of a domain whose list follows sources.

    `listed_at` is when its list was last made what the sources say, or found to be. `kept` is why the last run left
    the list as it was; empty if it did not. `vanished` are addresses that went last, the last ones first.
    """

    name: str
    sources: tuple[FollowedSource, ...] = ()
    listed_at: str = ""
    kept: str = ""
    vanished: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Following:
    """What a task says of domains: those that follow sources, with what was read of these, and `others` that don't.

    With `every` no other domain has anything to do with the table.
    """

    domains: Mapping[str, FollowedDomain] = field(default_factory=dict)
    others: Collection[str] = ()
    every: bool = False


@dataclass(frozen=True)
class ListChange:
    """What a task did to lists: the keys that they are to have, as far as it looked; those that it removed; and by
    domain why it left a list alone."""

    wanted: Collection[str] = field(default=(), repr=False)
    removed: Sequence[str] = field(default=(), repr=False)
    kept: Mapping[str, str] = field(default_factory=dict)


def following(items: Sequence[Mapping[str, Any]], every: bool = False) -> Following:
    """What the items of a task say: the module's option `domains`, with `sources` and `why`. Raises InvalidInput."""
    domains, others = {}, []
    for number, item in enumerate(items):
        name = domain_name(item["name"], f"domains[{number}].name")
        if item.get("sources") and item.get("state") != "absent":
            sources = tuple(_source(source) for source in item["sources"])
            domains[name] = FollowedDomain(name, sources, kept=item.get("why") or "")
        else:
            others.append(name)
    return Following(domains, others, every)


def _source(given: Mapping[str, Any]) -> FollowedSource:
    """A source as an option of a task gives it: what is not given is null there."""
    return FollowedSource(**{part.name: given[part.name] for part in fields(FollowedSource) if given.get(part.name)})


def noted(
    known: Mapping[str, FollowedDomain], said: Following, change: ListChange, now: str
) -> dict[str, FollowedDomain]:
    """What is known after a task. `now` is in UTC, ISO 8601."""
    gone = {*said.others, *(known if said.every else ())}
    found = {name: domain for name, domain in known.items() if name not in gone}
    removed = _by_domain(change.removed, {*said.domains, *said.others})
    for name, domain in said.domains.items():
        found[name] = _noted(known.get(name) or FollowedDomain(name), domain, change, removed.get(name, []), now)
    return found


def _noted(
    known: FollowedDomain, said: FollowedDomain, change: ListChange, removed: Sequence[str], now: str
) -> FollowedDomain:
    earlier = {source.name: source for source in known.sources}
    sources = tuple(source.after(earlier.get(source.name, source)) for source in said.sources)
    kept = said.kept or change.kept.get(said.name, "")
    vanished = [key for key in dict.fromkeys([*removed, *known.vanished]) if key not in change.wanted]
    return FollowedDomain(said.name, sources, known.listed_at if kept else now, kept, tuple(vanished[:MOST_VANISHED]))


def _by_domain(keys: Sequence[str], names: Collection[str]) -> dict[str, list[str]]:
    """The keys of people by the domain, among the names, that they are in, or else the nearest one above."""
    found: dict[str, list[str]] = {}
    for key in filter(is_somebody, keys):
        labels = domain_of(key).split(".")
        places = (".".join(labels[place:]) for place in range(len(labels)))
        name = next((place for place in places if place in names), None)
        if name is not None:
            found.setdefault(name, []).append(key)
    return found


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
        return {str(name): _domain(str(name), given) for name, given in data["domains"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _domain(name: str, given: Mapping[str, Any]) -> FollowedDomain:
    """Raises one of those errors for what `dump` does not write."""
    sources = tuple(FollowedSource(**source) for source in given["sources"])
    domain = FollowedDomain(name, sources, given["listed_at"], given["kept"], tuple(given["vanished"]))
    counts = [source.count for source in sources]
    texts = [*(value for source in sources for key, value in asdict(source).items() if key != "count")]
    texts += [domain.listed_at, domain.kept, *domain.vanished]
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(count, int) for count in counts):
        raise TypeError(name)
    return domain


def dump(domains: Mapping[str, FollowedDomain]) -> str:
    """The text for the file."""
    told = {
        name: {key: value for key, value in asdict(domain).items() if key != "name"} for name, domain in domains.items()
    }
    return json.dumps({"version": VERSION, "domains": told}, indent=1, sort_keys=True) + "\n"
