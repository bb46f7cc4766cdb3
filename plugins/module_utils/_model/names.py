# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail domains, recipient addresses and nexthops as Postfix looks them up.

Every function takes what a person wrote and the `place` where it stands, such as `domains[0].recipients[2]`, and
either returns the text that belongs in a table or raises InvalidInput with the value, the place and the remedy.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, InvalidValue

SHOWN_CHARACTERS = 120
LABEL_LENGTH = 63
NAME_LENGTH = 253
# Whom the settings of these names add to each list (RFC 2142).
ROLES = ("postmaster", "abuse")
JOINERS = "\u200c\u200d"
# The characters of RFC 5322's atext; everything from U+0080 on is atext as well (RFC 6531). These sets name what is not
# in them: to compile one that names everything from U+0080 on takes longer than all else of this file.
_ATOM = re.compile(r'[^\x00-\x20"(),.:;<>@\[\\\]\x7f]+')
_DOT_ATOM = re.compile(_ATOM.pattern + r"(?:\." + _ATOM.pattern + r")*")
# Postfix takes addresses such as `first..last@` and `name.@`, which RFC 5322 does not; they exist, so they are valid.
_UNQUOTED = re.compile(r'[^\x00-\x20"(),:;<>@\[\\\]\x7f]+')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_LABEL_END = r"[^\x00-/:-@\[-^`{-\x7f]"
_LABEL = re.compile(rf"{_LABEL_END}(?:[^\x00-,./:-@\[-^`{{-\x7f]*{_LABEL_END})?")
# What most addresses are, to make long lists fast; it must accept nothing that the checks below refuse.
_ORDINARY = re.compile(r"[a-z0-9_+=][a-z0-9_+=.-]*@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63})")
# What stands for any text in SQL, in a shell and in regular expressions.
_WILDCARD = re.compile(r"(?:%|\?|\.\+)@.*|/.*/")
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Cn", "Zs", "Zl", "Zp"})
_SERVICE = re.compile(r"[A-Za-z0-9_.-]+")
_BRACKETED = re.compile(r"\[([^\[\]]*)\](?::(.*))?")
_BETWEEN_HOPS = re.compile(r"[\s,]+")
# As host_port(3) of Postfix takes them apart; a host name is what valid_hostname(3) takes for one.
_HOP = re.compile(r"(?:\[([^\[\]]+)\]|([^\[\]:]+))(?::([A-Za-z0-9_-]*))?")
# What services(5) calls ports on which mail hosts take mail; without a name it is that of smtp(8).
_PORTS = {"": 25, "smtp": 25, "lmtp": 24, "submission": 587, "submissions": 465, "smtps": 465}
_HOSTNAME = re.compile(r"(?:(?:(?!-)[^\x00-,./:-@\[-^`{-\x7f]{1,63}(?<!-))(?:\.(?!$)|$))+")


def shown(value: object) -> str:
    """The value in one line of plain text, so that a newline or a control character can be seen.

    What a list, a mapping or a long text holds may be many people's addresses, and is not shown.
    """
    if not isinstance(value, str):
        return value_kind(value)
    left_out = "..." if len(value) > SHOWN_CHARACTERS else ""
    return '"' + "".join(map(_shown_character, value[:SHOWN_CHARACTERS])) + left_out + '"'


def value_kind(value: object) -> str:
    """What a value is instead of what it should be, without what it holds."""
    if value is None:
        return "null"
    if isinstance(value, (Mapping, list, tuple)):
        return "a mapping" if isinstance(value, Mapping) else "a list"
    return "text" if isinstance(value, str) else repr(value)


def _shown_character(character: str) -> str:
    printable = character == " " or unicodedata.category(character) not in _UNPRINTABLE
    return character if printable else repr(character)[1:-1]


def invalid(value: object, place: str, problem: str, remedy: str, part: str = "") -> InvalidValue:
    """The error every check of a value raises: what, where, why, and what to do.

    Neither `problem` quotes anything of the value nor does it say which `part` of it is wrong.
    """
    of_part = f' ("{part}")' if part else ""
    return InvalidValue(f"{shown(value)} ({place}) {problem}{of_part}; {remedy}", problem)


