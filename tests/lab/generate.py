# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what is said once, of the roles' variables and of the playbooks', to the files that Ansible and people read.

Of the roles' variables meta/settings.yml speaks, of those of the report and of the other playbooks their own
specifications, `playbooks/NAME.meta.yml`. What AWX gets of them is made in lab.awx.
"""

from __future__ import annotations

import json
import pathlib
import re
import textwrap
from collections.abc import Mapping
from typing import Any

import yaml

from lab import awx

SOURCE = "meta/settings.yml"
MODEL = "plugins/module_utils/_model/mx/settings.py"
FRAGMENT = "plugins/doc_fragments/mx_plan.py"
NAMES = "roles/mx/vars/main/settings.yml"
# The roles that take what the playbook of their name takes, from its specification.
OF_PLAYBOOKS = ("report", "trust_mx", "mx_metrics")
GUIDE = "docs/playbooks.md"
GENERATED = f"Generated from {SOURCE} by ./run generate; change it there."
LICENCE = """\
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""
HEADER = f"{LICENCE}# {GENERATED}\n"
WIDTH = 120
PARTS = ("description", "type", "elements", "required", "default", "choices", "no_log")
# What the hosts need not know of an option.
WORDS = ("description", "with_role", "in_module", "roles")
# What an empty list, and an empty truth value whose default is empty, means to a role.
EMPTY_LIST = "A list; null or an empty string means an empty list."
TEXT_LIST = "A list, or a text with one member a line; null or an empty string means an empty list."
EMPTY_MAPPING = "A mapping; null or an empty string means an empty mapping."
EMPTY_TRUTH = "V(true) or V(false); null or an empty string leaves it unchanged."

# What mx_plan's action plugin tells the module of an item's list of recipients, which no user writes.
SUMMARY: dict[str, dict[str, Any]] = {
    "has_list": {
        "description": ["Whether the item has a list. Set by the action plugin; not for playbooks."],
        "type": "bool",
        "default": False,
    },
    "recipients_count": {
        "description": ["The number of addresses in the list. Set by the action plugin; not for playbooks."],
        "type": "int",
        "default": 0,
    },
    "recipients_digest": {
        "description": [
            "A digest of the addresses without those of postmaster and abuse. Set by the action plugin; not for "
            "playbooks."
        ],
        "type": "str",
    },
    "lists_postmaster": {
        "description": [
            "Whether the postmaster's address is in the list. Set by the action plugin; not for playbooks."
        ],
        "type": "bool",
        "default": False,
    },
    "lists_abuse": {
        "description": ["Whether the address of abuse is in the list. Set by the action plugin; not for playbooks."],
        "type": "bool",
        "default": False,
    },
    "follows": {
        "description": ["Whether the list is what sources say. Set by the action plugin; not for playbooks."],
        "type": "bool",
        "default": False,
    },
    "kept": {
        "description": [
            "Why the domain keeps the list that it has, as a source can't be believed; empty if it does not. Set by "
            "the action plugin; not for playbooks."
        ],
        "type": "str",
    },
    "awaits": {
        "description": [
            "The library that a run installs, and where, before the sources of the domain can be read; for check mode. "
            "Set by the action plugin; not for playbooks."
        ],
        "type": "str",
    },
}

Option = Mapping[str, Any]


def generate(root: pathlib.Path) -> None:
    """Write every generated file below `root`, a checkout."""
    for name, text in generated(root).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def generated(root: pathlib.Path) -> dict[str, str]:
    """Return the content of every generated file, by its path below `root`."""
    source = yaml.safe_load((root / SOURCE).read_text(encoding="utf-8"))
    files = {MODEL: model(source), FRAGMENT: fragment(source), NAMES: names(source)}
    for role in source["roles"]:
        files[f"roles/{role}/meta/argument_specs.yml"] = argument_specs(source, role)
        files[f"roles/{role}/defaults/main.yml"] = defaults(source, role)
    for role in source["playbooks"]:
        files[f"playbooks/{role}.meta.yml"] = playbook(source, role)
    for role in OF_PLAYBOOKS:
        meta = yaml.safe_load((root / _specification(role)).read_text(encoding="utf-8"))
        files[f"roles/{role}/meta/argument_specs.yml"] = specs_of_playbook(role, meta)
        files[f"roles/{role}/defaults/main.yml"] = defaults_of_playbook(role, meta)
    metas = {
        path.name.partition(".")[0]: files.get(f"playbooks/{path.name}") or path.read_text(encoding="utf-8")
        for path in sorted((root / "playbooks").glob("*.meta.yml"))
    }
    specified = {name: yaml.safe_load(text) for name, text in metas.items()}
    files[GUIDE] = guide(specified)
    files.update(awx.files(yaml.safe_load((root / awx.SOURCE).read_text(encoding="utf-8")), specified))
    return files


