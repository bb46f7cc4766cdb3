# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries for internationalised domains in both of their forms. See idna for why, and for what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Collection

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import PREFIX, Forms, forms, is_international
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.table import Edits


def key_forms(key: str) -> Forms:
    """The forms of a key: of the domain in `user@domain`, `@domain`, `domain` or `.domain`."""
    local, at, domain = key.rpartition("@")
    found = forms(domain)
    return Forms(
        tuple(local + at + one for one in found.spellings), tuple(local + at + one for one in found.candidates)
    )


def canonical(domain: str) -> str:
    """One spelling for all that are the same domain: the A-labels, where the standards agree on them."""
    return next((one for one in forms(domain).spellings if one.isascii()), domain)


def canonical_key(key: str) -> str:
    """The key with its domain's canonical spelling."""
    if key.isascii() and PREFIX not in key:
        return key
    local, at, domain = key.rpartition("@")
    return local + at + canonical(domain)


def with_both_forms(want: Edits, utf8: bool) -> tuple[Edits, list[str]]:
    """`want` with every key in all forms in which mail can name it, and warnings of keys that no mail can name.

    Without `utf8` (smtputf8_enable) mail names a domain by its A-labels alone, and `want` stays as it is. Raises
    InvalidInput where the standards differ on a domain and its other form isn't given.
    """
    foreign = _international(want.set)
    if not utf8:
        return want, _unheard(foreign)
    set_ = dict(want.set) if foreign else want.set
    for key in foreign:
        found = key_forms(key)
        if found.candidates and not any(one in want.set for one in found.candidates):
            raise InvalidInput(
                f'"{key}" would be looked up in another form too, and IDNA2003 and IDNA2008 differ on that; '
                f"give the form that DNS has as well: {' or '.join(found.candidates)}"
            )
        for other in found.spellings[1:]:
            if set_.setdefault(other, want.set[key]) != want.set[key]:
                raise InvalidInput(
                    f'"{key}" and "{other}" are two forms of one domain with two values; give one of them, or one value'
                )
    return replace(want, set=set_, remove=_in_all_forms(want.remove), owned=_in_all_forms(want.owned)), []


def _international(keys: Collection[str]) -> list[str]:
    return [key for key in keys if (not key.isascii() or PREFIX in key) and is_international(key.rpartition("@")[2])]


def _in_all_forms(keys: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for key in keys for one in key_forms(key).spellings))


def _ascii(found: Forms) -> list[str]:
    return [one for one in (*found.spellings[1:], *found.candidates) if one.isascii()]


def _unheard(keys: Collection[str]) -> list[str]:
    """A warning of keys whose domain has a label that DNS can't have; by domain, since addresses are not for logs."""
    domains = {domain: forms(domain) for domain in (key.rpartition("@")[2] for key in keys) if not domain.isascii()}
    return [
        f"smtputf8_enable is no, so that mail never names {domain} in this form; "
        f"give it as {' or '.join(_ascii(found))}, or set smtputf8_enable = yes"
        for domain, found in domains.items()
    ]
