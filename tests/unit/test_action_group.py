# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the action group against the modules: each is in it, and says so in its documentation."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
MODULES = {path.stem: path for path in (ROOT / "plugins/modules").glob("*.py") if path.stem != "__init__"}
# The fragment that names the group among a module's attributes.
SAYS_SO = re.compile(r"^  - mxrelay\.postfix\.postfix\.action_group$", re.MULTILINE)


def test_action_group_has_every_module_once() -> None:
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))
    assert sorted(runtime["action_groups"]["postfix"]) == sorted(MODULES)


def test_every_module_documents_its_group() -> None:
    assert [name for name, path in MODULES.items() if len(SAYS_SO.findall(path.read_text(encoding="utf-8"))) != 1] == []


def test_fragment_names_the_group() -> None:
    fragments = (ROOT / "plugins/doc_fragments/postfix.py").read_text(encoding="utf-8")
    assert fragments.count("    membership:\n      - mxrelay.postfix.postfix\n") == 1
