# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries that only some sources need. They are imported when one of them is read."""

from __future__ import annotations

import importlib
from types import ModuleType

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError


def library(name: str, package: str) -> ModuleType:
    """The module of a library of Python's. Raises SourceError, which names Debian's package, where it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise SourceError(
            f"{package} was not found, and this source needs it; install the package {package}, or {name} with pip "
            "where Ansible has a Python of its own"
        ) from None