def plain_text(value: object, place: str, what: str) -> str:
    """`value` when it is a string of at least one character and no control character. Raises InvalidInput."""
    if value is None:
        raise InvalidInput(f"{place} is null; give {what}")
    if not isinstance(value, str):
        raise invalid(value, place, f"is not {what}", "write it as a string")
    if value == "":
        raise invalid(value, place, "is empty", f"give {what}")
    if value.isascii() and value.isprintable():
        return value
    for character in value:
        category = unicodedata.category(character)
        if category in ("Cc", "Cs", "Cn", "Zl", "Zp") or (category == "Cf" and character not in JOINERS):
            kind = "a newline" if character in "\n\r\u2028\u2029" else "a control character"
            raise invalid(value, place, f"contains {kind}", "remove it")
    return value


def _no_white_space(value: str, place: str, remedy: str) -> None:
    if value.split() != [value]:
        raise invalid(value, place, "contains white space", remedy)


def domain_name(text: object, place: str, allow_subdomains: bool = False) -> str:
    """The domain in lower case. With `allow_subdomains` it may have the one leading dot of transport(5)."""
    value = plain_text(text, place, "a domain name")
    _no_white_space(value, place, "write one domain name, without spaces")
    if value.startswith("#"):
        raise invalid(value, place, "starts with #, which makes a comment in a table", "remove the #")
    if "@" in value:
        raise invalid(value, place, "contains an @", "give the domain alone, without the local part")
    name = value
    if name.startswith("."):
        if not allow_subdomains:
            raise invalid(value, place, "starts with a dot", f'write "{value.lstrip(".")}"')
        name = name[1:]
    if name.endswith("."):
        raise invalid(value, place, "ends with a dot, which Postfix never matches", f'write "{value.rstrip(".")}"')
    _check_labels(value, name, place)
    return value.lower()


def domain_names(values: Iterable[object], place: str) -> list[str]:
    """Each of the domains as domain_name gives it."""
    return [domain_name(value, f"{place}[{index}]") for index, value in enumerate(values)]


def _check_labels(value: str, name: str, place: str) -> None:
    labels = name.split(".")
    if "" in labels:
        raise invalid(value, place, "has an empty part between its dots", "correct the domain name")
    if len(name) > NAME_LENGTH:
        raise invalid(value, place, f"is longer than {NAME_LENGTH} characters", "correct the domain name")
    for label in labels:
        if len(label) > LABEL_LENGTH:
            raise invalid(value, place, f"has a part of more than {LABEL_LENGTH} characters", "correct the domain name")
        if not _LABEL.fullmatch(label):
            raise invalid(value, place, "is not a domain name", "correct it", label)
    if labels[-1].isascii() and labels[-1].isdigit():
        raise invalid(value, place, "is a number or an IP address, not a domain name", "give the domain's name")


def is_ordinary(text: str) -> bool:
    """Whether this is an address that is valid and the key that Postfix looks up at a glance, as most are."""
    match = _ORDINARY.fullmatch(text)
    return match is not None and len(match.group(1)) <= NAME_LENGTH


def address(text: object, place: str) -> str:
    """A recipient's full address as the key Postfix looks up, in lower case.

    A quoted local part keeps its quotes where it needs them (`"bob smith"@x.example`) and loses them where it doesn't,
    as Postfix itself writes the address before it looks it up.
    """
    if isinstance(text, str) and is_ordinary(text):
        return str(text)
    value = plain_text(text, place, "a full address")
    if value.startswith("#"):
        raise invalid(value, place, "starts with #, which makes a comment in a table", "remove the #")
    local, domain = _split_address(value, place)
    return f"{local.lower()}@{domain_name_of(value, domain, place)}"


def recipient(text: object, place: str) -> str:
    """Like address, but also raises InvalidInput for a pattern, and for an address whose mail Postfix refuses.

    By its defaults smtpd answers 554 to a local part that names a route, and 501 to one that looks like an option of a
    command, whatever the table of recipients lists.
    """
    if isinstance(text, str) and is_ordinary(text):
        return str(text)
    if isinstance(text, str) and ("*" in text.rpartition("@")[0] or text == "*" or _WILDCARD.fullmatch(text)):
        raise invalid(
            text,
            place,
            "is a pattern, and a table of recipients holds whole addresses",
            "list them; to accept every address of a domain give it recipients_policy: any",
        )
    key = address(text, place)
    local = key.rpartition("@")[0].lstrip('"')
    if local.startswith("-"):
        raise invalid(text, place, "starts with -, so Postfix refuses its mail (allow_min_user)", "remove the address")
    route = next((character for character in local if character in "%!@"), "")
    if route:
        problem = f"has a {route} in its local part, which names a route, so Postfix refuses its mail"
        raise invalid(text, place, f"{problem} (allow_untrusted_routing)", "remove the address")
    return key


