# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The patterns of a regexp table that match every address of a domain's subdomains. See regexp_table(5).

An indexed table has no rows that match subdomains. What is declared below the domain has rows of its own, and is left
out: the first table that knows an address decides, so a pattern would make its list void.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import lookup_keys

_ANY_LABEL = "[^.@]"
# No name of a domain has a parenthesis, or a plus sign.
_OURS = re.compile(r"/@(?:\[\^@\]\+|\(.*\))\\\.([^()+]+)\$/")
# By these fields a report names a recipient: as the mail was to be delivered, and as it came. See RFC 3464, RFC 6533.
_REPORTED = "/^(Final|Original)-Recipient: *(rfc822|utf-8); *.*@"
_EITHER_CASE = re.compile(r"\(([^\x00-\x7f])\|[^\x00-\x7f]\)")
_OF_REPORT = re.compile(re.escape(_REPORTED) + r"(?:\(.*\\\.\)\?)?([^()+]+)\$/")


@dataclass
class _LabelTree:
    """Labels by what stands to the right of them; `left_out` are those of a name that is left out, with all below."""

    left_out: bool = False
    further: dict[str, _LabelTree] = field(default_factory=dict)


def report_patterns(domains: Iterable[tuple[str, bool]], declared: Collection[str]) -> list[str]:
    """What matches a line of a report by which a recipient of the domain is told, for each domain.

    With each domain goes whether its subdomains count, but those declared, and what is below them.
    """
    found = []
    for name, subdomains in domains:
        below = f"({_others(_tree(name, declared))}\\.)?" if subdomains else ""
        found.append(f"{_REPORTED}{below}{_in_either_case(name)}$/")
    return found


def domain_of_report_pattern(pattern: str) -> str:
    """The domain that such a pattern is for; "" for any other text."""
    match = _OF_REPORT.fullmatch(_EITHER_CASE.sub(r"\1", pattern))
    return match.group(1).replace("\\.", ".") if match else ""


def subdomain_pattern(name: str, declared: Iterable[str] = ()) -> str:
    """The pattern for all subdomains of a domain but those declared, and what is below them."""
    return f"/@{_others(_tree(name, declared))}{_suffix(name)}"


def _tree(name: str, declared: Iterable[str]) -> _LabelTree:
    """What of the subdomains is left out."""
    tree = _LabelTree()
    for other in declared:
        # A bracket expression is one of bytes, by which letters beyond ASCII can not be told apart.
        if other.isascii() and other.endswith("." + name):
            place = tree
            for label in reversed(other[: -len(name) - 1].split(".")):
                place = place.further.setdefault(label, _LabelTree())
            place.left_out = True
    return tree


def subdomain_patterns(names: Iterable[str], declared: Iterable[str]) -> list[str]:
    """The pattern of each of these domains, in their order."""
    below: dict[str, list[str]] = {name: [] for name in names}
    for other in declared:
        for parent in lookup_keys(other, True)[1:]:
            if parent in below:
                below[parent].append(other)
    return [subdomain_pattern(name, others) for name, others in below.items()]


def domain_of_pattern(pattern: str) -> str:
    """The domain whose subdomains this pattern of ours is for, whatever it leaves out; "" for any other text."""
    match = _OURS.fullmatch(pattern)
    return match.group(1).replace("\\.", ".") if match else ""


def patterns_by_domain(
    rows: Iterable[str], domain_of: Callable[[str], str] = domain_of_pattern
) -> dict[str, list[str]]:
    """The patterns of ours among the rows, by the domains that `domain_of` knows them for."""
    found: dict[str, list[str]] = {}
    for pattern in rows:
        found.setdefault(domain_of(pattern), []).append(pattern)
    found.pop("", None)
    return found


def _suffix(name: str) -> str:
    return "\\." + _escaped(name) + "$/"


def _escaped(name: str) -> str:
    return name.replace(".", "\\.")


def _in_either_case(name: str) -> str:
    """The name, each letter beyond ASCII in both cases: regular expressions know only those of ASCII."""
    return "".join(_both(letter) for letter in _escaped(name))


def _both(letter: str) -> str:
    other = letter.upper() if not letter.isascii() else letter
    return letter if other == letter or len(other) != 1 else f"({letter}|{other})"


def _others(names: _LabelTree) -> str:
    """What matches any labels left of a suffix, but none that is left out."""
    if not names.further:
        return "[^@]+"
    kept = {label: below for label, below in names.further.items() if not below.left_out}
    found = [rf"([^@]+\.)?{_word_beside(sorted(names.further))}"]
    for label, below in sorted(kept.items()):
        found.append(f"({_others(below)}\\.)?{label}")
    return f"({'|'.join(found)})"


def _word_beside(words: list[str]) -> str:
    """What matches any label that is none of these words: by the first character in which it differs."""
    by_first: dict[str, list[str]] = {}
    for word in words:
        if word:
            by_first.setdefault(word[0], []).append(word[1:])
    # In a bracket expression a hyphen stands for itself only at its end.
    first = "".join(sorted(by_first, key=lambda character: character == "-"))
    found = [f"[^.@{first}]{_ANY_LABEL}*"]
    found += [f"{character}{_rest_beside(rest)}" for character, rest in sorted(by_first.items())]
    return f"({'|'.join(found)})"


def _rest_beside(words: list[str]) -> str:
    """What may follow where some words begin so: nothing, unless one of them ends, or what is none of the others."""
    longer = [word for word in words if word]
    more = _word_beside(longer) if longer else f"{_ANY_LABEL}+"
    return more if len(longer) < len(words) else f"{more}?"
