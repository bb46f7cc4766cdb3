# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a source of recipients is declared: its type, and the options that each type has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Callable
from urllib.parse import SplitResult, urlsplit

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import stays_here
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_name, value_kind
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.formats import (
    ATTRIBUTES,
    CSV,
    FORMATS,
    LINES,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import as_list

POSTFIX = "postfix"
DOVECOT = "dovecot"
FILE = "file"
LDAP = "ldap"
SQL = "sql"
HTTP = "http"
TYPES = (POSTFIX, DOVECOT, FILE, LDAP, SQL, HTTP)

# Where a source is read: the host of the inventory, or this one.
CONTROLLER = "localhost"
COMMON = ("type", "host", "timeout", "skip_invalid", "default_domain")
OPTIONS = {
    POSTFIX: ("config_directory", "covered"),
    DOVECOT: (),
    FILE: ("path", "format", "column", "delimiter", "attributes"),
    LDAP: ("uri", "start_tls", "ca_file", "bind_dn", "bind_password", "bases", "filter", "attributes", "page_size"),
    SQL: ("engine", "database", "server", "port", "user", "password", "query", "ca_file"),
    HTTP: (
        "url",
        "format",
        "addresses",
        "column",
        "delimiter",
        "headers",
        "token",
        "login",
        "next_link",
        "next_token",
        "ca_file",
    ),
}
SECRETS = ("bind_password", "password", "token", "headers", "login")
REQUIRED = {
    POSTFIX: (),
    DOVECOT: (),
    FILE: ("path",),
    LDAP: ("uri", "bases"),
    SQL: ("engine", "database", "query"),
    HTTP: ("url",),
}
# What a source of these types says is of the host that it is read on, so that there is no default for it.
ON_THEIR_HOST = (POSTFIX, DOVECOT)
SQLITE = "sqlite"
ENGINES = (SQLITE, "postgresql", "mysql")
JSON = "json"
HTTP_FORMATS = (JSON, CSV, LINES)
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    POSTFIX: {"config_directory": "/etc/postfix", "covered": {}},
    DOVECOT: {},
    FILE: {"format": "lines", "attributes": list(ATTRIBUTES)},
    LDAP: {"start_tls": False, "attributes": list(ATTRIBUTES), "page_size": 500},
    SQL: {},
    HTTP: {"format": JSON, "headers": {}},
}
_EVERY_DEFAULT = {"timeout": 60, "skip_invalid": False, "default_domain": ""}
_FLAGS = {"true": True, "yes": True, "false": False, "no": False}
_NAME = re.compile(r"[^\s,;]+")
_SELECT = re.compile(r"\s*(?:select|with)\b", re.IGNORECASE)


def declared_sources(given: object, place: str) -> dict[str, dict[str, Any]]:
    """The sources by name, each complete and with its `host`. Raises InvalidInput."""
    if given in (None, ""):
        return {}
    if not isinstance(given, Mapping):
        raise InvalidInput(f"{place} is {value_kind(given)}, not a mapping; write each source below its name")
    found = {}
    for name, source in given.items():
        if not _NAME.fullmatch(str(name)):
            raise InvalidInput(f'{place} has a source "{name}"; give it a name without white space and commas')
        here = f"{place}.{name}"
        definition = source_definition(source, here)
        host = _text(source.get("host") or "", f"{here}.host")
        if not host and definition["type"] in ON_THEIR_HOST:
            raise InvalidInput(f"{here} has no host; name the host of the inventory on which it is read")
        found[str(name)] = dict(definition, host=host or CONTROLLER)
    return found