def domain_name_of(value: str, domain: str, place: str) -> str:
    """`domain` checked as domain_name does, but the error shows the whole `value` that it comes from."""
    try:
        return domain_name(domain, place)
    except InvalidValue as error:
        message = error.message.replace(shown(domain), shown(value), 1)
        local = value[: -len(domain)] if value.endswith(f"@{domain}") else ""
        raise InvalidValue(message.replace('write "', f'write "{local}', 1), error.problem) from None


def addresses_by_domain(given: Mapping[str, object], place: str) -> dict[str, str]:
    """The one address that is given for each domain; a domain without one is left out."""
    return {domain_name(name, place): address(value, f"{place}[{name}]") for name, value in given.items() if value}


def _split_address(value: str, place: str) -> tuple[str, str]:
    quoted = _QUOTED.match(value)
    if quoted:
        local, rest = quoted.group(0), value[quoted.end() :]
        if not rest.startswith("@"):
            raise invalid(value, place, "has no @ after its quoted local part", "give a full address")
        domain = rest[1:]
        plain = re.sub(r"\\(.)", r"\1", quoted.group(1))
        if plain == "":
            raise invalid(value, place, "has an empty local part", "give a full address")
        if _DOT_ATOM.fullmatch(plain):
            local = plain
            if local.startswith("#"):
                raise invalid(value, place, "starts with #, which makes a comment in a table", "remove the address")
            _no_white_space(local, place, "correct it")
    else:
        _no_white_space(value, place, "quote the local part or correct it")
        if value.count("@") == 0:
            raise invalid(value, place, "has no @", "give a full address, such as name@domain.example")
        if value.count("@") > 1:
            raise invalid(value, place, "has more than one @", "give one address, or quote the local part")
        local, domain = value.split("@")
        if local == "":
            raise invalid(
                value,
                place,
                "has no local part",
                "give a full address; to accept every address of a domain give it recipients_policy: any",
            )
        if needs_quotes(local):
            raise invalid(value, place, "has characters in its local part that need quotes", "quote it or correct it")
    if "@" in domain:
        raise invalid(value, place, "has more than one @", "give one address")
    if domain == "":
        raise invalid(value, place, "has no domain", "give a full address, such as name@domain.example")
    return local, domain


def needs_quotes(local_part: str) -> bool:
    """Whether a local part, as it is without quotes, stands in an address only with them."""
    return not _UNQUOTED.fullmatch(local_part)


def is_somebody(key: str) -> bool:
    """Whether a key of a table of recipients is a person's address, and neither `@domain` nor that of a role.

    Those come and go by what is declared of the domain.
    """
    return key.rpartition("@")[0] not in ("", *ROLES)


def domain_of(address_text: str) -> str:
    """The domain of a valid address or of an `@domain` row; "" if there is no @."""
    return address_text.rpartition("@")[2] if "@" in address_text else ""


def bare_host(nexthop_text: str) -> str:
    """The host in a nexthop, without brackets, port and the `ipv6:` of an address, in lower case."""
    text = nexthop_text.strip().lower()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    if text.startswith("ipv6:"):
        return text[5:]
    return text.partition(":")[0] if text.count(":") == 1 else text


def hops_of(nexthop_text: str) -> list[str]:
    """The hosts of a nexthop in the order in which smtp(8) tries them, each as it is written."""
    return [hop for hop in _BETWEEN_HOPS.split(nexthop_text.strip()) if hop]


def is_hop(text: str) -> bool:
    """Whether smtp(8) can connect to it. If not, it stops with a fatal error, and with it all mail of its service."""
    found = _HOP.fullmatch(text)
    if found is None:
        return False
    host, port = found.group(1) or found.group(2), found.group(3) or ""
    if port.isdigit() and not 1 <= int(port) <= 65535:
        return False
    # What services(5) of the host calls a port can't be told here; `relay:host` is no port of a host.
    if not port.isdigit() and port not in _PORTS and not (found.group(1) or "." in host):
        return False
    if _HOSTNAME.fullmatch(host) and not host.replace(".", "").isdigit():
        return True
    with suppress(ValueError):
        return bool(ipaddress.ip_address(host[5:] if host.lower().startswith("ipv6:") else host))
    return False


