# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries for internationalised domains in both of their forms. See idna for why, and for what is refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import islice

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import (
    PREFIX,
    Encode,
    Forms,
    canonical,
    forms,
    is_international,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits

# As many keys are looked at together, since most lists have nothing that is to be found.
_PIECE_KEYS = 1 << 15


class KeyForms:
    """The forms of keys such as `user@domain`, `@domain`, `domain` and `.domain`; each domain is asked once."""

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._known: dict[str, Forms] = {}

    def of(self, key: str) -> Forms:
        local, at, domain = key.rpartition("@")
        if domain not in self._known:
            self._known[domain] = forms(domain, self._encode)
        found = self._known[domain]
        return Forms(
            tuple(local + at + spelling for spelling in found.spellings),
            tuple(local + at + candidate for candidate in found.candidates),
        )

    def of_all(self, keys: Collection[str]) -> tuple[str, ...]:
        """The keys in all their forms."""
        return tuple(dict.fromkeys(spelling for key in keys for spelling in self.of(key).spellings))


def canonical_key(key: str) -> str:
    """The key with its domain's canonical spelling."""
    if key.isascii() and PREFIX not in key:
        return key
    local, at, domain = key.rpartition("@")
    return local + at + canonical(domain)


def with_both_forms(want: Edits, utf8: bool, encode: Encode) -> Edits:
    """`want` with every key in all forms in which mail can name it.

    Without `utf8` (smtputf8_enable) mail names a domain by its A-labels alone: `want` stays as it is, with a warning of
    each domain that no mail can name. Raises InvalidInput if the standards differ on a domain and its other form
    isn't given.
    """
    foreign = _international(want.set)
    if not utf8:
        return replace(want, warnings=_unheard(foreign))
    known = KeyForms(encode)
    return replace(
        want,
        set=_set_in_both_forms(want.set, foreign, known) if foreign else want.set,
        remove=known.of_all(want.remove),
        owned=known.of_all(want.owned),
        kept=known.of_all(want.kept),
        guards={spelling: guard for name, guard in want.guards.items() for spelling in known.of(name).spellings},
    )


def _set_in_both_forms(entries: Mapping[str, str], foreign: Collection[str], known: KeyForms) -> dict[str, str]:
    """The entries, those with a `foreign` key in all their forms."""
    all_forms = dict(entries)
    for key in foreign:
        found = known.of(key)
        if found.candidates and not any(candidate in entries for candidate in found.candidates):
            raise InvalidInput(
                f'"{key}" would be looked up in another form too, and IDNA2003 and IDNA2008 differ on that; '
                f"give the form that DNS has as well: {' or '.join(found.candidates)}"
            )
        for other in found.spellings[1:]:
            if all_forms.setdefault(other, entries[key]) != entries[key]:
                raise InvalidInput(
                    f'"{key}" and "{other}" are two forms of one domain with two values; give one of them, or one value'
                )
    return all_forms


def _international(keys: Collection[str]) -> list[str]:
    rest = iter(keys)
    pieces = iter(lambda: "\n".join(islice(rest, _PIECE_KEYS)), "")
    if all(piece.isascii() and PREFIX not in piece for piece in pieces):
        return []
    return [key for key in keys if (not key.isascii() or PREFIX in key) and is_international(key.rpartition("@")[2])]


def _unheard(keys: Collection[str]) -> tuple[str, ...]:
    """A warning of keys whose domain has a label that DNS can't have; by domain, since addresses are not for logs."""
    domains = dict.fromkeys(domain for domain in (key.rpartition("@")[2] for key in keys) if not domain.isascii())
    return tuple(
        f"mail never names {domain} in this form, since smtputf8_enable is no; "
        f"give it as DNS has it, such as {canonical(domain)}, or set smtputf8_enable = yes"
        for domain in domains
    )
