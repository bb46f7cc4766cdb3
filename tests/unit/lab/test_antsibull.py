# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds antsibull-nox.toml against what there is: its paths, its sessions, its action group."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import antsibull

tomllib = pytest.importorskip("tomllib", reason="part of Python 3.11, which the lab needs")

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def sessions() -> dict[str, Any]:
    configuration = tomllib.loads((ROOT / "antsibull-nox.toml").read_text(encoding="utf-8"))
    assert configuration["version"] == 1
    found: dict[str, Any] = configuration["sessions"]
    return found


def test_sessions_that_are_run_are_those_that_are_configured(sessions: dict[str, Any]) -> None:
    assert sorted(name.replace("_", "-") for name in sessions) == sorted(antsibull.SESSIONS)


def test_files_that_lint_is_told_of_are_there(sessions: dict[str, Any]) -> None:
    lint = sessions["lint"]
    named = [*lint["code_files"], *(value for name, value in lint.items() if name.endswith("_config"))]
    assert len(named) == 4
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_each_path_without_a_licence_header_names_files(sessions: dict[str, Any]) -> None:
    patterns = sessions["license_check"]["license_check_extra_ignore_paths"]
    assert [pattern for pattern in patterns if not any(ROOT.glob(pattern))] == []
    # It has to be seen that plugins say what licence they have.
    assert [pattern for pattern in patterns if pattern.startswith("plugins")] == []


def test_action_group_is_that_of_the_collection_with_all_modules(sessions: dict[str, Any]) -> None:
    (group,) = sessions["extra_checks"]["action_groups_config"]
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))
    assert list(runtime["action_groups"]) == [group["name"]]
    assert [name for name in runtime["action_groups"][group["name"]] if not re.match(group["pattern"], name)] == []
    collection, _dot, name = group["doc_fragment"].rpartition(".")
    file = ROOT / "plugins/doc_fragments" / f"{collection.rpartition('.')[2]}.py"
    assert f"    {name.upper()} = " in file.read_text(encoding="utf-8")


def test_noxfile_and_pins_of_the_session_are_there() -> None:
    assert antsibull.NOXFILE.name == "antsibull-noxfile.py"
    assert "load_antsibull_nox_toml()" in antsibull.NOXFILE.read_text(encoding="utf-8")
    assert re.search(r"^antsibull-nox==\d", antsibull.PINS.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name in antsibull.TOOLS if not (ROOT / "requirements" / name).is_file()] == []


def test_constraints_name_no_extras() -> None:
    requirements = '# tools[all]\nreuse[charset-normalizer]==6.2\nansible==12.3.0; python_version < "3.12"\n'
    wanted = '# tools[all]\nreuse==6.2\nansible==12.3.0; python_version < "3.12"\n'
    assert antsibull.constraints(requirements) == wanted


def test_users_do_not_get_what_is_for_the_checks_only() -> None:
    ignored = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["build_ignore"]
    assert {"antsibull-nox.toml", "antsibull-noxfile.py"} <= set(ignored)