def source_definition(given: object, place: str = "source") -> dict[str, Any]:
    """The options of one source, without its host, checked and with their defaults. Raises InvalidInput.

    Options that are null or empty text are not given, as survey answers and modules have them.
    """
    if not isinstance(given, Mapping):
        raise InvalidInput(f"{place} is {value_kind(given)}, not a mapping; give its type and options")
    kind = given.get("type")
    if kind not in TYPES:
        said = "has no type" if kind in (None, "") else "has a type that does not exist"
        raise InvalidInput(f"{place} {said}; give one of {', '.join(TYPES)}")
    options = {name: value for name, value in given.items() if value not in (None, "") and name not in ("type", "host")}
    _refuse_others(options, kind, place)
    checked = {name: _CHECKS.get(name, _text)(value, f"{place}.{name}") for name, value in options.items()}
    missing = [name for name in REQUIRED[kind] if not checked.get(name)]
    if missing:
        raise InvalidInput(f"{place} has no {missing[0]}, which a source of type {kind} needs; give it")
    definition = {"type": kind, **_EVERY_DEFAULT, **DEFAULTS[kind], **checked}
    check = _CHECK_TYPE.get(kind)
    if check:
        check(definition, place)
    return definition


def _refuse_others(options: Mapping[str, Any], kind: str, place: str) -> None:
    """Raises InvalidInput for an option that no source of the type has."""
    for name in options:
        if name in COMMON or name in OPTIONS[kind]:
            continue
        owners = [other for other in TYPES if name in OPTIONS[other]]
        if owners:
            raise InvalidInput(f"{place} has {name}, an option of type {' and '.join(owners)}, not {kind}; remove it")
        raise InvalidInput(f"{place} has {name}, which is no option; one of type {kind} has {', '.join(_of(kind))}")


def _of(kind: str) -> list[str]:
    return [*OPTIONS[kind], *COMMON]


def _text(value: object, place: str) -> str:
    if isinstance(value, (Mapping, list, tuple, bool)):
        raise InvalidInput(f"{place} is {value_kind(value)}, not text; write it as text")
    return str(value)


def _flag(value: object, place: str) -> bool:
    found = _FLAGS.get(str(value).lower())
    if found is None:
        raise InvalidInput(f"{place} is neither true nor false; write one of them")
    return found


def _number(value: object, place: str) -> int:
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()) or not 0 < int(text) < 1 << 31:
        raise InvalidInput(f"{place} is not a number from 1 on; correct it")
    return int(text)


def _column(value: object, place: str) -> str:
    text = _text(value, place).strip()
    if text in ("", "0"):
        raise InvalidInput(f"{place} is not a column; give its name in the first row, or its number from 1 on")
    return text


def _delimiter(value: object, place: str) -> str:
    text = _text(value, place)
    if len(text) != 1 or text in '"\r\n':
        raise InvalidInput(f"{place} is not one character; give that which is between two columns")
    return text


def _list(value: object, place: str) -> list[str]:
    """A list of texts, or one a line: those of directories have commas."""
    found = as_list(value, place, lambda text: text.split("\n"), "write one an item")
    texts = [_text(item, f"{place}[{number}]").strip() for number, item in enumerate(found)]
    return [text for text in texts if text]


def _texts(value: object, place: str) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{place} is {value_kind(value)}, not a mapping; write each below its name")
    return {str(name): _text(item, f"{place}.{name}") for name, item in value.items()}


def _login(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, Mapping) or set(value) != {"url", "form"}:
        raise InvalidInput(f"{place} is not a mapping of url and form; give these two")
    _refuse_plain_http(str(value["url"]), f"{place}.url")
    return {"url": str(value["url"]), "form": _texts(value["form"], f"{place}.form")}


def _next_token(value: object, place: str) -> dict[str, str]:
    if not isinstance(value, Mapping) or set(value) != {"place", "parameter"}:
        raise InvalidInput(f"{place} is not a mapping of place and parameter; give these two")
    return _texts(value, place)


_CHECKS: Mapping[str, Callable[[object, str], Any]] = {
    "timeout": _number,
    "skip_invalid": _flag,
    "default_domain": domain_name,
    "covered": _texts,
    "column": _column,
    "delimiter": _delimiter,
    "attributes": _list,
    "start_tls": _flag,
    "bases": _list,
    "page_size": _number,
    "port": _number,
    "addresses": _list,
    "headers": _texts,
    "login": _login,
    "next_token": _next_token,
}


