# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's own code for the controller, from the artifact that the scenarios run with."""

from __future__ import annotations

import importlib
import os
import pathlib
import sys
from typing import Any

COLLECTIONS = pathlib.Path(os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep)[0])
COLLECTION = COLLECTIONS / "ansible_collections/mxrelay/postfix"


def imported(name: str) -> Any:
    """Return one of its modules, such as `plugin_utils.report`."""
    sys.path.insert(0, str(COLLECTIONS))
    try:
        return importlib.import_module(f"ansible_collections.mxrelay.postfix.plugins.{name}")
    finally:
        sys.path.remove(str(COLLECTIONS))
