# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds each role's defaults against its argument spec.

An argument spec documents a default but does not set it, so nothing else would notice that the two differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("secondary_mx", "primary_mx", "mx", "report", "trust_mx", "mx_metrics")

PYTHON_TYPES: dict[str, type] = {
    "bool": bool,
    "dict": dict,
    "float": float,
    "int": int,
    "list": list,
    "path": str,
    "str": str,
}


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _defaults(root: Path, role: str) -> dict[str, Any]:
    return _load(root / "roles" / role / "defaults" / "main.yml") or {}


def _options(root: Path, role: str) -> dict[str, Mapping[str, Any]]:
    """The options of all entry points of the role."""
    options: dict[str, Mapping[str, Any]] = {}
    for entry_point in _load(root / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"].values():
        options.update(entry_point.get("options") or {})
    return options


def _same(left: Any, right: Any) -> bool:
    """Equal, and of equal types at every depth: 1 is not true, and "" is not null."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_same(value, right[key]) for key, value in left.items())
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right)


def differences(root: Path, role: str) -> list[str]:
    """What a reader of the spec, or of the defaults, would believe wrongly."""
    defaults, options = _defaults(root, role), _options(root, role)
    found = [f"{name}: is in defaults/main.yml and not in the spec" for name in defaults if name not in options]
    for name, option in options.items():
        kind = option.get("type", "str")
        if not name.startswith(f"{role}_"):
            found.append(f"{name}: does not begin with {role}_")
        if option.get("required"):
            if name in defaults or "default" in option:
                found.append(f"{name}: is required and has a default")
        elif "default" not in option:
            found.append(f"{name}: has no default in the spec and is not required")
        elif name not in defaults:
            found.append(f"{name}: is in the spec and not in defaults/main.yml")
        elif not _same(defaults[name], option["default"]):
            found.append(f"{name}: defaults/main.yml has {defaults[name]!r}, the spec {option['default']!r}")
        elif kind in PYTHON_TYPES and defaults[name].__class__ != PYTHON_TYPES[kind]:
            found.append(f"{name}: the default {defaults[name]!r} is not of type {kind}")
    return found


@pytest.mark.parametrize("role", ROLES)
def test_defaults_equal_the_spec(role: str) -> None:
    assert differences(ROOT, role) == []


def _write_role(root: Path, role: str, defaults: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    files = {
        "defaults/main.yml": defaults,
        "meta/argument_specs.yml": {"argument_specs": {"main": {"options": options}}},
    }
    for name, content in files.items():
        path = root / "roles" / role / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content), encoding="utf-8")


BOOL = {"type": "bool", "default": True}


@pytest.mark.parametrize(
    ("defaults", "options", "complaint"),
    [
        ({"mx_a": True}, {}, "mx_a: is in defaults/main.yml and not in the spec"),
        ({}, {"mx_a": BOOL}, "mx_a: is in the spec and not in defaults/main.yml"),
        ({"mx_a": False}, {"mx_a": BOOL}, "mx_a: defaults/main.yml has False, the spec True"),
        ({"mx_a": 1}, {"mx_a": BOOL}, "mx_a: defaults/main.yml has 1, the spec True"),
        ({"mx_a": None}, {"mx_a": {"default": ""}}, "mx_a: defaults/main.yml has None, the spec ''"),
        (
            {"mx_a": [{"b": 1}]},
            {"mx_a": {"type": "list", "default": [{"b": True}]}},
            "mx_a: defaults/main.yml has [{'b': 1}], the spec [{'b': True}]",
        ),
        ({"mx_a": "yes"}, {"mx_a": {"type": "bool", "default": "yes"}}, "mx_a: the default 'yes' is not of type bool"),
        ({}, {"mx_a": {"type": "str"}}, "mx_a: has no default in the spec and is not required"),
        ({"mx_a": "b"}, {"mx_a": {"required": True}}, "mx_a: is required and has a default"),
        ({"a": True}, {"a": BOOL}, "a: does not begin with mx_"),
    ],
)
def test_difference_is_named(tmp_path: Path, defaults: dict[str, Any], options: dict[str, Any], complaint: str) -> None:
    _write_role(tmp_path, "mx", defaults, options)
    assert differences(tmp_path, "mx") == [complaint]


def test_equal_defaults_are_accepted(tmp_path: Path) -> None:
    _write_role(tmp_path, "mx", {"mx_a": True}, {"mx_a": BOOL, "mx_b": {"required": True}})
    assert differences(tmp_path, "mx") == []