def playbook(source: Mapping[str, Any], role: str) -> str:
    """Return the specification of the playbook that runs a role, whose variables it takes."""
    domains = {"description": _one(source["domains"]["description"], role), "type": "raw", "default": []}
    settings = {
        f"{role}_{name}": _shown(option, description=_one(option["description"], role))
        for name, option in source["settings"].items()
    }
    specification = {
        "short_description": f"The variables of the playbook {role}, which are those of the role",
        "options": {f"{role}_domains": domains, **settings},
        "examples": f"ansible-playbook mxrelay.postfix.{role} -i hosts.yml --check --diff",
    }
    words = source["playbooks"][role]
    return "---\n" + HEADER + _yaml({**words, "argument_specs": {role: specification}})


def _one(description: list[str], role: str) -> str:
    """The words as the specification of a playbook has them: one text, a line for each paragraph."""
    return "\n".join(_prefixed(description, role))


def _specification(playbook_name: str) -> str:
    return f"playbooks/{playbook_name}.meta.yml"


def specs_of_playbook(role: str, meta: Mapping[str, Any]) -> str:
    """Return the argument specs of a role that takes what its playbook takes."""
    main = {
        "short_description": meta["short_description"],
        "description": meta["description"].split("\n"),
        "version_added": "1.0.0",
        "author": ["The mxrelay.postfix authors (@mxrelay)"],
        "options": {name: _role_option(option, "") for name, option in _playbook_options(role, meta).items()},
    }
    return "---\n" + _made_from(_specification(role)) + _yaml({"argument_specs": {"main": main}})


def defaults_of_playbook(role: str, meta: Mapping[str, Any]) -> str:
    """Return the defaults of a role that takes what its playbook takes."""
    lines = [f"{name}: {_scalar(option['default'])}\n" for name, option in _playbook_options(role, meta).items()]
    return "---\n" + _made_from(_specification(role)) + "".join(lines)


def _playbook_options(role: str, meta: Mapping[str, Any]) -> dict[str, Option]:
    options: Mapping[str, Option] = meta["argument_specs"][role]["options"]
    return {name: {**option, "description": option["description"].split("\n")} for name, option in options.items()}


def _made_from(name: str) -> str:
    return LICENCE + f"# Generated from {name} by ./run generate; change it there.\n"


