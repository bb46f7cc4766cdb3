# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds each role's defaults against its argument spec, and the three roles against each other.

An argument spec documents a default but does not set it, so nothing else would notice that the two differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("secondary_mx", "primary_mx", "mx")
PRIMARY_ONLY_ITEM_OPTIONS = {"mail_host", "port", "mx_lookup"}

# What users rely on: the variable without its prefix, its type and its default. Lists and truth values are raw: a
# survey's blank answer, null or empty text, would be refused before any task could take it for the default. mx_plan
# checks them.
CONTRACT: dict[str, tuple[str, Any]] = {
    "domains": ("raw", []),
    "recipient_check": ("str", "table"),
    "proxy_interfaces": ("raw", []),
    "table_type": ("str", ""),
    "table_directory": ("path", ""),
    "config_directory": ("path", "/etc/postfix"),
    "queue_lifetime": ("str", ""),
    "mail_host_tls": ("str", ""),
    "mail_host_concurrency": ("str", ""),
    "message_size_limit": ("str", ""),
    "relay_restrictions": ("raw", []),
    "client_restrictions": ("raw", []),
    "etrn_restrictions": ("raw", []),
    "smtputf8": ("raw", ""),
    "ipv6": ("raw", ""),
    "postmaster": ("raw", True),
    "undeclared_domains": ("str", "refuse"),
    "remove_undeclared": ("raw", False),
    "manage_package": ("raw", True),
    "manage_service": ("raw", True),
    "verify": ("raw", True),
    "verify_fail_on": ("raw", ["local"]),
}

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


def _shape(option: Mapping[str, Any]) -> dict[str, Any]:
    """What an option accepts, without its words and without the members of its items."""
    return {key: value for key, value in option.items() if key not in ("description", "options", "version_added")}


def _shapes(root: Path, role: str) -> dict[str, dict[str, Any]]:
    return {name[len(role) + 1 :]: _shape(option) for name, option in _options(root, role).items()}


def disagreements(root: Path, role: str, other: str) -> list[str]:
    """Both roles may run on one host, and their settings must be comparable: same names, types, defaults, choices."""
    ours, theirs = _shapes(root, role), _shapes(root, other)
    found = [f"{role}_{name} has no {other}_{name}" for name in ours if name not in theirs]
    found += [f"{other}_{name} has no {role}_{name}" for name in theirs if name not in ours]
    found += [
        f"{role}_{name} and {other}_{name} differ: {shape} and {theirs[name]}"
        for name, shape in ours.items()
        if name in theirs and not _same(shape, theirs[name])
    ]
    return found


def _item_shapes(root: Path, role: str) -> dict[str, dict[str, Any]]:
    return {name: _shape(option) for name, option in _options(root, role)[f"{role}_domains"]["options"].items()}


@pytest.mark.parametrize("role", [*ROLES, "report"])
def test_defaults_equal_the_spec(role: str) -> None:
    assert differences(ROOT, role) == []


@pytest.mark.parametrize("other", ["primary_mx", "mx"])
def test_roles_take_the_same_settings(other: str) -> None:
    assert disagreements(ROOT, "secondary_mx", other) == []


@pytest.mark.parametrize("role", ROLES)
def test_contract_is_kept(role: str) -> None:
    options = _options(ROOT, role)
    have = {name: options.get(f"{role}_{name}", {}) for name in CONTRACT}
    assert {name: (option.get("type", "str"), option.get("default")) for name, option in have.items()} == CONTRACT


def test_domain_items_differ_by_what_only_a_primary_needs() -> None:
    primary = _item_shapes(ROOT, "primary_mx")
    assert PRIMARY_ONLY_ITEM_OPTIONS - primary.keys() == set()
    rest = {name: shape for name, shape in primary.items() if name not in PRIMARY_ONLY_ITEM_OPTIONS}
    assert _item_shapes(ROOT, "secondary_mx") == rest


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


@pytest.mark.parametrize(
    ("ours", "theirs", "complaint"),
    [
        ({"mx_a": BOOL}, {}, "mx_a has no primary_mx_a"),
        ({}, {"primary_mx_a": BOOL}, "primary_mx_a has no mx_a"),
        (
            {"mx_a": BOOL},
            {"primary_mx_a": {"type": "bool", "default": False}},
            "mx_a and primary_mx_a differ: {'default': True, 'type': 'bool'} and {'default': False, 'type': 'bool'}",
        ),
    ],
)
def test_disagreement_is_named(tmp_path: Path, ours: dict[str, Any], theirs: dict[str, Any], complaint: str) -> None:
    _write_role(tmp_path, "mx", {}, ours)
    _write_role(tmp_path, "primary_mx", {}, theirs)
    assert disagreements(tmp_path, "mx", "primary_mx") == [complaint]


def test_agreement_ignores_words_and_items(tmp_path: Path) -> None:
    _write_role(tmp_path, "mx", {}, {"mx_a": {**BOOL, "description": "One."}})
    _write_role(tmp_path, "primary_mx", {}, {"primary_mx_a": {**BOOL, "description": "Two.", "options": {}}})
    assert disagreements(tmp_path, "mx", "primary_mx") == []
