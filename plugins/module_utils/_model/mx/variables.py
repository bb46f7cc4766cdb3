# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what a user gives a role: tells mistyped names from those that there are, and takes text for a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, Problems
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.settings import (
    DOMAIN_OPTIONS,
    SETTINGS,
    SUMMARY_OPTIONS,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import as_list, lines_in, words_in

VARIABLES = ("domains", *SETTINGS)
ITEM_OPTIONS = tuple(name for name in DOMAIN_OPTIONS if name not in SUMMARY_OPTIONS)
_ALL_DOMAINS = ("secondary_mx_domains", "primary_mx_domains", "mx_domains")
# How much a name resembles one that is meant, from 0 to 1.
ALIKE = 0.8


def refuse_unknown_variables(names: Iterable[str], role: str) -> None:
    """Raises InvalidInput for the first variable that looks like one of the role's, and is none.

    Others that begin with the role's name are a user's own.
    """
    prefix = f"{role}_"
    for name in names:
        if not name.startswith(prefix) or name[len(prefix) :] in VARIABLES:
            continue
        alike = get_close_matches(name[len(prefix) :], VARIABLES, 1, ALIKE)
        if alike:
            raise InvalidInput(f"no variable {name}; did you mean {prefix}{alike[0]}?")


def refuse_unknown_settings(names: Iterable[str]) -> None:
    """Raises InvalidInput for the first name that is none of a setting."""
    for name in names:
        if name in SETTINGS:
            continue
        raise InvalidInput(f'no setting "{name}"; {_meant(name, list(SETTINGS))}')


def refuse_unknown_options(items: Sequence[Mapping[str, Any]], place: str) -> None:
    """Raises InvalidInput for options of domain items that there are not."""
    problems = Problems()
    for number, item in enumerate(items):
        for name in item:
            if name not in ITEM_OPTIONS:
                said = f"{place}[{number}] ({item['name']}): no option {name}; {_meant(str(name), ITEM_OPTIONS)}"
                problems.add(InvalidInput(said))
    problems.tell("options")


def _meant(name: str, names: Sequence[str]) -> str:
    alike = get_close_matches(name, names, 1)
    return f"did you mean {alike[0]}?" if alike else f"there are {', '.join(names)}"


def nothing_declared(names: Iterable[str], role: str) -> str:
    """What to say where the role's list of domains is empty, with a variable that may have been meant for it."""
    wanted = f"{role}_domains"
    others = [name for name in names if name.endswith("_domains") and role not in name and not name.startswith("__")]
    alike = get_close_matches(wanted, [name for name in others if name not in _ALL_DOMAINS], 1, ALIKE)
    remedy = f"did you write {alike[0]} for it?" if alike else "list the domains in it"
    return f"no domain is declared: {wanted} is empty or not given; {remedy}"


def with_lists(settings: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """The settings, those that are lists as lists though they were given as text. Raises InvalidInput."""
    return {name: _with_list(value, SETTINGS.get(name, {}), place + name) for name, value in settings.items()}


def _with_list(value: Any, setting: Mapping[str, Any], place: str) -> Any:
    split = words_in if setting.get("split") == "words" else lines_in
    if setting.get("type") != "list" and split is lines_in or setting.get("elements") == "dict":
        return value
    members = as_list(value, place, split, "write one a line")
    members = [member.strip() if isinstance(member, str) else member for member in members]
    return members if setting["type"] == "list" else ", ".join(map(str, members))
