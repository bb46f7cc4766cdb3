# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists as a person gives them: a list, or a text such as a survey's answer, with one member a line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_names, value_kind

Split = Callable[[str], "list[str]"]
# An address may have any character between quotes.
_ADDRESS = re.compile(r'(?:"(?:[^"\\\n]|\\.)*"|[^\s,;])+')
_WORD = re.compile(r"[^\s,;]+")


def addresses_in(text: str) -> list[str]:
    """The addresses of a text: one a line, or with commas, semicolons or blanks between them."""
    return _ADDRESS.findall(text)


def words_in(text: str) -> list[str]:
    """The names of a text, such as domains, hosts or scopes: separated as addresses are."""
    return _WORD.findall(text)


def lines_in(text: str) -> list[str]:
    """The members of a text that may contain blanks, such as restrictions and paths: one a line, or between commas.

    A comma within braces belongs to its member, as in `inline:{a=1, b=2}`.
    """
    members, depth = [""], 0
    for character in text:
        depth = 0 if character == "\n" else depth + (character == "{") - (character == "}")
        if character == "\n" or (character == "," and depth <= 0):
            members.append("")
        else:
            members[-1] += character
    return [member.strip() for member in members if member.strip()]


def as_list(value: object, place: str, split: Split, remedy: str) -> list[Any]:
    """A list that was given as one or as text; null and empty text are the empty list. Raises InvalidInput."""
    if value is None:
        return []
    if isinstance(value, str):
        return split(value)
    if isinstance(value, (list, tuple)):
        return list(value)
    raise InvalidInput(f"{place} is {value_kind(value)}, not a list; {remedy}")


def names_in(values: object, place: str) -> list[str]:
    """The names of a list option, whose text Ansible has already split at its commas alone."""
    return [
        name for value in as_list(values, place, words_in, "write one name an item") for name in words_in(str(value))
    ]


def domains_option(params: Mapping[str, Any]) -> list[str]:
    """The domains that the option `domains` names, as a list or a text. Raises InvalidInput."""
    return domain_names(names_in(params["domains"], "domains"), "domains")
