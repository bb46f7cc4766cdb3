# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells mistyped variables of a role, and mistyped settings, from those that there are."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Iterable

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.settings import SETTINGS

VARIABLES = ("domains", *SETTINGS)
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
        alike = get_close_matches(name, list(SETTINGS), 1)
        remedy = f"did you mean {alike[0]}?" if alike else f"there are {', '.join(SETTINGS)}"
        raise InvalidInput(f'no setting "{name}"; {remedy}')
