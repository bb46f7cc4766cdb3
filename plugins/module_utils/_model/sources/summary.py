# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of a source: by domain how many recipients, and why they may not be all. No address is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import canonical
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import EVERY_DOMAIN, Reading


@dataclass(frozen=True)
class DomainSummary:
    """One domain of a source. The digest is that of its addresses in order of the alphabet, and of its catch-all."""

    count: int = 0
    catch_all: bool = False
    why_incomplete: str = ""
    digest: str = ""

    def told(self) -> dict[str, Any]:
        """The domain as results have it."""
        return {**asdict(self), "complete": not self.why_incomplete}


@dataclass(frozen=True)
class SourceSummary:
    """All domains of a source by name; `why_incomplete` is said of those that are not among them.

    `count` and `digest` are of all its addresses, `read_at` is in UTC (ISO 8601).
    """

    domains: Mapping[str, DomainSummary] = field(default_factory=dict)
    why_incomplete: str = ""
    count: int = 0
    digest: str = ""
    skipped: int = 0
    read_at: str = ""

    @classmethod
    def failed(cls, problem: str, read_at: str) -> SourceSummary:
        """The summary of a source that could not be read."""
        return cls(why_incomplete=problem, read_at=read_at)

    @classmethod
    def from_text(cls, data: Mapping[str, Any]) -> SourceSummary:
        """The summary that `asdict` made this of."""
        domains = {name: DomainSummary(**domain) for name, domain in data["domains"].items()}
        return cls(**{**data, "domains": domains})

    def told(self, declared: Sequence[str] = ()) -> dict[str, Any]:
        """The results about the declared domains, or about all if none are declared."""
        by_form = {canonical(name): domain for name, domain in self.domains.items()}
        otherwise = DomainSummary(why_incomplete=self.why_incomplete, digest=digest_of_addresses(()))
        shown = {name: by_form.get(canonical(name), otherwise) for name in declared} if declared else self.domains
        wanted = set(map(canonical, declared))
        others = {name: domain.count for name, domain in self.domains.items() if canonical(name) not in wanted}
        return {
            "domains": {name: domain.told() for name, domain in shown.items()},
            **({"undeclared": others} if declared else {}),
            "count": self.count,
            "digest": self.digest,
            # Under its own name Ansible would take the task for one that was skipped.
            "invalid": self.skipped,
            "complete": not (self.why_incomplete or any(domain.why_incomplete for domain in shown.values())),
            "read_at": self.read_at,
        }


def by_domain(reading: Reading) -> dict[str, list[str]]:
    """The addresses of each domain that the source knows, by one of its spellings."""
    found: dict[str, list[str]] = {}
    for address in reading.addresses:
        found.setdefault(address.rpartition("@")[2], []).append(address)
    names: dict[str, str] = {}
    merged: dict[str, list[str]] = {}
    for domain in [*found, *sorted(reading.catch_alls), *filter(None, reading.incomplete)]:
        name = names.setdefault(canonical(domain), domain)
        merged.setdefault(name, []).extend(found.pop(domain, ()))
    return merged


def summary_of(reading: Reading, domains: Mapping[str, Sequence[str]], read_at: str) -> SourceSummary:
    """The summary of what a source said, whose addresses `by_domain` gave."""
    catch_alls = set(map(canonical, reading.catch_alls))
    by_form = replace(reading, incomplete={canonical(name): why for name, why in reading.incomplete.items()})
    summaries = {}
    for name, addresses in domains.items():
        form = canonical(name)
        catch_all = form in catch_alls
        why = by_form.why_incomplete(form)
        if catch_all:
            why = why or f"the source has a catch-all for {name}, which so takes every address; list them there"
        digest = digest_of_addresses([*addresses, f"@{name}"] if catch_all else addresses)
        summaries[name] = DomainSummary(len(addresses), catch_all, why, digest)
    return SourceSummary(
        summaries,
        reading.incomplete.get(EVERY_DOMAIN, ""),
        len(reading.addresses),
        digest_of_addresses(found.digest for found in summaries.values() if found.count or found.catch_all),
        reading.skipped,
        read_at,
    )


def digest_of_addresses(addresses: Iterable[str]) -> str:
    """A digest of texts that does not depend on their order."""
    return hashlib.sha256("\n".join(sorted(addresses)).encode("utf-8", "surrogateescape")).hexdigest()
