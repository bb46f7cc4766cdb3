# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person asks of the playbook recipients: addresses of one domain to add or to remove.

Addresses are personal data, and what is told here is seen by others: errors name the line, never what is on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, InvalidValue, Problems
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import canonical
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import EXTERNAL
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import (
    address,
    domain_name,
    domain_of,
    recipient,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.people import unnamed
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.both_forms import canonical_key
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.recipients import (
    ABSENT,
    LISTED,
    PRESENT,
    named_items,
)
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.roles import DEFAULT_DIRECTORY, roles_of

DOMAIN, ADDRESSES, STATE = "recipients_domain", "recipients_addresses", "recipients_state"


class RecipientRequest(NamedTuple):
    """Addresses of a domain, as Postfix looks them up and each once, which are to be present or absent."""

    domain: str
    addresses: tuple[str, ...]
    state: str


def understood(given: Mapping[str, Any]) -> RecipientRequest:
    """The request that the variables make. Raises InvalidInput, with all lines that are not valid addresses."""
    domain = _domain(given.get(DOMAIN))
    state = given.get(STATE) or PRESENT
    if state not in (PRESENT, ABSENT):
        raise InvalidInput(f"{STATE} is neither {PRESENT} nor {ABSENT}; choose one of them")
    problems = Problems()
    found = []
    for text, place in _lines(given.get(ADDRESSES)):
        with problems.kept():
            found.append(_key(text, place, domain, state))
    problems.tell("recipients")
    if not found:
        raise InvalidInput(f"{ADDRESSES} is empty; give one address a line")
    return RecipientRequest(domain, tuple(dict.fromkeys(found)), state)


def _domain(given: object) -> str:
    text = given.strip() if isinstance(given, str) else given
    if text in (None, ""):
        raise InvalidInput(f"{DOMAIN} is empty; give the name of one domain")
    try:
        return domain_name(text, DOMAIN)
    except InvalidValue as error:
        raise InvalidInput(f"{DOMAIN} {error.problem}; give the name of one domain") from None


def _lines(given: object) -> Iterator[tuple[object, str]]:
    """The members of a text or a list, each with its place, without blank ones. Raises InvalidInput."""
    if isinstance(given, str):
        members = [(line, f"{ADDRESSES} line {number}") for number, line in enumerate(given.split("\n"), 1)]
    elif isinstance(given, (list, tuple)):
        members = [(item, f"{ADDRESSES}[{number}]") for number, item in enumerate(given)]
    elif given is None:
        members = []
    else:
        raise InvalidInput(f"{ADDRESSES} is neither text nor a list; give one address a line")
    for member, place in members:
        text = member.strip() if isinstance(member, str) else member
        if text not in (None, ""):
            yield text, place


def _key(text: object, place: str, domain: str, state: str) -> str:
    """The address as Postfix looks it up. Raises InvalidInput, also for one of another domain."""
    try:
        key = address(text, place) if state == ABSENT else recipient(text, place)
    except InvalidValue as error:
        raise InvalidInput(f"{place} {error.problem}; correct the line") from None
    if canonical(domain_of(key)) != canonical(domain):
        raise InvalidInput(f"{place} is not in the domain {domain}; give each domain a run of its own")
    return key


def plan_request(
    given: Mapping[str, Any], variables: Mapping[str, Any], groups: list[str], directory: str = DEFAULT_DIRECTORY
) -> dict[str, Any]:
    """What a request means for a host: its domain, whether the host has that, and the reasons to refuse the request.

    `variables` are those of the roles, `groups` those of the host. No address is in it.
    """
    try:
        request = understood(given)
        domain = request.domain
        items = [(place, item) for place, item in _items(variables, groups, directory) if _is_of(item, domain)]
    except InvalidInput as error:
        return {"domain": "", "declared": False, "refusals": [error.message]}
    refusals = [text for place, item in items for text in [_refusal(request, place, item)] if text]
    return {"domain": domain, "declared": bool(items), "refusals": refusals}


def _items(variables: Mapping[str, Any], groups: list[str], directory: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The items that hold for a host of these groups in this instance of Postfix, each with its place."""
    for role in roles_of(groups):
        own = variables.get(f"{role}_config_directory") or DEFAULT_DIRECTORY
        if str(own).rstrip("/") == directory.rstrip("/"):
            place = f"{role}_domains"
            for number, item in enumerate(named_items(variables.get(place), place)):
                yield f"{place}[{number}]", item


def _is_of(item: Mapping[str, Any], domain: str) -> bool:
    return canonical(str(item["name"]).lower()) == canonical(domain)


def _refusal(request: RecipientRequest, place: str, item: Mapping[str, Any]) -> str:
    """Why others than the role may not change the domain's recipients so; empty if they may."""
    domain = request.domain
    remedy = f"change that, or give the item recipients_policy: {EXTERNAL}"
    if item.get("state") == ABSENT:
        return f"{domain} has state: absent in {place}, so the role removes the domain; do nothing"
    keepers = [name for name in ("recipients", "recipients_file") if item.get(name)]
    if keepers:
        kept = " and ".join(f"{place}.{name}" for name in keepers)
        return f"{domain} has its recipients from {kept}, so the next run of the role would undo this; {remedy}"
    policy = item.get("recipients_policy") or LISTED
    if policy == LISTED and item.get("recipients_from"):
        return (
            f"{domain} follows the sources in {place}.recipients_from, so the next sync would undo this; "
            "change its recipients there"
        )
    if policy == EXTERNAL:
        return _needed(request, item) if request.state == ABSENT else ""
    return f"{domain} has recipients_policy: {policy} in {place}, so no other list of recipients counts; {remedy}"


def _needed(request: RecipientRequest, item: Mapping[str, Any]) -> str:
    """Why one of the addresses must not be removed; empty if all may."""
    leaving = {canonical_key(key) for key in request.addresses}
    if canonical_key(f"postmaster@{request.domain}") in leaving:
        return f"postmaster@{request.domain} must take mail (RFC 5321, 4.5.1); leave it out"
    probe = item.get("probe_recipient")
    if isinstance(probe, str) and canonical_key(probe.strip().lower()) in leaving:
        return f"the probe_recipient of {request.domain} is among the addresses; give the domain another one first"
    return ""


def told(result: Mapping[str, Any], request: RecipientRequest) -> dict[str, Any]:
    """What a result of relay_recipients with show_recipients says of a request, without addresses.

    `counts` are of addresses, however many forms each has in the table; there are none if the task failed.
    """
    if result.get("failed"):
        message = str(result.get("msg") or "the table of recipients could not be changed; see the host's log")
        return {"text": f"{request.domain}: {unnamed(message)}", "counts": {}}
    asked = {canonical_key(key) for key in request.addresses}
    added, removed = (
        len({canonical_key(key) for key in result.get(name) or ()})
        for name in ("added_recipients", "removed_recipients")
    )
    counts = {"added": added, "removed": removed, "unchanged": len(asked) - added - removed}
    return {"text": f"{request.domain}: {_in_words(counts, request.state)}", "counts": counts}


def _in_words(counts: Mapping[str, int], state: str) -> str:
    unchanged = counts["unchanged"]
    were = "was" if unchanged == 1 else "were"
    left = f"{unchanged} {were} {'not there' if state == ABSENT else 'there already'}"
    done = f"{counts['removed']} removed" if state == ABSENT else f"{counts['added']} added"
    return f"{done}, {left}" if unchanged else done
