# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entries of a source: addresses, catch-alls, what is not mail, and what is no address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidValue
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import (
    domain_name,
    is_ordinary,
    recipient,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import EVERY_DOMAIN, Reading
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.plain_list import ordinary_addresses

_MAIL = "smtp:"
# As in proxyAddresses of Active Directory: X500, SIP, EUM and whatever else is no mail. No local part has a colon.
_TYPED = re.compile(r"[a-z0-9-]+:")
# Where an entry stands; its text is never shown.
PLACE = "the source"


def reading_of(
    entries: Iterable[str],
    skip_invalid: bool = False,
    default_domain: str = "",
    incomplete: Mapping[str, str] | None = None,
) -> Reading:
    """What a source said that has these entries: `a@d`, `smtp:a@d`, `@d` for a catch-all, a name of `default_domain`.

    An entry that is no address makes it incomplete for its domain, or for all if its domain can't be told, unless
    `skip_invalid`. What else makes it so is given by `incomplete`.
    """
    texts = entries if isinstance(entries, list) else list(entries)
    ordinary = _all_ordinary(texts)
    if ordinary is not None:
        return Reading(tuple(dict.fromkeys(ordinary)), incomplete=dict(incomplete or {}))
    found: dict[str, None] = {}
    invalid: dict[str, list[str]] = {}
    for text in texts:
        key = text.lower()
        if not is_ordinary(key):
            try:
                key = address_or_catch_all(text, default_domain)
            except InvalidValue as error:
                invalid.setdefault(_domain_of_invalid(text), []).append(error.problem)
                continue
        if key:
            found[key] = None
    catch_alls = frozenset(key[1:] for key in found if key.startswith("@"))
    why = {} if skip_invalid else {domain: _why(problems) for domain, problems in invalid.items()}
    return Reading(
        tuple(key for key in found if not key.startswith("@")),
        catch_alls,
        {**why, **(incomplete or {})},
        sum(map(len, invalid.values())) if skip_invalid else 0,
    )


def address_or_catch_all(text: str, default_domain: str = "") -> str:
    """The address that an entry is, or `@` and the domain of which it is a catch-all; empty if it is not mail at all.

    Raises InvalidValue.
    """
    value = text.strip().lower()
    if value.startswith(_MAIL):
        value = value[len(_MAIL) :]
    elif _TYPED.match(value):
        return ""
    if not value:
        return ""
    if value.startswith(("@", "*@")):
        return f"@{domain_name(value.partition('@')[2], PLACE)}"
    if default_domain and "@" not in value:
        value = f"{value}@{default_domain}"
    return recipient(value, PLACE)


def _all_ordinary(texts: list[str]) -> list[str] | None:
    """The entries in lower case if each is an address that is valid at a glance; else None."""
    joined = "\n".join(texts)
    if joined.count("\n") != len(texts) - 1 or not joined.isascii():
        return None
    found = ordinary_addresses(joined.encode())
    return found if found is not None and len(found) == len(texts) else None


def _domain_of_invalid(text: str) -> str:
    """The domain that an entry which is no address would be in; EVERY_DOMAIN if that can't be told."""
    value = text.strip()
    quoted = value.startswith('"')
    local, sign, domain = value.rpartition('"@' if quoted else "@")
    if sign and (quoted or "@" not in local):
        with suppress(InvalidValue):
            return domain_name(domain, PLACE)
    return EVERY_DOMAIN


def _why(problems: list[str]) -> str:
    remedy = "correct it at the source, or give the source default_domain or skip_invalid"
    if len(problems) == 1:
        return f"an entry {problems[0]}; {remedy}"
    return f"{len(problems)} entries are not addresses (the first {problems[0]}); {remedy}"
