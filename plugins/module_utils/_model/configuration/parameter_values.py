# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that Postfix would take for something else, or that stop its daemons, found before they are written.

`postfix check` is silent about nearly all of them; see postconf(5) for what a parameter takes. A value that refers to
another parameter (`$name`) is judged by nobody but Postfix.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import (
    Value,
    split_items,
    value_text,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_limits import beyond
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import (
    BOOLEAN,
    CHOICES,
    INTEGER,
    NETWORK_LISTS,
    TABLE_ENDINGS,
    TABLE_LISTS,
    TIME,
    is_number,
    kind_of,
    seconds,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restriction_names import (
    ARGUMENTS,
    RESTRICTION_LISTS,
    TABLE,
    problem,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput

_TABLE = re.compile(r"([a-zA-Z][a-zA-Z0-9_-]*):.", re.ASCII)
_DOTTED = re.compile(r"[0-9.]+(/.*)?\Z", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\Z")
_NUMERIC = re.compile(r"[0-9.]+\Z")
_TRUTH = {"true": "yes", "on": "yes", "1": "yes", "y": "yes", "false": "no", "off": "no", "0": "no", "n": "no"}
# They take tables as their arguments: `proxy:hash:/x`, `pipemap:{hash:/x, ldap:/y}`.
_AROUND = ("proxy",)
_AROUND_SEVERAL = ("pipemap", "unionmap")


@dataclass(frozen=True)
class Judge:
    """What a value is held against: `postconf -d` of the host, and the restriction classes that will be there."""

    defaults: Mapping[str, str]
    classes: Collection[str] = field(default_factory=tuple)
    file: str = "main.cf"

    def check(self, name: str, value: Value, place: str) -> None:
        """Raises InvalidInput, naming the file, the parameter, its place in the task, and the remedy."""
        text = value_text(value)
        found = self._problem(name, text)
        if found:
            raise InvalidInput(f"{self.file}: {name} ({place}): {found}")

    def _problem(self, name: str, text: str) -> str:
        if name in RESTRICTION_LISTS or name in self.classes:
            return problem(text, self.classes, self.defaults.get("mail_version", ""))
        if takes_tables(name) and name not in TABLE_LISTS:
            return _map_problem(text)
        if name in NETWORK_LISTS:
            return _networks_problem(text)
        if name == "proxy_interfaces":
            return next(filter(None, map(address_problem, split_items(text))), "")
        if "$" in text:
            return ""
        if name in CHOICES and text:
            return _choice_problem(text, CHOICES[name])
        return self._kind_problem(name, text)

    def _kind_problem(self, name: str, text: str) -> str:
        kind = kind_of(name, self.defaults)
        if kind.name == BOOLEAN and text.lower() not in ("yes", "no"):
            near = _TRUTH.get(text.lower())
            return f'"{text}" is neither yes nor no; ' + (f"write {near}" if near else "write one of them")
        if kind.name == INTEGER and not is_number(text):
            return f'"{text}" is not a whole number; write digits only'
        if kind.name == TIME and seconds(text, kind.unit) is None:
            return (
                f'"{text}" is not a time; write digits followed by one of s, m, h, d, w, such as 5d '
                f"(without a unit, {kind.unit or 's'} is assumed)"
            )
        wanted = beyond(name, kind, text)
        return f'"{text}" is more or less than Postfix takes; write {wanted}' if wanted else ""


def address_problem(member: str) -> str:
    """What is wrong with a member of proxy_interfaces or inet_interfaces, which are addresses and names of hosts.

    Whether a name resolves is not known here.
    """
    bare = member.strip("[]")
    if "$" in member or _is_host_address(bare):
        return ""
    if "/" in member and _is_address(member):
        return f'"{member}" is a network, not an address'
    if _NUMERIC.match(bare) or not _HOST.match(bare):
        return f'"{member}" is neither an address nor the name of a host'
    return ""


def _is_host_address(text: str) -> bool:
    return "/" not in text and _is_address(text)


def takes_tables(name: str) -> bool:
    """Whether members of this parameter can be lookup tables."""
    return name in TABLE_LISTS or name.endswith(TABLE_ENDINGS)


def table_types(name: str, value: Value) -> list[str]:
    """The types of the lookup tables that the value of a parameter names, each once."""
    words = split_items(value_text(value))
    if name in RESTRICTION_LISTS:
        words = [after for before, after in zip(words, words[1:]) if ARGUMENTS.get(before.lower()) == TABLE]
    elif not takes_tables(name):
        return []
    return list(dict.fromkeys(found for word in words for found in _types_of(word)))


def _types_of(member: str) -> list[str]:
    match = _TABLE.match(member.lstrip("!"))
    if not match or _is_address(member):
        return []
    found = [match.group(1)]
    rest = member.lstrip("!")[match.end(1) + 1 :]
    if found[0] in _AROUND:
        return found + _types_of(rest)
    if found[0] in _AROUND_SEVERAL and rest.startswith("{") and rest.endswith("}"):
        for inner in split_items(rest[1:-1]):
            found += _types_of(inner)
    return found


def _is_address(member: str) -> bool:
    try:
        ipaddress.ip_interface(member.lstrip("!").replace("[", "").replace("]", ""))
    except ValueError:
        return False
    return True


def _map_problem(text: str) -> str:
    for member in split_items(text):
        if "$" not in member and ":" not in member and not member.startswith("{"):
            return f'"{member}" has no table type; write type:{member}, such as hash:{member}'
    return ""


def _choice_problem(text: str, choices: Sequence[str]) -> str:
    for word in split_items(text):
        if word.lower() not in choices:
            near = difflib.get_close_matches(word.lower(), choices, n=1)
            remedy = f'did you mean "{near[0]}"?' if near else "use one of them"
            return f'"{word}" is not one of {", ".join(choices)}; {remedy}'
    return ""


def _networks_problem(text: str) -> str:
    for member in split_items(text):
        found = _network_problem(member)
        if found:
            return found
    return ""


def _network_problem(member: str) -> str:
    """What is wrong with one member, "" for what is not an address: a host name, a file, a table, a `$name`."""
    body = member.lstrip("!")
    if not body:
        return f'"{member}" has nothing after it; write the member without a blank after "!"'
    if "$" in body or body.startswith("/"):
        return ""
    if body.startswith("["):
        return _bracketed_problem(member, body)
    if _DOTTED.match(body):
        return _strict_problem(member, body, body)
    if ":" in body and _is_address(body):
        address, slash, mask = body.partition("/")
        return f'"{member}" is read as a table; write [{address}]{slash}{mask}'
    return ""


def _bracketed_problem(member: str, body: str) -> str:
    address, closing, mask = body[1:].partition("]")
    if not closing or (mask and not mask.startswith("/")):
        return f'"{member}" is not a network; write an IPv6 network as [2001:db8::]/32'
    return _strict_problem(member, address + mask, "[{0}]{1}" if ":" in address else body)


def _strict_problem(member: str, plain: str, form: str) -> str:
    """`form` shows how the corrected network is written: brackets around an IPv6 address."""
    try:
        interface = ipaddress.ip_interface(plain)
    except ValueError as error:
        return f'"{member}" is not a network ({error}); write address/bits, such as 192.0.2.0/24'
    if "/" not in plain or interface.ip == interface.network.network_address:
        if "/" in plain and not plain.rpartition("/")[2].isdigit():
            return f'"{member}" has a mask that Postfix can\'t read; write {interface.network}'
        return ""
    network = interface.network
    right = form.format(network.network_address, f"/{network.prefixlen}") if "{" in form else str(network)
    return f'"{member}" has bits set beyond its mask; write {right}, or {interface.ip} for one host'
