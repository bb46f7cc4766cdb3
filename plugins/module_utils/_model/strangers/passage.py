# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who passes a list of restrictions on the way to a destination that is not ours.

Nothing is taken for granted: a list is closed when each member that is reached before it rejects foreign destinations
is of a kind that lets no stranger through. What lets one through is an opening, and what cannot be told is a doubt.
See SMTPD_ACCESS_README and access(5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.admission import LISTS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import is_table, type_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restriction_names import (
    ARGUMENTS,
    never_permits,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restrictions import restrictions_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.contents import (
    ANY,
    PATTERNS,
    Content,
    spoken_by_name,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.access import (
    LIST,
    PERMITS,
    UNKNOWN,
    comes_to,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.networks import (
    Network,
    network_of,
    network_of_key,
)

_DEEPEST = 10
_CLOSING = frozenset(
    {"reject", "defer", "reject_unauth_destination", "defer_unauth_destination", "check_relay_domains"}
)
CLAIMED = "whoever reaches the port can say by the PROXY protocol that he has an address which it permits"
# Neither of them lets anybody through who is not let through by another: mail for our own destinations, our own
# addresses. On permit_mx_backup there is a check of its own.
_HARMLESS = frozenset({"permit_auth_destination", "permit_inet_interfaces", "permit_mx_backup", "sleep"})


@dataclass(frozen=True)
class Doubt:
    """A member through which strangers pass (`proven`), or of which it cannot be shown that they don't."""

    where: str
    member: str
    why: str
    proven: bool = False


@dataclass(frozen=True)
class Client:
    """What a service knows of its clients: its parameters, the tables and files that they name, our destinations.

    `value` is the effective value of a parameter. A table or file that is not in `contents` has not been read yet.
    `claimed`: the clients say themselves which address they have, by the PROXY protocol.
    """

    value: Callable[[str], str]
    contents: Mapping[str, Content]
    is_ours: Callable[[str], bool]
    claimed: bool = False


@dataclass
class Passage:
    """What a list comes to: whether it rejects foreign destinations, who passes before that, what is yet to be read."""

    closed: bool = False
    # It permits everybody, whatever comes after.
    permits_all: bool = False
    doubts: list[Doubt] = field(default_factory=list)
    networks: list[Network] = field(default_factory=list)
    needed: set[str] = field(default_factory=set)

    @property
    def open(self) -> bool:
        return not self.closed or self.permits_all or any(doubt.proven for doubt in self.doubts)

    def take(self, other: Passage) -> None:
        """Adds what a member, or a list within this one, comes to; not whether that closes it."""
        self.doubts += [doubt for doubt in other.doubts if doubt not in self.doubts]
        self.networks += other.networks
        self.needed |= other.needed


def passage(name: str, value: str, client: Client) -> Passage:
    """What the list `value` of the parameter `name` comes to, from its first member to the one that closes it."""
    found = _within(name, value, client, 0)
    if not (found.closed or found.permits_all):
        found.doubts.append(Doubt(name, "", "it ends without rejecting foreign destinations", True))
    return found


def _within(name: str, value: str, client: Client, depth: int) -> Passage:
    found = Passage()
    if depth > _DEEPEST:
        found.doubts.append(Doubt(name, value, "it refers to itself"))
        return found
    warns = False
    for word, argument in restrictions_of(value):
        lower = word.lower()
        if lower == "warn_if_reject":
            warns = True
            continue
        member = _member(name, lower if lower in ARGUMENTS or argument else word, argument, client, depth)
        found.take(member)
        found.permits_all = member.permits_all
        found.closed = member.closed and not warns
        if found.closed or found.permits_all:
            break
        warns = False
    return found


def _member(name: str, word: str, argument: str, client: Client, depth: int) -> Passage:
    """What one restriction comes to. Where a client says itself which address it has, a permitted one is anybody's."""
    found = _restriction(name, word, argument, client, depth)
    by_address = found.networks or word.lower() == "permit_inet_interfaces"
    if client.claimed and by_address and not any(doubt.proven for doubt in found.doubts):
        found.doubts.append(Doubt(name, f"{word} {argument}".strip(), CLAIMED, True))
    return found


def _restriction(name: str, word: str, argument: str, client: Client, depth: int) -> Passage:
    lower = word.lower()
    text = f"{word} {argument}".strip()
    classes = split_items(client.value("smtpd_restriction_classes"))
    if word in classes:
        return _within(name, client.value(word), client, depth + 1)
    if lower in _CLOSING:
        return Passage(closed=True)
    if lower in _HARMLESS or lower.startswith(("reject_", "defer_if_")) and lower in ARGUMENTS:
        return Passage()
    if lower == "permit_mynetworks":
        return networks_of("mynetworks", client)
    if lower == "permit_sasl_authenticated":
        return _authenticated(name, text, client)
    if lower == "permit_tls_clientcerts":
        return _certificates(name, text, client)
    if lower in ("permit", "permit_naked_ip_address", "permit_tls_all_clientcerts"):
        return Passage(permits_all=True, doubts=[Doubt(name, text, "it permits every client", True)])
    if lower.startswith("check_") and lower.endswith("_access"):
        return _access(name, lower, argument, text, client, depth)
    if is_table(word):
        return _access(name, LISTS.get(name) or "check_recipient_access", word, text, client, depth)
    return Passage(doubts=[Doubt(name, text, _why_unknown(lower))])


def _why_unknown(word: str) -> str:
    if word == "check_policy_service":
        return "what a policy service answers cannot be listed"
    if word.startswith(("permit_dnswl", "permit_rhswl")):
        return "whoever runs that list in DNS decides who may relay"
    return "it is not a restriction that is known here"


def _authenticated(name: str, text: str, client: Client) -> Passage:
    if client.value("smtpd_sasl_auth_enable").lower() != "yes":
        return Passage()
    anonymous = [
        option
        for option in ("smtpd_sasl_security_options", "smtpd_sasl_tls_security_options")
        if "noanonymous" not in split_items(client.value(option).lower())
    ]
    why = f"{' and '.join(anonymous)} allows anonymous logins (no noanonymous)"
    return Passage(doubts=[Doubt(name, text, why, True)] if anonymous else [])


def _certificates(name: str, text: str, client: Client) -> Passage:
    found = Passage()
    for table in split_items(client.value("relay_clientcerts")):
        content = _content(table, client, found)
        member = f"{text} (relay_clientcerts {table})"
        if content is None or content.entries is None or type_of(table) in PATTERNS:
            found.doubts.append(Doubt(name, member, "the certificates that it knows cannot be listed"))
        elif any(key == ANY for key, _result in content.entries):
            found.doubts.append(Doubt(name, member, "it knows every certificate", True))
    return found


def _content(table: str, client: Client, found: Passage) -> Content | None:
    """What the table holds; None, and that it is needed, if it has not been read."""
    content = spoken_by_name(table) or client.contents.get(table)
    if content is None:
        found.needed.add(table)
    return content


def _access(name: str, action: str, table: str, text: str, client: Client, depth: int) -> Passage:
    """What the results of an access table let through. Every result counts, whatever its key is looked up for."""
    found = Passage()
    if never_permits(action):
        return found
    content = _content(table, client, found)
    if content is None:
        found.doubts.append(Doubt(name, text, "it could not be read"))
        return found
    for key, result in content.answers.items():
        if comes_to(result) == PERMITS:
            found.doubts.append(Doubt(name, text, f"it answers {result} for {key}, which is nobody's", True))
            return found
    if content.entries is None:
        found.doubts.append(Doubt(name, text, "a table of its type only answers; what it permits cannot be listed"))
        return found
    if action == "check_sasl_access":
        found.take(_authenticated(name, text, client))
        return found
    for key, result in content.entries:
        _entry(name, action, table, text, key, result, client, depth, found)
    return found


def _entry(
    name: str,
    action: str,
    table: str,
    text: str,
    key: str,
    result: str,
    client: Client,
    depth: int,
    found: Passage,
) -> None:
    """Adds what one entry of an access table lets through."""
    meaning = comes_to(result)
    if meaning == UNKNOWN:
        found.doubts.append(Doubt(name, text, f"what its result {result} comes to cannot be told"))
    elif meaning == LIST:
        inner = _within(name, result, client, depth + 1)
        found.networks += inner.networks
        found.needed |= inner.needed
        found.doubts += [doubt for doubt in inner.doubts if not doubt.proven]
        if any(doubt.proven for doubt in inner.doubts):
            _permitted(name, action, table, text, key, client, found)
    elif meaning == PERMITS:
        _permitted(name, action, table, text, key, client, found)


def _permitted(name: str, action: str, table: str, text: str, key: str, client: Client, found: Passage) -> None:
    """Adds whom the entry of this key permits."""
    if key != ANY and action == "check_ccert_access" and type_of(table) not in PATTERNS:
        return
    if key != ANY and type_of(table) in PATTERNS:
        found.doubts.append(Doubt(name, text, f"whom its pattern {key} permits cannot be told"))
        return
    network = network_of_key(key) if action == "check_client_access" else None
    if network is not None:
        found.networks.append(network)
    elif not (action == "check_recipient_access" and key != ANY and client.is_ours(key)):
        whom = "everybody" if key == ANY else key
        found.doubts.append(Doubt(name, text, f"it permits {whom}, and strangers can be or ask for that", True))


def networks_of(parameter: str, client: Client) -> Passage:
    """The clients that a list of networks such as mynetworks takes in."""
    found = Passage()
    _networks(parameter, split_items(client.value(parameter)), client, 0, found)
    return found


def _networks(parameter: str, members: Sequence[str], client: Client, depth: int, found: Passage) -> None:
    for member in members:
        if member.startswith("!"):
            continue  # it only takes away
        network = network_of(member)
        if network is not None:
            found.networks.append(network)
        elif member.startswith("/"):
            content = client.contents.get(member)
            if content is None:
                found.needed.add(member)
                found.doubts.append(Doubt(parameter, member, "the file could not be read"))
            elif depth > _DEEPEST:
                found.doubts.append(Doubt(parameter, member, "it refers to itself"))
            else:
                _networks(parameter, [pattern for pattern, _result in content.entries or ()], client, depth + 1, found)
        elif is_table(member):
            _networks_in_table(parameter, member, client, found)
        else:
            found.doubts.append(Doubt(parameter, member, "it is not an address; a client's name can be anybody's"))


def _networks_in_table(parameter: str, table: str, client: Client, found: Passage) -> None:
    content = _content(table, client, found)
    if content is None or content.entries is None or type_of(table) in PATTERNS:
        proven = bool(content and content.answers)
        why = "it knows addresses of nobody's" if proven else "the clients that it takes in cannot be listed"
        found.doubts.append(Doubt(parameter, table, why, proven))
        return
    for key, _result in content.entries:
        network = network_of_key(key)
        if key == ANY:
            found.doubts.append(Doubt(parameter, table, "it knows everybody", True))
        elif network is None:
            found.doubts.append(Doubt(parameter, f"{table} ({key})", "it is not an address"))
        else:
            found.networks.append(network)
