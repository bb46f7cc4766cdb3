# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells mistyped variables of a role, and mistyped settings, from those that there are."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Iterable

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.settings import SETTINGS

VARIABLES = ("domains", *SETTINGS)
# The name of the role mx is so short that other variables may well begin with it.
SHORT = "mx"


def refuse_unknown_variables(names: Iterable[str], role: str) -> None:
    """Raises InvalidInput for the first variable that begins with the role's name and is none of its own.

    One that begins with mx_ is refused only if it resembles one that there is.
    """
    prefix = f"{role}_"
    for name in names:
        if not name.startswith(prefix) or name[len(prefix) :] in VARIABLES:
            continue
        alike = get_close_matches(name[len(prefix) :], VARIABLES, 1)
        if alike:
            raise InvalidInput(f"no variable {name}; did you mean {prefix}{alike[0]}?")
        if role != SHORT:
            raise InvalidInput(f"no variable {name}; see ansible-doc -t role mxrelay.postfix.{role}")


def refuse_unknown_settings(names: Iterable[str]) -> None:
    """Raises InvalidInput for the first name that is none of a setting."""
    for name in names:
        if name in SETTINGS:
            continue
        alike = get_close_matches(name, list(SETTINGS), 1)
        remedy = f"did you mean {alike[0]}?" if alike else f"there are {', '.join(SETTINGS)}"
        raise InvalidInput(f'no setting "{name}"; {remedy}')
