# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the generated files against meta/settings.yml, and shows what is made of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import awx
from lab.generate import argument_specs, defaults, fragment, generate, generated, guide, model, names

ROOT = Path(__file__).resolve().parents[3]
GENERATED = generated(ROOT)
SOURCE: dict[str, Any] = {
    "roles": {"secondary_mx": {"short_description": "Relay", "description": ["Relays."]}, "mx": {"description": []}},
    "domains": {
        "description": ["The domains; see O(domains[].role)."],
        "options": {
            "name": {"description": ["The domain."], "type": "str", "required": True},
            "role": {
                "description": ["What the host is."],
                "type": "str",
                "required": True,
                "choices": ["primary", "secondary"],
                "roles": ["mx"],
            },
            "policy": {
                "description": ["Who is valid."],
                "with_role": "Required with O(domains[].role=primary).",
                "type": "str",
                "choices": ["any"],
            },
        },
    },
    "settings": {
        "check": {
            "description": ["What to check."],
            "type": "str",
            "choices": ["table", "none"],
            "default": "table",
            "both_roles": "equal",
        },
        "ipv6": {"description": ["Beside O(check)."], "type": "bool", "default": ""},
        "package": {"description": ["Install."], "type": "bool", "default": True},
        "scopes": {
            "description": ["What counts."],
            "in_module": ["What the module makes of it."],
            "type": "list",
            "elements": "str",
            "choices": ["local", "dns", "remote"],
            "default": ["local"],
            "planned": False,
        },
    },
}


def options(role: str) -> dict[str, Any]:
    return yaml.safe_load(argument_specs(SOURCE, role))["argument_specs"]["main"]["options"]


