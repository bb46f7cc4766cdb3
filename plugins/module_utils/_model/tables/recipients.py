# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes entries valid for relay_recipients: lists of addresses, by entry or by domain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable, Iterator, Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import canonical
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import (
    address,
    domain_name,
    domain_of,
    invalid,
    recipient,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.both_forms import canonical_key
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.entries import edits
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.plain_list import ordinary_addresses
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits

LISTED = "listed"
ANY = "any"
PRESENT = "present"
ABSENT = "absent"
# Reads the file of that name, wherever the task says that it is. Raises MxRelayError.
ReadFile = Callable[[str], bytes]
# Makes the key of what a list says at a place. Raises InvalidInput.
Key = Callable[[object, str], str]


@dataclass(frozen=True)
class DomainRecipients:
    """One domain whose entries are declared. `recipients` is empty unless the policy is listed and it is present.

    With `subdomains` the entries of its subdomains are its own as well.
    """

    name: str
    policy: str
    state: str
    recipients: tuple[str, ...] = ()
    subdomains: bool = False


def addresses_of(data: bytes, name: str, key: Key = recipient) -> Iterator[tuple[str, str]]:
    """The addresses of a file, one a line, each with its place.

    Blank lines, lines that start with # and what follows white space and # are comments. Raises InvalidInput.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"{name} line {number} is not UTF-8; save the file as UTF-8") from None
    for number, line in enumerate(text.split("\n"), 1):
        content = line.strip(" \t\r")
        if not content or content.startswith("#"):
            continue
        place = f"{name} line {number}"
        yield key(_without_comment(content), place), place


def _without_comment(line: str) -> str:
    for separator in (" #", "\t#"):
        head, found, _tail = line.partition(separator)
        if found and head.count('"') % 2 == 0:
            line = head.rstrip(" \t")
    return line


def as_list(value: object, place: str) -> list[Any]:
    """A list option as Ansible takes it: a list, or a string with commas; null and nothing are the empty list."""
    if value in (None, ""):
        return []
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    if isinstance(value, (list, tuple)):
        return list(value)
    raise invalid(value, place, "is not a list", "write one address an item")


def as_paths(value: object, place: str) -> list[str]:
    """A list option of files. Raises InvalidInput."""
    paths = as_list(value, place)
    for path in paths:
        if not isinstance(path, str) or "\0" in path:
            raise invalid(path, place, "is not the path of a file", "write it as text")
    return paths


def inline_addresses(value: object, place: str, key: Key = recipient) -> list[tuple[str, str]]:
    """The addresses of a list option, each with its place such as `recipients[3]`. Raises InvalidInput."""
    return [
        (key(item, f"{place}[{number}]"), f"{place}[{number}]") for number, item in enumerate(as_list(value, place))
    ]


def as_items(items: object, place: str = "domains") -> list[Mapping[str, Any]]:
    """The domain items, each a mapping with a name. Raises InvalidInput."""
    if not isinstance(items, (list, tuple)):
        raise invalid(items, place, "is not a list", "write one domain an item, each with its name")
    for number, item in enumerate(items):
        if not isinstance(item, Mapping) or "name" not in item:
            raise InvalidInput(f"{place}[{number}] has no name; write each domain as an item with its name")
    return list(items)


def listed_addresses(items: object, read: ReadFile, place: str = "domains") -> list[list[str] | None]:
    """For each domain item the addresses that its `recipients` and `recipients_file` list, without repetition.

    None if the item gives neither; empty if its state is absent. A file may be named by several items: each takes
    the addresses of its own domain. Raises InvalidInput, also for an address that is in no domain which names it.
    """
    checked = as_items(items, place)
    names = [domain_name(item["name"], f"{place}[{number}].name") for number, item in enumerate(checked)]
    files: dict[str, dict[str, list[str]]] = {}
    found: list[list[str] | None] = []
    for number, item in enumerate(checked):
        if item.get("recipients") is None and not item.get("recipients_file"):
            found.append(None)
            continue
        key = address if item.get("state") == ABSENT else recipient
        inline = inline_addresses(item.get("recipients"), f"{place}[{number}].recipients", key)
        for text, where in inline:
            if not _is_in(domain_of(text), names[number], item):
                raise invalid(
                    text, where, f"is not in the domain {names[number]}", "move it to the item of its own domain"
                )
        listed = [text for text, _where in inline]
        for file in as_paths(item.get("recipients_file"), f"{place}[{number}].recipients_file"):
            if file not in files:
                files[file] = _by_domain(read(file), file, checked, names)
            listed.extend(files[file].get(names[number], []))
        found.append([] if item.get("state") == ABSENT else list(dict.fromkeys(listed)))
    return found


def _by_domain(
    data: bytes, file: str, items: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> dict[str, list[str]]:
    """The addresses of one file by the item that they belong to, which must be one that names the file."""
    theirs = {
        name: item
        for name, item in zip(names, items)
        if file in as_paths(item.get("recipients_file"), "recipients_file")
    }
    ordinary = ordinary_addresses(data)
    if ordinary is not None:
        by_domain: dict[str, list[str]] = {}
        for text in ordinary:
            by_domain.setdefault(text.partition("@")[2], []).append(text)
        owners = {domain: _owner(domain, theirs) for domain in by_domain}
        if None not in owners.values():
            return _by_owner(by_domain, owners)
    grouped: dict[str, list[str]] = {}
    for text, where in addresses_of(data, file):
        owner = _owner(domain_of(text), theirs)
        if owner is None:
            raise invalid(
                text,
                where,
                f"is not in a domain whose item names this file ({', '.join(sorted(theirs))})",
                "remove it, or give its domain an item that names the file",
            )
        grouped.setdefault(owner, []).append(text)
    return grouped


def _owner(domain: str, items: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The item that addresses of this domain belong to: that of a subdomain comes before one of a domain above it."""
    if domain in items:
        return domain
    return max((name for name in items if _is_in(domain, name, items[name])), key=len, default=None)


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
    policy = _choice(item, "recipients_policy", (LISTED, ANY), place)
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
    if not addresses:
        raise InvalidInput(
            f"{place} ({name}) has no recipients, so all its mail would be refused; list them, "
            "or give it recipients_policy: any, or state: absent to remove its entries"
        )
    return DomainRecipients(name, policy, state, tuple(addresses), subdomains)


def _choice(item: Mapping[str, Any], option: str, choices: tuple[str, str], place: str) -> str:
    value = item.get(option) or choices[0]
    if value not in choices:
        raise invalid(value, f"{place}.{option}", f"is not one of {', '.join(choices)}", "correct it")
    return str(value)


def declared_recipients(recipients: object, files: object, read: ReadFile, state: object = PRESENT) -> list[str]:
    """The addresses that `recipients` and `recipients_file` of the task list, with their repetitions.

    Where they are to be absent, also such as would not be taken now.
    """
    key = address if state == ABSENT else recipient
    listed = [text for text, _place in inline_addresses(recipients, "recipients", key)]
    for file in as_paths(files, "recipients_file"):
        data = read(file)
        ordinary = ordinary_addresses(data)
        listed.extend((text for text, _place in addresses_of(data, file, key)) if ordinary is None else ordinary)
    return listed


def edits_by_domain(domains: Sequence[DomainRecipients], value: str, purge: bool) -> Edits:
    """Edits after which each named domain has exactly its declared entries; the others stay unless `purge`."""
    wanted: dict[str, str] = {}
    for domain in domains:
        if domain.state == PRESENT and domain.policy == ANY:
            wanted[f"@{domain.name}"] = value
        wanted.update(dict.fromkeys(domain.recipients, value))
    owned = [domain.name for domain in domains] + [f".{domain.name}" for domain in domains if domain.subdomains]
    return Edits(set=wanted, purge=purge, owned=tuple(owned))


def edits_by_entry(addresses: Sequence[str], state: str, value: str, purge: bool) -> Edits:
    """Edits for single addresses. Raises InvalidInput for a purge that would leave nothing."""
    return edits(dict.fromkeys(addresses, value), state, purge)