def _choice(definition: Mapping[str, Any], name: str, choices: tuple[str, ...], place: str) -> None:
    if definition[name] not in choices:
        raise InvalidInput(f"{place}.{name} is not one of {', '.join(choices)}; correct it")


def _check_file(definition: Mapping[str, Any], place: str) -> None:
    _choice(definition, "format", FORMATS, place)
    _check_columns(definition, place)


def _check_columns(definition: Mapping[str, Any], place: str) -> None:
    extra = [name for name in ("column", "delimiter") if name in definition]
    if extra and definition["format"] != CSV:
        raise InvalidInput(f"{place} has {extra[0]}, but its format is {definition['format']}; give format: {CSV}")


def _check_ldap(definition: Mapping[str, Any], place: str) -> None:
    where = _url(definition["uri"], f"{place}.uri", ("ldaps", "ldap", "ldapi"))
    if where.scheme == "ldap" and not definition["start_tls"] and not _is_here(where.hostname):
        raise InvalidInput(
            f"{place}.uri is ldap://, by which passwords and addresses travel in the clear; "
            "write ldaps://, or give start_tls: true"
        )
    if where.scheme != "ldap" and definition["start_tls"]:
        raise InvalidInput(f"{place} has start_tls, but its uri is {where.scheme}://; remove start_tls")
    if bool(definition.get("bind_dn")) != bool(definition.get("bind_password")):
        raise InvalidInput(f"{place} has one of bind_dn and bind_password; give both, or none for an anonymous bind")


def _check_sql(definition: Mapping[str, Any], place: str) -> None:
    _choice(definition, "engine", ENGINES, place)
    if not _SELECT.match(definition["query"]):
        raise InvalidInput(f"{place}.query does not begin with SELECT or WITH; give a query that only reads")
    extra = [name for name in ("server", "port", "user", "password", "ca_file") if name in definition]
    if definition["engine"] == SQLITE and extra:
        raise InvalidInput(f"{place} has {extra[0]}, but sqlite has no server; remove it")


def _check_http(definition: Mapping[str, Any], place: str) -> None:
    _choice(definition, "format", HTTP_FORMATS, place)
    _refuse_plain_http(definition["url"], f"{place}.url")
    _check_columns(definition, place)
    if definition["format"] == JSON and not definition.get("addresses"):
        raise InvalidInput(f"{place} has no addresses; say where they are in the document, such as data[].mail")
    extra = [name for name in ("addresses", "next_link", "next_token") if name in definition]
    if definition["format"] != JSON and extra:
        raise InvalidInput(f"{place} has {extra[0]}, but its format is {definition['format']}; give format: {JSON}")
    for first, second in (("token", "login"), ("next_link", "next_token")):
        if first in definition and second in definition:
            raise InvalidInput(f"{place} has both {first} and {second}; give one of them")


_CHECK_TYPE: Mapping[str, Callable[[Mapping[str, Any], str], None]] = {
    FILE: _check_file,
    LDAP: _check_ldap,
    SQL: _check_sql,
    HTTP: _check_http,
}


def _refuse_plain_http(text: str, place: str) -> None:
    where = _url(text, place, ("https", "http"))
    if where.scheme == "http" and not _is_here(where.hostname):
        raise InvalidInput(
            f"{place} is http://, by which tokens and addresses travel in the clear; write https://, "
            "or http:// to this host itself"
        )


def _url(text: str, place: str, schemes: tuple[str, ...]) -> SplitResult:
    """The URL taken apart. Raises InvalidInput, which does not show it: it may hold a secret."""
    try:
        where = urlsplit(text)
        host, _port = where.hostname, where.port
    except ValueError:
        raise InvalidInput(f"{place} is not a URL; correct it") from None
    if where.scheme not in schemes or not (host or where.scheme == "ldapi"):
        raise InvalidInput(f"{place} is not a URL of {' or '.join(f'{scheme}://' for scheme in schemes)}; correct it")
    if "@" in where.netloc:
        raise InvalidInput(f"{place} has a name or a password in it; give them by the options for them")
    return where


def _is_here(host: str | None) -> bool:
    return host == "localhost" or stays_here(host or "")
