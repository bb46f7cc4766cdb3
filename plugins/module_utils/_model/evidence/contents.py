# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lookup table, or a file of patterns, holds as far as it can be listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import without_proxy

# A key that stands for every key: of a table that gives the same result whatever it is asked.
ANY = "*"
# Types whose keys are patterns: what they match cannot be told from them.
PATTERNS = frozenset({"regexp", "pcre"})


@dataclass(frozen=True)
class Content:
    """`entries` are all keys with their results, None if the table only answers what it is asked.

    `answers` are what it said to keys of nobody's: of a domain, an address and clients that no table should know.
    """

    entries: tuple[tuple[str, str], ...] | None = None
    answers: Mapping[str, str] = field(default_factory=dict)


def spoken_by_name(table: str) -> Content | None:
    """The content of a table that is all in its name, static: and randmap:, None for any other."""
    kind, _colon, rest = without_proxy(table).partition(":")
    body = rest[1:-1].strip() if rest.startswith("{") and rest.endswith("}") else rest
    if kind == "static":
        return Content(((ANY, body),))
    if kind == "randmap":
        return Content(tuple((ANY, result) for result in body.replace(",", " ").split()))
    return None