def guide(metas: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page of all playbooks and their variables."""
    header = (
        "<!-- Generated from playbooks/*.meta.yml by ./run generate; change it there. -->\n"
        "# Playbooks\n\n"
        "A playbook takes its variables with `-e`, from a survey, or from the inventory. What it was given with `-e`\n"
        "or for all hosts is checked before any host is asked. A blank answer is not given; a list can be text.\n"
    )
    return header + "".join(f"\n## {name}\n\n{_page(name, meta)}" for name, meta in metas.items())


def _page(name: str, meta: Mapping[str, Any]) -> str:
    specification = meta["argument_specs"][name]
    rows = [_row(variable, option) for variable, option in specification["options"].items()]
    table = "| variable | default | meaning |\n|---|---|---|\n" + "".join(rows)
    example = specification["examples"].strip()
    wrapped = [textwrap.fill(_plain(words), WIDTH, break_on_hyphens=False) for words in meta["description"].split("\n")]
    return "\n\n".join(wrapped) + f"\n\n```sh\n{example}\n```\n\n{table}"


def _row(name: str, option: Option) -> str:
    meaning = _plain(option["description"]).replace("|", "\\|")
    choices = ", ".join(f"`{choice}`" for choice in option.get("choices", ()))
    default = "required" if option.get("required") else _default(option.get("default", ""))
    return f"| `{name}` | {default} | {meaning}{f' One of {choices}.' if choices else ''} |\n"


def _default(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return f"`{_scalar(value)}`" if value not in ("", {}) else ""


def _plain(words: str) -> str:
    """The words with Ansible's markup as Markdown."""
    named = re.sub(r"\b[MP]\((?:mxrelay\.postfix\.)?([\w.]+)(?:#\w+)?\)", r"`\1`", " ".join(words.split()))
    named = re.sub(r"\bO\((?:[\w.]+#\w+:(?:main:)?)?([^)=]+)=([^)]*)\)", r"`\1: \2`", named)
    return re.sub(r"\b[CVO]\((?:[\w.]+#\w+:(?:main:)?)?([^)]*)\)", r"`\1`", named)


def argument_specs(source: Mapping[str, Any], role: str) -> str:
    """Return the argument specs of a role."""
    domains = {
        "description": _prefixed([*source["domains"]["description"], EMPTY_LIST], role),
        "type": "raw",
        "default": [],
        "options": {name: _role_item(option, role) for name, option in _items_of(source, role).items()},
    }
    settings = {f"{role}_{name}": _role_option(option, role) for name, option in source["settings"].items()}
    main = {
        **source["roles"][role],
        "version_added": "1.0.0",
        "author": ["The mxrelay.postfix authors (@mxrelay)"],
        "options": {f"{role}_domains": domains, **settings},
    }
    return "---\n" + HEADER + _yaml({"argument_specs": {"main": main}})


def defaults(source: Mapping[str, Any], role: str) -> str:
    """Return the defaults of a role."""
    values = {"domains": [], **{name: option["default"] for name, option in source["settings"].items()}}
    lines = [f"{role}_{name}: {_scalar(value)}\n" for name, value in values.items()]
    return "---\n" + HEADER + "# meta/argument_specs.yml says what each of them means.\n" + "".join(lines)


def names(source: Mapping[str, Any]) -> str:
    """Return the variable that tells the roles which of a user's variables are theirs."""
    return f"---\n{HEADER}__mx_setting_names:\n" + "".join(f"  - {name}\n" for name in _handed(source))


def fragment(source: Mapping[str, Any]) -> str:
    """Return the documentation of mx_plan's options `domains` and `settings`."""
    items = {name: _module_item(option) for name, option in source["domains"]["options"].items()}
    options = {
        "domains": {
            "description": source["domains"]["description"],
            "type": "list",
            "elements": "dict",
            "default": [],
            "suboptions": {**items, **SUMMARY},
        },
        "settings": {
            "description": [
                "Settings of the whole host, which are variables of the roles; here without the name of a role."
            ],
            "type": "dict",
            "suboptions": {name: _module_option(option) for name, option in _handed(source).items()},
        },
    }
    return f'''\
{HEADER}
from __future__ import annotations


class ModuleDocFragment:
    """The options of mx_plan that the roles hand over."""

    DOCUMENTATION = r"""
{_yaml({"options": options})}"""
'''


def model(source: Mapping[str, Any]) -> str:
    """Return the Python file from which the hosts know the settings and the options of a domain."""
    items = {name: _data(_module_item(option)) for name, option in source["domains"]["options"].items()}
    items.update({name: _data(option) for name, option in SUMMARY.items()})
    settings = {name: _data(option) for name, option in source["settings"].items()}
    summary = "".join(f'    "{name}",\n' for name in SUMMARY)
    return f'''\
{HEADER}"""The options of a domain item and the settings of the whole host, as data for the hosts."""

from __future__ import annotations

from typing import Any

DOMAIN_OPTIONS: dict[str, dict[str, Any]] = {{
{_python(items)}}}
# Of these the options that no user writes.
SUMMARY_OPTIONS = (
{summary})
SETTINGS: dict[str, dict[str, Any]] = {{
{_python(settings)}}}
'''


def _handed(source: Mapping[str, Any]) -> dict[str, Option]:
    """The settings that the roles hand over to mx_plan."""
    return {name: option for name, option in source["settings"].items() if option.get("handed", True)}


def _items_of(source: Mapping[str, Any], role: str) -> dict[str, Option]:
    """The options that the items of a role have."""
    options = source["domains"]["options"]
    return {name: option for name, option in options.items() if role in option.get("roles", source["roles"])}


def _role_item(option: Option, role: str) -> dict[str, Any]:
    description = _with_role(option) if role == "mx" else option["description"]
    choices = option.get("choices")
    if choices and not option.get("required"):
        choices = [*choices, ""]
    return _shown(option, description=_prefixed(description, role), choices=choices)


def _module_item(option: Option) -> dict[str, Any]:
    # What only the items of some roles have, the module need not be told.
    required = True if option.get("required") and "roles" not in option else None
    return _shown(option, description=_with_role(option), required=required)


def _prefixed(description: list[str], role: str) -> list[str]:
    """The words with the names of variables as the role has them.

    Its domains may be a text, so the documentation has them without a type, of which [] can't be said.
    """
    if not role:
        return description
    return [words.replace("O(", f"O({role}_").replace("_domains[].", "_domains.") for words in description]


def _with_role(option: Option) -> list[str]:
    *first, last = option["description"]
    return [*first, f"{last} {option['with_role']}" if "with_role" in option else last]


def _role_option(option: Option, role: str) -> dict[str, Any]:
    """An option as a role's argument spec has it; empty values must get as far as mx_plan."""
    description, default = list(option["description"]), option["default"]
    choices = option.get("choices", [])
    if option["type"] == "list" and default:
        *others, last = (f"V({choice})" for choice in choices)
        description.append(
            f"A list of {', '.join(others)} and {last}, or such a text; null or an empty string means the default."
        )
    elif option["type"] == "list":
        description.append(EMPTY_LIST if option["elements"] == "dict" else TEXT_LIST)
    elif option["type"] == "dict":
        description.append(EMPTY_MAPPING)
    elif option["type"] == "bool":
        description.append(
            "V(true) or V(false); null or an empty string means the default." if default != "" else EMPTY_TRUTH
        )
    elif choices and default:
        description.append(f"Empty means V({default}).")
    raw = option["type"] in ("list", "bool", "dict")
    return _shown(
        option,
        description=_prefixed(description, role),
        type="raw" if raw else option["type"],
        elements=None,
        choices=[*choices, ""] if choices and not raw else None,
    )


def _module_option(option: Option) -> dict[str, Any]:
    """An option as mx_plan has it: without a default, since the other role's value may take its place."""
    if "in_module" in option:
        added = option["in_module"]
    elif option["default"] not in ("", [], {}):
        added = [f"Empty means V({_scalar(option['default'])})."]
    else:
        added = ["Empty leaves it unchanged."] if option["type"] == "bool" else []
    named = [
        words.replace("O(", "O(settings.").replace("O(settings.domains", "O(domains") for words in option["description"]
    ]
    return _shown(option, description=[*named, *added], default=None)


def _shown(option: Option, **changes: Any) -> dict[str, Any]:
    """What Ansible shows of an option, in its order, with changes; one to None leaves a part out."""
    changed = {**option, **changes}
    return {part: changed[part] for part in PARTS if changed.get(part) is not None}


def _data(option: Option) -> dict[str, Any]:
    """What the hosts need to know of an option: all but its words."""
    return {part: value for part, value in option.items() if part not in WORDS}


def _python(options: Mapping[str, Option]) -> str:
    """The members of a dict as black leaves them."""
    lines = []
    for name, option in options.items():
        members = [f'"{part}": {_literal(value)}' for part, value in option.items()]
        line = f'    "{name}": {{{", ".join(members)}}},\n'
        if len(line) > WIDTH + 1:
            line = f'    "{name}": {{\n' + "".join(f"        {member},\n" for member in members) + "    },\n"
        lines.append(line)
    return "".join(lines)


def _literal(value: Any) -> str:
    return repr(value) if isinstance(value, bool) else json.dumps(value)


def _yaml(value: Mapping[str, Any], depth: int = 0) -> str:
    """Block style for mappings and for lists of sentences, flow style for other lists."""
    lines = []
    for name, part in value.items():
        indent = "  " * depth
        if isinstance(part, Mapping) and part:
            lines.append(f"{indent}{name}:\n{_yaml(part, depth + 1)}")
        elif isinstance(part, str) and name == "description":
            lines.append(f"{indent}{name}: >-\n{_paragraphs(part, depth + 1)}")
        elif name in ("description", "author"):
            lines.append(f"{indent}{name}:\n" + "".join(_item(words, depth + 1) for words in part))
        else:
            lines.append(f"{indent}{name}: {_scalar(part)}\n")
    return "".join(lines)


def _paragraphs(text: str, depth: int) -> str:
    """The lines of a folded text, which has a blank line for each line end."""
    indent = "  " * depth
    filled = [
        textwrap.fill(
            words,
            WIDTH,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for words in text.split("\n")
    ]
    return "\n\n".join(filled) + "\n"


def _item(words: str, depth: int) -> str:
    if yaml.safe_load(words) != words:
        raise ValueError(f"{SOURCE}: YAML doesn't take these words without quotes; say it otherwise: {words}")
    indent = "  " * depth
    wrapper = textwrap.TextWrapper(
        WIDTH,
        initial_indent=f"{indent}- ",
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapper.fill(words) + "\n"


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_scalar, value))}]"
    return str(value) if yaml.safe_load(str(value)) == value else json.dumps(value)