def port_of_hop(text: str) -> int:
    """The port to which smtp(8) connects; that of smtp where only services(5) of the host could tell."""
    behind = text.rpartition("]")[2]
    port = behind.rpartition(":")[2] if behind.count(":") == 1 else ""
    return int(port) if port.isdigit() else _PORTS.get(port, _PORTS[""])


def nexthops(hosts: Sequence[str], port: int | None, mx_lookup: bool, place: str) -> str:
    """Like nexthop, for several hosts; the port is that of those which are written without one."""
    if len(hosts) < 2:
        return nexthop("".join(hosts), port, mx_lookup, place)
    found = [
        nexthop(host, None if _has_port(host) else port, mx_lookup, f"{place}[{index}]")
        for index, host in enumerate(hosts)
    ]
    twice = [hop for index, hop in enumerate(found) if hop in found[:index]]
    if twice:
        raise InvalidInput(f"{place} has {twice[0]} twice; name each host once")
    return ",".join(found)


def _has_port(host: str) -> bool:
    bracketed = _BRACKETED.fullmatch(host)
    return bool(bracketed and bracketed.group(2))


def nexthop(text: object, port: int | None, mx_lookup: bool, place: str) -> str:
    """What follows `transport:` in a table, in the form of transport(5) and smtp(8).

    A host name or an address is bracketed, which turns the MX lookup off, unless `mx_lookup`. An empty text leaves
    the nexthop to the transport and is returned as it is.
    """
    if text in (None, ""):
        if port is not None:
            raise InvalidInput(f"{place}: port {port} is given without a nexthop; give the nexthop or remove the port")
        return ""
    value = plain_text(text, place, "a host name or an IP address")
    _no_white_space(value, place, "give one host name or IP address")
    host, written_port = value, None
    bracketed = _BRACKETED.fullmatch(value)
    if bracketed:
        if mx_lookup:
            raise invalid(value, place, "is in brackets, which turn the MX lookup off", "remove them or mx_lookup")
        host, written_port = bracketed.group(1), bracketed.group(2)
    number = _port(value, port, written_port, place)
    return _host(value, host, mx_lookup, place) + ("" if number is None else f":{number}")


def _port(value: str, port: int | None, written: str | None, place: str) -> int | None:
    if written is not None:
        if not (written.isascii() and written.isdigit()):
            raise invalid(value, place, "has a port that is not a number", "write [host]:port")
        if port is not None and port != int(written):
            raise invalid(value, place, f"has a port that differs from the option port ({port})", "give the port once")
        port = int(written)
    if port is not None and not 1 <= port <= 65535:
        raise invalid(value, place, f"has the port {port}", "give a port from 1 to 65535")
    return port


def _host(value: str, host: str, mx_lookup: bool, place: str) -> str:
    literal = host[5:] if host.lower().startswith("ipv6:") else host
    try:
        ip = ipaddress.ip_address(literal)
    except ValueError:
        if literal is not host or ":" in host or "[" in host or "]" in host:
            raise invalid(
                value,
                place,
                "is not a host name, an IP address or [host]:port",
                "give the host alone and its port in the option port",
            ) from None
        name = domain_name_of(value, host, place) if host else ""
        if not name:
            raise invalid(value, place, "has nothing in its brackets", "give a host name or an IP address") from None
        return name if mx_lookup else f"[{name}]"
    if mx_lookup:
        raise invalid(value, place, "is an IP address, which has no MX record", "remove mx_lookup or give a name")
    return f"[{ip}]" if ip.version == 4 else f"[ipv6:{ip}]"


def transport_result(transport: Any, nexthop_text: object, port: int | None, mx_lookup: bool, place: str) -> str:
    """The right-hand side of a transport row, such as `relay:[mail.example]:2525`, or `relay:` without a nexthop.

    `place` is that of the entry, such as `entries[2]`; the errors add `.transport` or `.nexthop`.
    """
    service = plain_text(transport, f"{place}.transport", "the name of a service of master.cf")
    if not _SERVICE.fullmatch(service):
        raise invalid(service, f"{place}.transport", "is not the name of a service of master.cf", "correct it")
    return f"{service}:{nexthop(nexthop_text, port, mx_lookup, f'{place}.nexthop')}"