def documented() -> dict[str, Any]:
    scope: dict[str, Any] = {}
    exec(fragment(SOURCE), scope)
    return yaml.safe_load(scope["ModuleDocFragment"].DOCUMENTATION)["options"]


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_file_is_what_generate_writes(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == GENERATED[name], "run ./run generate"


def test_every_generated_file_says_where_it_is_from() -> None:
    said = re.compile(
        r"^(?:#|<!--) Generated from \S+(?: and \S+)? by \./run generate; change it there\.", re.MULTILINE
    )
    assert [name for name, text in GENERATED.items() if not said.search(text)] == []


def test_generate_mends_what_was_edited(tmp_path: Path) -> None:
    files = dict(GENERATED)
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("edited\n", encoding="utf-8")
    written = [
        "meta/settings.yml",
        awx.SOURCE,
        *(str(path.relative_to(ROOT)) for path in (ROOT / "playbooks").glob("*.meta.yml")),
    ]
    for name in set(written) - files.keys():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    generate(tmp_path)
    assert {name: (tmp_path / name).read_text(encoding="utf-8") for name in files} == files


def test_role_takes_blank_answers_of_a_survey() -> None:
    assert options("secondary_mx")["secondary_mx_check"] == {
        "description": ["What to check.", "Empty means V(table)."],
        "type": "str",
        "default": "table",
        "choices": ["table", "none", ""],
    }
    assert options("mx")["mx_package"] == {
        "description": ["Install.", "V(true) or V(false); null or an empty string means the default."],
        "type": "raw",
        "default": True,
    }
    assert options("mx")["mx_scopes"] == {
        "description": [
            "What counts.",
            "A list of V(local), V(dns) and V(remote), or such a text; null or an empty string means the default.",
        ],
        "type": "raw",
        "default": ["local"],
    }


def test_words_name_the_variables_of_the_role() -> None:
    assert options("mx")["mx_ipv6"]["description"] == [
        "Beside O(mx_check).",
        "V(true) or V(false); null or an empty string leaves it unchanged.",
    ]
    assert options("mx")["mx_domains"]["description"][0] == "The domains; see O(mx_domains.role)."


def test_role_has_the_options_of_its_items() -> None:
    items = options("secondary_mx")["secondary_mx_domains"]["options"]
    assert list(items) == ["name", "policy"]
    assert items["policy"] == {"description": ["Who is valid."], "type": "str", "choices": ["any", ""]}
    mixed = options("mx")["mx_domains"]["options"]
    assert mixed["role"]["required"] is True
    assert mixed["role"]["choices"] == ["primary", "secondary"]
    assert mixed["policy"]["description"] == ["Who is valid. Required with O(mx_domains.role=primary)."]


def test_defaults_are_what_the_spec_says() -> None:
    assert yaml.safe_load(defaults(SOURCE, "mx")) == {
        "mx_domains": [],
        "mx_check": "table",
        "mx_ipv6": "",
        "mx_package": True,
        "mx_scopes": ["local"],
    }


def test_module_takes_types_and_leaves_defaults_to_the_model() -> None:
    assert documented()["settings"]["suboptions"] == {
        "check": {
            "description": ["What to check.", "Empty means V(table)."],
            "type": "str",
            "choices": ["table", "none"],
        },
        "ipv6": {"description": ["Beside O(settings.check).", "Empty leaves it unchanged."], "type": "bool"},
        "package": {"description": ["Install.", "Empty means V(true)."], "type": "bool"},
        "scopes": {
            "description": ["What counts.", "What the module makes of it."],
            "type": "list",
            "elements": "str",
            "choices": ["local", "dns", "remote"],
        },
    }
    assert "required" not in documented()["domains"]["suboptions"]["role"]


def test_model_knows_all_but_the_words() -> None:
    scope: dict[str, Any] = {}
    exec(model(SOURCE), scope)
    assert scope["SETTINGS"]["check"] == {
        "type": "str",
        "choices": ["table", "none"],
        "default": "table",
        "both_roles": "equal",
    }
    assert scope["SETTINGS"]["scopes"]["planned"] is False
    assert scope["DOMAIN_OPTIONS"]["name"] == {"type": "str", "required": True}


def test_setting_that_may_hold_secrets_is_not_handed_over() -> None:
    sources = {"description": ["Where."], "type": "dict", "default": {}, "no_log": True, "handed": False}
    source = {**SOURCE, "settings": {**SOURCE["settings"], "sources": sources}}
    spec = yaml.safe_load(argument_specs(source, "mx"))["argument_specs"]["main"]["options"]["mx_sources"]
    assert spec == {
        "description": ["Where.", "A mapping; null or an empty string means an empty mapping."],
        "type": "raw",
        "default": {},
        "no_log": True,
    }
    assert yaml.safe_load(defaults(source, "mx"))["mx_sources"] == {}
    assert (fragment(source), names(source)) == (fragment(SOURCE), names(SOURCE))


@pytest.mark.parametrize("words", ["Like this: so", "Ends in # a comment"])
def test_words_that_yaml_reads_otherwise_are_refused(words: str) -> None:
    settings = {"check": {**SOURCE["settings"]["check"], "description": [words]}}
    with pytest.raises(ValueError, match="say it otherwise"):
        argument_specs({**SOURCE, "settings": settings}, "mx")


@pytest.mark.parametrize("value", ["yes", "10", "null", ""])
def test_text_that_yaml_reads_as_something_else_is_quoted(value: str) -> None:
    settings = {"check": {"description": ["What to check."], "type": "str", "default": value}}
    assert yaml.safe_load(defaults({**SOURCE, "settings": settings}, "mx"))["mx_check"] == value


META = {
    "description": "Looks at P(mxrelay.postfix.mx#role) with M(mxrelay.postfix.mx_info).",
    "argument_specs": {
        "look": {
            "options": {
                "look_at": {"description": "The host, if O(look_far=true).", "type": "str", "required": True},
                "look_far": {"description": "Whether to look\nfar.", "type": "bool", "default": False},
                "look_for": {"description": "V(a) | b.", "type": "list", "choices": ["a", "b"], "default": ["a"]},
                "look_with": {"description": "As O(x.y.mx#role:mx_with).", "type": "dict", "default": {}},
            },
            "examples": "ansible-playbook mxrelay.postfix.look -i hosts.yml",
        }
    },
}


def test_guide_shows_each_playbook_with_its_variables() -> None:
    assert guide({"look": META}).partition("\n## ")[2] == (
        "look\n\nLooks at `mx` with `mx_info`.\n\n```sh\nansible-playbook mxrelay.postfix.look -i hosts.yml\n```\n\n"
        "| variable | default | meaning |\n|---|---|---|\n"
        "| `look_at` | required | The host, if `look_far: true`. |\n"
        "| `look_far` | `false` | Whether to look far. |\n"
        "| `look_for` | `a` | `a` \\| b. One of `a`, `b`. |\n"
        "| `look_with` |  | As `mx_with`. |\n"
    )


def test_playbook_of_a_role_takes_what_the_role_takes_with_true_types() -> None:
    meta = yaml.safe_load(GENERATED["playbooks/secondary_mx.meta.yml"])
    specified = meta["argument_specs"]["secondary_mx"]["options"]
    role = yaml.safe_load(GENERATED["roles/secondary_mx/meta/argument_specs.yml"])["argument_specs"]["main"]
    assert list(specified) == list(role["options"])
    assert specified["secondary_mx_manage_service"]["type"] == "bool"
    assert specified["secondary_mx_verify_fail_on"]["choices"] == ["local", "dns", "remote"]
