# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What loading the filters costs: Ansible loads all of them in the process of each task that uses one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FILTERS = sorted(path.stem for path in Path(__file__).parents[4].joinpath("plugins/filter").glob("*.py"))
PREFIX = "ansible_collections.mxrelay.postfix.plugins."
PROGRAM = f"""
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module("{PREFIX}filter." + name)
print(*sorted(name[len("{PREFIX}"):] for name in sys.modules if name.startswith("{PREFIX}") and "filter" not in name))
"""


def test_what_filters_do_is_loaded_with_their_first_use() -> None:
    path = [folder for folder in sys.path if folder]
    program = f"import sys\nsys.path[:0] = {path}\n{PROGRAM}"
    loaded = subprocess.run([sys.executable, "-c", program, *FILTERS], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == [
        "module_utils",
        "module_utils._model",
        "module_utils._model.errors",
        "module_utils._model.names",
        "module_utils._model.text_lists",
        "module_utils._ports",
        "module_utils._ports.clock",
        "plugin_utils",
        "plugin_utils.roles",
    ]
