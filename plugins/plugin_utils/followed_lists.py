# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains whose lists follow sources: which sources a run has to read, and what becomes of the lists by what they say.

A domain keeps the list that it has unless each of its sources was read, has addresses of it, and has all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_name
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.definition import (
    CONTROLLER,
    declared_sources,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.recipients import (
    KEPT,
    LISTED,
    PRESENT,
    as_addresses,
    as_paths,
    named_items,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.removals import USUAL
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import as_list, words_in

NO_LIMIT = "100%"


class FollowingItem(NamedTuple):
    """A domain item that follows sources, its place among all items, and the names of the domain and of the sources."""

    place: int
    item: Mapping[str, Any]
    name: str
    sources: list[str]


def following_items(items: object, place: str) -> list[FollowingItem]:
    """Those of the items that follow sources. Raises InvalidInput."""
    found = []
    for number, item in enumerate(named_items(items, place)):
        here = f"{place}[{number}]"
        names = as_list(item.get("recipients_from"), f"{here}.recipients_from", words_in, "write one source an item")
        policy = item.get("recipients_policy") or LISTED
        if names and policy == LISTED and (item.get("state") or PRESENT) == PRESENT:
            name = domain_name(item["name"], f"{here}.name")
            if boolean(item.get("subdomains"), strict=False):
                raise InvalidInput(
                    f"{here} ({name}) has recipients_from and subdomains; leave subdomains out, and declare each "
                    "subdomain that has recipients as a domain of its own"
                )
            found.append(FollowingItem(number, item, name, list(dict.fromkeys(map(str, names)))))
    return found


def sources_to_read(
    items: object, declared: object, hosts: Collection[str], role: str = "mx"
) -> dict[str, dict[str, Any]]:
    """The sources that the items follow, by name: the host that each is read on, its definition, the variable that has
    that, and the domains.

    `hosts` are those of the inventory. Raises InvalidInput.
    """
    following = following_items(items, f"{role}_domains")
    sources = declared_sources(declared, f"{role}_recipient_sources") if following else {}
    found: dict[str, dict[str, Any]] = {}
    for follower in following:
        domain, names = follower.name, follower.sources
        for name in names:
            if name not in sources:
                there = ", ".join(sources) or "none"
                raise InvalidInput(
                    f'{domain} has recipients_from "{name}", which is not in {role}_recipient_sources; '
                    f"declare it there, or correct the name (there are: {there})"
                )
            others = {str(other) for other in (sources[name].get("covered") or {}).values()} - set(names)
            if others:
                raise InvalidInput(
                    f'{domain} follows "{name}", some addresses of which only "{sorted(others)[0]}" has (covered); '
                    "name that in recipients_from as well"
                )
            definition = {option: value for option, value in sources[name].items() if option != "host"}
            told = {"host": sources[name]["host"], "source": definition, "declared_in": f"{role}_recipient_sources"}
            found.setdefault(name, {**told, "domains": []})["domains"].append(domain)
    for name, source in found.items():
        if source["host"] != CONTROLLER and source["host"] not in hosts:
            raise InvalidInput(
                f"{role}_recipient_sources.{name} has the host {source['host']}, which is not in the inventory; "
                "add it there, or correct the name"
            )
    return found


def without_secrets(sources: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What a loop over the sources needs to know of each. Its definition, which may hold passwords, stays where it is
    declared."""
    return [
        {
            "name": name,
            "host": source["host"],
            "type": source["source"]["type"],
            "covered": dict(source["source"].get("covered") or {}),
            "declared_in": source["declared_in"],
            "domains": list(source["domains"]),
        }
        for name, source in sources.items()
    ]


def lacking_libraries(
    sources: Mapping[str, Mapping[str, Any]], readings: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[str]]:
    """By host, the packages without which it can't read sources. On the controller nothing is installed."""
    found: dict[str, dict[str, None]] = {}
    for name, reading in readings.items():
        host = sources[name]["host"]
        if reading.get("lacks") and host != CONTROLLER:
            found.setdefault(host, {})[str(reading["lacks"])] = None
    return {host: list(packages) for host, packages in found.items()}


def followed_lists(
    items: object,
    sources: Mapping[str, Mapping[str, Any]],
    readings: Mapping[str, Mapping[str, Any]],
    now: str,
    limit: str = "",
    let_through: Collection[str] = (),
    place: str = "domains",
    installs: bool = False,
) -> dict[str, dict[str, Any]]:
    """By domain what its list is, from what its sources said: `recipients_file`, or why it stays.

    `sources` are those of without_secrets, and `readings` what recipients_info returned of each. `now` is in UTC, ISO
    8601. `limit` is the max_removals of the host, which `let_through` are domains without. With `installs` this is
    check mode, and a run would install what hosts lack; a list that only waits for that has `awaits`: for what.
    """
    return {
        follower.name: {
            **_followed(follower, sources, readings, now, installs),
            "max_removals": NO_LIMIT if follower.name in let_through else limit or USUAL,
        }
        for follower in following_items(items, place)
    }


def _followed(
    follower: FollowingItem,
    sources: Mapping[str, Mapping[str, Any]],
    readings: Mapping[str, Mapping[str, Any]],
    now: str,
    installs: bool,
) -> dict[str, Any]:
    noted, files, problems, awaited = [], [], [], []
    parts = _parts_of_a_whole(follower.sources, sources)
    for name in follower.sources:
        reading = readings.get(name) or {}
        problem = _problem(reading, follower.name) or ("" if name in parts else _lack(reading, follower.name))
        told = {"name": name, "type": sources[name]["type"], "host": sources[name]["host"]}
        if problem:
            noted.append({**told, "failed_at": reading.get("read_at") or now, "problem": problem})
            problems.append(f"source {name}: {problem}")
            if installs and reading.get("lacks") and sources[name]["host"] != CONTROLLER:
                awaited.append(f"{reading['lacks']} on {sources[name]['host']}")
        else:
            domain = reading["domains"][follower.name]
            noted.append({**told, "read_at": reading["read_at"], "count": domain["count"], "digest": domain["digest"]})
            files += [reading["lists"][follower.name]] if domain["count"] else []
    if not (problems or files):
        problems.append("none of its sources has an address of this domain")
    if problems:
        waits = {"awaits": " and ".join(dict.fromkeys(awaited))} if len(awaited) == len(problems) else {}
        return {"sources": noted, "why": "; ".join(problems), **waits}
    return {"sources": noted, "recipients_file": files}


def _problem(reading: Mapping[str, Any], domain: str) -> str:
    """Why what was read is not the list of the domain; empty if it is."""
    if reading.get("problem"):
        return str(reading["problem"])
    told = (reading.get("domains") or {}).get(domain)
    if reading.get("failed") or reading.get("unreachable") or not told:
        return str(reading.get("msg") or "it was not read")
    if told["why_incomplete"]:
        return f"{told['why_incomplete']}, or give the domain recipients_policy: any or verify"
    return ""


def _lack(reading: Mapping[str, Any], domain: str) -> str:
    return "" if reading["domains"][domain]["count"] else "it has no address of this domain"


def _parts_of_a_whole(names: Sequence[str], sources: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Those of which one has what a table of another can't list: an address of a domain may be in one of them alone."""
    covered = {name: set(map(str, sources[name]["covered"].values())) for name in names}
    return {part for name, others in covered.items() if others for part in (name, *others)}


def with_lists_of_sources(
    items: Sequence[Mapping[str, Any]], followed: Mapping[str, Mapping[str, Any]], place: str
) -> list[dict[str, Any]]:
    """The items as mx_plan summarises them: with the files of their sources, or with why their lists stay.

    Raises InvalidInput for one whose sources were not read.
    """
    found = [dict(item) for item in items]
    for follower in following_items(items, place):
        told = followed.get(follower.name)
        if told is None:
            raise InvalidInput(
                f"{follower.name} has recipients_from, and its sources were not read; have a role do that, or give its "
                "recipients"
            )
        found[follower.place] = _with_list(follower.item, told)
    return found


def _with_list(item: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    if "why" in told:
        others = {name: value for name, value in item.items() if name not in ("recipients", "recipients_file")}
        waits = {"awaits": told["awaits"]} if "awaits" in told else {}
        return {**others, "follows": True, "kept": told["why"], **waits}
    return {**item, "follows": True, "recipients_file": _files(item, told)}


def _files(item: Mapping[str, Any], told: Mapping[str, Any]) -> list[str]:
    return [*as_paths(item.get("recipients_file"), "recipients_file"), *told["recipients_file"]]


def table_items(
    items: object, followed: Mapping[str, Mapping[str, Any]], roles: Sequence[str], place: str = "domains"
) -> Iterator[dict[str, Any]]:
    """The option `domains` of relay_recipients for the items that follow sources, whose lists get these `roles`.

    Raises InvalidInput.
    """
    for follower in following_items(items, place):
        item, name, told = follower.item, follower.name, followed[follower.name]
        noted = {"name": name, "sources": told["sources"]}
        if "why" in told:
            yield {**noted, "recipients_policy": KEPT, "why": told["why"]}
        else:
            listed = as_addresses(item.get("recipients"), "recipients")
            yield {
                **noted,
                "recipients": [*listed, *(f"{role}@{name}" for role in roles)],
                "recipients_file": _files(item, told),
                "max_removals": told["max_removals"],
            }


def kept_lists(
    followed: Mapping[str, Mapping[str, Any]], results: Sequence[Mapping[str, Any]], once: str
) -> dict[str, dict[str, Any]]:
    """By domain, why its list was kept and what it would have lost, from what sources made of it and from the first
    result of relay_recipients that there is. `once` is how to let removals through for one run. One that `awaits` a
    library is not among them: nothing is wrong with it."""
    read = {name: told for name, told in followed.items() if "awaits" not in told}
    found = {name: {"why": told["why"], "removals": 0, "of": 0} for name, told in read.items() if "why" in told}
    written: Mapping[str, Any] = next((result["kept"] for result in results if "kept" in result), {})
    kept = {**found, **{name: told for name, told in written.items() if name in read}}
    return {name: {**told, "once": once} for name, told in kept.items()}


def kept_words(kept: Mapping[str, Mapping[str, Any]], once: str = "") -> str:
    """What to say of lists that were kept, a line each; `once` is how to let removals through where they don't say."""
    if not kept:
        return ""
    several = "the lists of {} domains stay as they are" if len(kept) > 1 else "the list of {} domain stays as it is"
    lines = [f"{several.format(len(kept)).capitalize()}, and everything else is done:"]
    for name, told in sorted(kept.items()):
        remedy = f"; check that, and if it is right let it through once with {told.get('once', once)}"
        lines.append(f"- {name}: {told['why']}{remedy if told['removals'] else ''}")
    return "\n".join(lines)
