# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries that only some sources need. They are imported when one of them is read."""

from __future__ import annotations

import importlib
from types import ModuleType

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.os_release import family_of_host


def library(name: str) -> ModuleType:
    """The module of a library of Python's, one of those in families.py.

    Raises SourceError, which names this host's package, where it is missing; that package is what it `lacks`.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        package = family_of_host().libraries[name]
        raise SourceError(
            f"{package} was not found, and this source needs it; install the package {package}, or {name} with pip "
            "where Ansible has a Python of its own",
            lacks=package,
        ) from None
