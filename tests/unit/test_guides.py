# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds what README and the guides tell users to type against what the collection has."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import every_check

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ("README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
INDEX = "docs/README.md"
TWO_SCREENS = 120
SVG = "{http://www.w3.org/2000/svg}"
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml") if "." not in path.stem)
ROLE_PREFIXES = {
    "secondary_mx_": "secondary_mx",
    "primary_mx_": "primary_mx",
    "report_": "report",
    "trust_mx_": "trust_mx",
    "mx_metrics_": "mx_metrics",
}
NAMED = re.compile(r"\b(?:secondary_mx|primary_mx|report|trust_mx|mx_metrics)_[a-z0-9_]+")
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLAYBOOK = re.compile(r"ansible-playbook mxrelay\.postfix\.(\w+)")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")
# A row may be about modules that belong together.
MODULE_ROW = re.compile(r"^\| (`\w+`(?:, `\w+`)*) \|", re.MULTILINE)


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@functools.cache
def _options(role: str) -> dict[str, Any]:
    spec = yaml.safe_load(_text(f"roles/{role}/meta/argument_specs.yml"))
    return spec["argument_specs"]["main"]["options"]


def _readme_inventory() -> dict[str, Any]:
    return yaml.safe_load(BLOCK.findall(_text("README.md"))[0])


@pytest.mark.parametrize("guide", GUIDES)
def test_named_variables_exist(guide: str) -> None:
    unknown = [
        name
        for name in NAMED.findall(_text(guide))
        for prefix, role in ROLE_PREFIXES.items()
        if name.startswith(prefix) and name not in _options(role)
    ]
    assert unknown == []


@pytest.mark.parametrize("guide", [*GUIDES, "CONTRIBUTING.md", "SECURITY.md"])
def test_links_lead_to_files(guide: str) -> None:
    beside = (ROOT / guide).parent
    assert [link for link in LINK.findall(_text(guide)) if not (beside / link).is_file()] == []


def test_index_lists_every_guide() -> None:
    listed = [link for link in LINK.findall(_text(INDEX)) if link.endswith(".md") and "/" not in link]
    assert sorted(listed) == sorted(Path(guide).name for guide in GUIDES if guide not in ("README.md", INDEX))


@pytest.mark.parametrize("guide", [guide for guide in GUIDES if guide not in ("README.md", INDEX)])
def test_guide_is_found_from_another_one(guide: str) -> None:
    others = [other for other in GUIDES if other not in (guide, INDEX)]
    assert any((ROOT / other).parent / link == ROOT / guide for other in others for link in LINK.findall(_text(other)))


@pytest.mark.parametrize("picture", sorted(path.name for path in (ROOT / "docs/images").glob("*.svg")))
def test_drawing_has_a_title_for_readers_who_do_not_see_it(picture: str) -> None:
    drawn = ElementTree.parse(ROOT / "docs/images" / picture).getroot()
    assert drawn.findtext(f"{SVG}title")


def test_readme_takes_two_screens() -> None:
    assert len(_text("README.md").splitlines()) <= TWO_SCREENS


def test_readme_playbooks_exist() -> None:
    named = set(PLAYBOOK.findall(_text("README.md")))
    assert named == {"secondary_mx", "primary_mx", "verify", "report"}
    assert {name for name in named if not (ROOT / "playbooks" / f"{name}.yml").is_file()} == set()


def test_readme_lists_every_module() -> None:
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")} - {"__init__"}
    named = [name for row in MODULE_ROW.findall(_text("README.md")) for name in re.findall(r"\w+", row)]
    assert sorted(named) == sorted(modules)


@pytest.mark.parametrize("role", ["secondary_mx", "primary_mx"])
def test_readme_inventory_is_what_the_role_takes(role: str) -> None:
    variables = _readme_inventory()[role]["vars"]
    options = _options(role)
    members = options[f"{role}_domains"]["options"]
    assert variables.keys() - options.keys() == set()
    assert [item.keys() - members.keys() for item in variables[f"{role}_domains"]] == [set()]


def test_domains_guide_lists_every_member_of_an_item() -> None:
    table = _text("docs/domains.md").split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == set(_options("primary_mx")["primary_mx_domains"]["options"])


@pytest.mark.parametrize("name", ["canary", "outage_begin", "outage_end", "verify"])
def test_specification_of_a_playbook_is_what_it_reads(name: str) -> None:
    specified = _specified(name)
    assert set(specified) == set(re.findall(rf"\b__mx_given\.({name}_\w+)", _text(f"playbooks/{name}.yml")))


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_specification_of_a_playbook_is_complete(name: str) -> None:
    specified = _specified(name)
    assert [option for option, said in specified.items() if not {"type", "description"} <= set(said)] == []
    assert [option for option, said in specified.items() if ("default" in said) == said.get("required", False)] == []
    assert f"__mx_playbook: {name}\n" in _text(f"playbooks/{name}.yml")


def _specified(name: str) -> dict[str, Any]:
    options: dict[str, Any] = yaml.safe_load(_text(f"playbooks/{name}.meta.yml"))["argument_specs"][name]["options"]
    return options


def test_verify_guide_lists_every_check() -> None:
    table = _text("docs/verify.md").partition("\n## Checks\n")[2]
    rows = [tuple(line.strip("| ").split(" | ")) for line in table.splitlines() if line.startswith("| `")]
    assert rows == [(f"`{check.name}`", check.scope, check.summary) for check in every_check()]
