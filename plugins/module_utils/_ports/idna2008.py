# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""IDNA2008, through python3-idna if the host has it. It is imported only when a domain asks for it."""

from __future__ import annotations

import importlib
import importlib.util

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.families import IDNA
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.os_release import family_of_host


def has_idna() -> bool:
    """Whether this Python has the package idna."""
    return importlib.util.find_spec("idna") is not None


def a_label(label: str) -> str | None:
    """The A-label of a U-label, None if IDNA2008 does not take the label. Raises HostError without python3-idna."""
    try:
        idna = importlib.import_module("idna")
    except ImportError:
        package = family_of_host().libraries[IDNA]
        raise HostError(
            f"{package} was not found, and internationalised domains need it; install the package {package}"
        ) from None
    try:
        return str(idna.alabel(label).decode("ascii"))
    except UnicodeError:
        return None
