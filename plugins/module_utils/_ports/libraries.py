# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries that only some sources need. They are imported when one of them is read."""

from __future__ import annotations

import importlib
from types import ModuleType

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.packages import source_package
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file

OS_RELEASE = "/etc/os-release"


def library(name: str, package: str) -> ModuleType:
    """The module of a library of Python's, whose package is given by Debian's name.

    Raises SourceError, which names the package, where it is missing; what it `lacks` is the name on this host.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise SourceError(
            f"{package} was not found, and this source needs it; install the package {package}, or {name} with pip "
            "where Ansible has a Python of its own",
            lacks=source_package(package, (read_file(OS_RELEASE) or b"").decode("utf-8", "replace")),
        ) from None
