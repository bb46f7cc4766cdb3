# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes entries valid for relay_recipients: lists of addresses, by entry or by domain."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import (
    InvalidInput,
    InvalidValue,
    Problems,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import canonical
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import (
    address,
    domain_name,
    domain_of,
    invalid,
    recipient,
    value_kind,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.both_forms import canonical_key
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.entries import edits
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.plain_list import ordinary_addresses
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.removals import Guard, Limit, read_limit
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import (
    addresses_in,
    as_list,
    lines_in,
    words_in,
)

LISTED = "listed"
ANY = "any"
KEPT = "kept"
PRESENT = "present"
ABSENT = "absent"
SHOWN_NAMES = 5
# What a line of a file must resemble to be shown: any file can be named, also one that holds secrets.
_LIKE_AN_ADDRESS = re.compile(r"[\w.+%!*-]{0,64}@(?:[\w-]{1,63}\.)+[\w-]{1,63}\.?")
# Reads the file of that name, wherever the task says that it is. Raises MxRelayError.
ReadFile = Callable[[str], bytes]
# Makes the key of what a list says at a place. Raises InvalidInput.
Key = Callable[[object, str], str]


@dataclass(frozen=True)
class DomainRecipients:
    """One domain whose entries are declared. `recipients` is empty unless the policy is listed and it is present.

    With `subdomains` the entries of its subdomains are its own as well. `max_removals` is how many addresses its list
    may lose, None for any number.
    """

    name: str
    policy: str
    state: str
    recipients: tuple[str, ...] = ()
    subdomains: bool = False
    max_removals: Limit | None = None

    @property
    def owned(self) -> list[str]:
        """The domain, and what stands for its subdomains if their entries are its own, as Edits has them."""
        return [self.name, *([f".{self.name}"] if self.subdomains else [])]


def addresses_of(data: bytes, name: str, problems: Problems, key: Key = recipient) -> Iterator[tuple[str, str]]:
    """The addresses of a file, one a line, each with its place; `problems` gets those lines that hold none.

    Blank lines, lines that start with # and what follows white space and # are comments.
    """
    for number, line in enumerate(data.split(b"\n"), 1):
        place = f"{name} line {number}"
        try:
            content = line.decode("utf-8-sig" if number == 1 else "utf-8").strip(" \t\r")
        except UnicodeDecodeError:
            problems.add(InvalidInput(f"{place} is not UTF-8; save the file as UTF-8"))
            continue
        if not content or content.startswith("#"):
            continue
        text = before_comment(content)
        try:
            yield key(text, place), place
        except InvalidValue as error:
            problems.add(error if _LIKE_AN_ADDRESS.fullmatch(text) else _unshown(error, place))


def _unshown(error: InvalidValue, place: str) -> InvalidInput:
    """The error without the line that it is about."""
    return InvalidInput(f"{place} {error.problem}; correct the line")


def before_comment(line: str) -> str:
    """What a line of a list says before white space and a #."""
    for separator in (" #", "\t#"):
        head, found, _tail = line.partition(separator)
        if found and head.count('"') % 2 == 0:
            line = head.rstrip(" \t")
    return line


def as_addresses(value: object, place: str) -> list[Any]:
    """A list option of addresses, unchecked. Raises InvalidInput for what is no list."""
    return as_list(value, place, addresses_in, "write one address an item")


def as_paths(value: object, place: str) -> list[str]:
    """A list option of files. Raises InvalidInput."""
    paths = as_list(value, place, lines_in, "write one file an item")
    for path in paths:
        if not isinstance(path, str) or "\0" in path:
            raise invalid(path, place, "is not the path of a file", "write it as text")
    return paths


def inline_addresses(value: object, place: str, problems: Problems, key: Key = recipient) -> Iterator[tuple[str, str]]:
    """The addresses of a list option, each with its place such as `recipients[3]`; `problems` gets the others."""
    with problems.kept():
        for number, item in enumerate(as_addresses(value, place)):
            with problems.kept():
                yield key(item, f"{place}[{number}]"), f"{place}[{number}]"


def as_items(items: object, place: str = "domains") -> list[Mapping[str, Any]]:
    """The domain items, each a mapping with a name. Raises InvalidInput."""
    if not isinstance(items, (list, tuple)):
        raise InvalidInput(f"{place} is {value_kind(items)}, not a list; write one domain an item, each with its name")
    for number, item in enumerate(items):
        if not isinstance(item, Mapping) or "name" not in item:
            raise InvalidInput(f"{place}[{number}] has no name; write each domain as an item with its name")
    return list(items)


def named_items(items: object, place: str) -> list[Mapping[str, Any]]:
    """The domain items, of which those that say no more than their names may be text. Raises InvalidInput."""
    found = as_list(items, place, words_in, "write one domain an item, each with its name")
    for number, item in enumerate(found):
        if isinstance(item, str) and "@" in item:
            raise InvalidInput(
                f"{place}[{number}] is an address, not a domain; write each domain as an item with its name"
            )
    return as_items([{"name": item} if isinstance(item, str) else item for item in found], place)


def listed_addresses(items: object, read: ReadFile, place: str = "domains") -> list[list[str] | None]:
    """For each domain item the addresses that its `recipients` and `recipients_file` list, without repetition.

    None if the item gives neither; empty if its state is absent. A file may be named by several items: each takes
    the addresses of its own domain. Raises InvalidInput, also for an address that is in no domain which names it.
    """
    checked = as_items(items, place)
    names = _names(checked, place)
    paths = [
        as_paths(item.get("recipients_file"), f"{place}[{number}].recipients_file")
        for number, item in enumerate(checked)
    ]
    problems = Problems()
    files = _files(checked, names, paths, read, problems)
    found: list[list[str] | None] = []
    for number, (item, name) in enumerate(zip(checked, names)):
        if item.get("recipients") is None and not item.get("recipients_file"):
            found.append(None)
            continue
        listed = _inline_of(item, name, f"{place}[{number}].recipients", problems)
        for file in paths[number]:
            listed.extend(files.get(file, {}).get(name, []))
        found.append([] if item.get("state") == ABSENT else list(dict.fromkeys(listed)))
    problems.tell("recipients")
    return found


def _names(items: Sequence[Mapping[str, Any]], place: str) -> list[str]:
    problems = Problems()
    names = []
    for number, item in enumerate(items):
        with problems.kept():
            names.append(domain_name(item["name"], f"{place}[{number}].name"))
    problems.tell("domains")
    return names


def _files(
    items: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    paths: Sequence[Sequence[str]],
    read: ReadFile,
    problems: Problems,
) -> dict[str, dict[str, list[str]]]:
    """What each file lists, by the item that it belongs to; without those that can't be read."""
    owners: dict[str, dict[str, Mapping[str, Any]]] = {}
    for item, name, files in zip(items, names, paths):
        for file in files:
            owners.setdefault(file, {})[name] = item
    found: dict[str, dict[str, list[str]]] = {}
    for file, theirs in owners.items():
        with problems.kept():
            found[file] = _by_domain(read(file), file, theirs, problems)
    return found


def _inline_of(item: Mapping[str, Any], name: str, place: str, problems: Problems) -> list[str]:
    """The addresses that the item itself lists, each of them in its domain."""
    listed = []
    key = address if item.get("state") == ABSENT else recipient
    for text, where in inline_addresses(item.get("recipients"), place, problems, key):
        if _is_in(domain_of(text), name, item):
            listed.append(text)
        else:
            remedy = "move it to the item of its own domain"
            problems.add(invalid(text, where, f"is not in the domain {name}", remedy))
    return listed


def _by_domain(
    data: bytes, file: str, theirs: Mapping[str, Mapping[str, Any]], problems: Problems
) -> dict[str, list[str]]:
    """The addresses of one file by the item that they belong to, which must be one that names the file: `theirs`."""
    ordinary = ordinary_addresses(data)
    if ordinary is not None:
        by_domain: dict[str, list[str]] = {}
        for text in ordinary:
            by_domain.setdefault(text.partition("@")[2], []).append(text)
        owners = {domain: _owner(domain, theirs) for domain in by_domain}
        if None not in owners.values():
            return _by_owner(by_domain, owners)
    grouped: dict[str, list[str]] = {}
    whose = _some(theirs)
    for text, where in addresses_of(data, file, problems):
        owner = _owner(domain_of(text), theirs)
        if owner is None:
            remedy = "remove it, or give its domain an item that names the file"
            problems.add(invalid(text, where, f"is not in a domain whose item names this file ({whose})", remedy))
        else:
            grouped.setdefault(owner, []).append(text)
    return grouped


def _some(names: Collection[str]) -> str:
    """The first of the names, and how many more there are."""
    first, left = sorted(names)[:SHOWN_NAMES], len(names) - SHOWN_NAMES
    return ", ".join(first) + (f" and {left} more" if left > 0 else "")


def _owner(domain: str, items: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The item that addresses of this domain belong to: that of a subdomain comes before one of a domain above it."""
    if domain in items:
        return domain
    labels = domain.split(".")
    above = (".".join(labels[place:]) for place in range(1, len(labels)))
    return next((name for name in above if name in items and _has_subdomains(items[name])), None)


def _by_owner(by_domain: Mapping[str, list[str]], owners: Mapping[str, str | None]) -> dict[str, list[str]]:
    """The lists of all domains of an owner as one."""
    grouped: dict[str, list[str]] = {}
    for domain, addresses in by_domain.items():
        owner = owners[domain] or domain
        if owner in grouped:
            grouped[owner].extend(addresses)
        else:
            grouped[owner] = addresses
    return grouped


def _has_subdomains(item: Mapping[str, Any]) -> bool:
    """The option `subdomains`, which on the controller can still be text."""
    return str(item.get("subdomains")).lower() in ("true", "yes", "on", "1", "y", "t")


def _is_in(domain: str, name: str, item: Mapping[str, Any]) -> bool:
    """Whether addresses of `domain` belong to the item for `name`."""
    return domain == name or (_has_subdomains(item) and domain.endswith("." + name))


def declared_domains(items: object, read: ReadFile, place: str = "domains") -> list[DomainRecipients]:
    """The domains as declared, with the addresses that they list. See declare."""
    return declare(items, listed_addresses(items, read, place), place)


def declare(items: object, listed: Sequence[list[str] | None], place: str = "domains") -> list[DomainRecipients]:
    """The domains as declared, equal repetitions merged; `listed` is what listed_addresses returned for them.

    Raises InvalidInput for a listed domain without an address, and for a domain declared in two ways.
    """
    declared: dict[str, DomainRecipients] = {}
    spelled: dict[str, DomainRecipients] = {}
    for number, (item, addresses) in enumerate(zip(as_items(items, place), listed)):
        here = f"{place}[{number}]"
        domain = _declared(item, addresses, here)
        earlier = declared.setdefault(domain.name, domain)
        if earlier is not domain and _differ(earlier, domain):
            raise invalid(domain.name, f"{here}.name", "is declared twice, in different ways", "declare it once")
        twin = spelled.setdefault(canonical(domain.name), domain)
        if twin.name != domain.name and _differ(_canonical(twin), _canonical(domain)):
            raise invalid(
                domain.name,
                f"{here}.name",
                f"is {twin.name} in its other form, declared differently",
                "declare it once; its entries are written in both forms",
            )
    return list(declared.values())


def _differ(first: DomainRecipients, second: DomainRecipients) -> bool:
    if set(first.recipients) != set(second.recipients):
        return True
    return replace(first, recipients=()) != replace(second, recipients=())


def _canonical(domain: DomainRecipients) -> DomainRecipients:
    recipients = tuple(canonical_key(recipient) for recipient in domain.recipients)
    return replace(domain, name=canonical(domain.name), recipients=recipients)


def _declared(item: Mapping[str, Any], addresses: list[str] | None, place: str) -> DomainRecipients:
    name = domain_name(item["name"], f"{place}.name")
    policy = _choice(item, "recipients_policy", (LISTED, ANY, KEPT), place)
    state = _choice(item, "state", (PRESENT, ABSENT), place)
    subdomains = _has_subdomains(item)
    if state == ABSENT:
        return DomainRecipients(name, policy, state, subdomains=subdomains)
    if policy == ANY and subdomains:
        raise InvalidInput(
            f"{place} ({name}) has the recipients_policy any and subdomains, but the entry @{name} matches no "
            "subdomain; list full addresses, or declare each subdomain as a domain of its own"
        )
    if policy == ANY:
        if addresses:
            raise InvalidInput(
                f"{place} ({name}) lists recipients, but its recipients_policy any accepts every address; "
                "give one of them"
            )
        return DomainRecipients(name, policy, state)
    if policy == KEPT:
        if addresses:
            raise InvalidInput(
                f"{place} ({name}) lists recipients, but its recipients_policy kept leaves its entries as they are; "
                "give one of them"
            )
        return DomainRecipients(name, policy, state, subdomains=subdomains)
    if not addresses:
        raise InvalidInput(
            f"{place} ({name}) has no recipients, so all its mail would be refused; list them, "
            "or give it recipients_policy: any, or state: absent to remove its entries"
        )
    return DomainRecipients(name, policy, state, tuple(addresses), subdomains, _max_removals(item, place))


def _max_removals(item: Mapping[str, Any], place: str) -> Limit | None:
    given = item.get("max_removals")
    return None if given in (None, "") else read_limit(str(given).strip(), f"{place}.max_removals")


def _choice(item: Mapping[str, Any], option: str, choices: Sequence[str], place: str) -> str:
    value = item.get(option) or choices[0]
    if value not in choices:
        raise invalid(value, f"{place}.{option}", f"is not one of {', '.join(choices)}", "correct it")
    return str(value)


def task_addresses(recipients: object, files: object, read: ReadFile, state: object = PRESENT) -> list[str]:
    """The addresses that `recipients` and `recipients_file` of the task list, with their repetitions.

    Where they are to be absent, also such as would not be taken now.
    """
    key = address if state == ABSENT else recipient
    problems = Problems()
    listed = [text for text, _place in inline_addresses(recipients, "recipients", problems, key)]
    for file in as_paths(files, "recipients_file"):
        data = read(file)
        ordinary = ordinary_addresses(data)
        if ordinary is None:
            listed.extend(text for text, _place in addresses_of(data, file, problems, key))
        else:
            listed.extend(ordinary)
    problems.tell("recipients")
    return listed


def edits_by_domain(domains: Sequence[DomainRecipients], value: str, purge: bool, known: bool = False) -> Edits:
    """Edits after which each named domain has exactly its declared entries; the others stay unless `purge`.

    With `known` a domain that is to be present keeps to what it has if that is nothing.
    """
    wanted: dict[str, str] = {}
    for domain in domains:
        if domain.state == PRESENT and domain.policy == ANY:
            wanted[f"@{domain.name}"] = value
        wanted.update(dict.fromkeys(domain.recipients, value))
    guards = [Guard(domain.name, domain.max_removals, known and domain.state == PRESENT) for domain in domains]
    return Edits(
        set=wanted,
        purge=purge,
        owned=tuple(name for domain in domains if domain.policy != KEPT for name in domain.owned),
        kept=tuple(name for domain in domains if domain.policy == KEPT for name in domain.owned),
        guards={
            name: guard for domain, guard in zip(domains, guards) if guard.limit or guard.known for name in domain.owned
        },
    )


def edits_by_entry(addresses: Sequence[str], state: str, value: str, purge: bool) -> Edits:
    """Edits for single addresses. Raises InvalidInput for a purge that would leave nothing."""
    return edits(dict.fromkeys(addresses, value), state, purge)
