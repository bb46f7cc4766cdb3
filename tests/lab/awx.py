# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what AWX needs for the playbooks, from their meta files and extensions/awx/questions.yml.

Surveys, job templates, workflows and schedules are written twice: as the arguments of awx.awx's modules, and below
`controller` as the variables that infra.aap_configuration takes.
"""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

FOLDER = "extensions/awx"
SOURCE = f"{FOLDER}/questions.yml"
META = ".meta.yml"
HEADER = f"""\
---
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from {SOURCE} and playbooks/*{META} by ./run generate; change it there.
"""
WIDTH = 120
# What AWX's own form proposes as the longest answer, and the largest integer that its database keeps.
LONGEST = 1024
LARGEST = 2147483647
APPROVAL_SECONDS = 604800
TRUTHS = ["true", "false"]
MARKUP = re.compile(r"\b[A-Z]\((?:[^()#]*#\w+:(?:main:)?)?([^()#]*)(?:#\w+)?\)")

Words = Mapping[str, Any]
Data = dict[str, Any]


class QuestionError(ValueError):
    """extensions/awx/questions.yml asks for what no playbook takes."""


def specifications(root: pathlib.Path) -> dict[str, Data]:
    """Return the meta files of the playbooks, by the playbook's name."""
    found = sorted((root / "playbooks").glob(f"*{META}"))
    return {path.name.removesuffix(META): yaml.safe_load(path.read_text(encoding="utf-8")) for path in found}


def files(source: Words, metas: Mapping[str, Words]) -> dict[str, str]:
    """Return every file by its path, for those of the source's templates whose playbook has a meta file."""
    names = source["names"]
    kept = {name: template for name, template in source["templates"].items() if name in metas}
    surveys = {name: survey(name, template, metas[name]) for name, template in kept.items()}
    templates = [job_template(name, template, metas[name], names) for name, template in kept.items()]
    workflows = [
        workflow(name, kept[name], surveys[name], names)
        for name, template in kept.items()
        if template.get("approval") and "verify" in kept
    ]
    schedules = [schedule(words, names) for words in source["schedules"] if words["template"] in kept]
    plain: dict[str, Any] = {
        "job_templates": {"job_templates": templates},
        "workflow": {"workflows": workflows},
        "schedules": {"schedules": schedules},
        **{f"surveys/{name}": spec for name, spec in surveys.items()},
        **{f"controller/{name}": {name: value} for name, value in base(names, templates).items()},
        "controller/controller_templates": {
            "controller_templates": [{**entry, "survey_spec": surveys[entry["name"]]} for entry in templates]
        },
        "controller/controller_workflows": {
            "controller_workflows": [{**entry, "survey_spec": surveys[applied(entry)]} for entry in workflows]
        },
        "controller/controller_schedules": {"controller_schedules": schedules},
    }
    return {f"{FOLDER}/{name}.yml": HEADER + dumped(value) for name, value in plain.items()}


def survey(name: str, template: Words, meta: Words) -> Data:
    """Return the survey of a playbook's template.

    Raises QuestionError for a variable that the playbook's meta file does not specify.
    """
    options = options_of(name, meta)
    for asked in template["questions"]:
        if asked["variable"] not in options:
            raise QuestionError(
                f"{SOURCE}: {asked['variable']} is not in playbooks/{name}{META}; correct it or remove the question"
            )
    return {
        "name": name,
        "description": meta["short_description"],
        "spec": [question(asked, options[asked["variable"]]) for asked in template["questions"]],
    }


def options_of(name: str, meta: Words) -> dict[str, Words]:
    """Return the variables that a playbook's meta file specifies."""
    options: dict[str, Words] = meta["argument_specs"][name]["options"]
    return options


def question(asked: Words, option: Words) -> Data:
    """Return a question about a variable, with every key that AWX keeps."""
    kind = question_type(asked, option)
    required = bool(option.get("required"))
    least, most = bounds(kind)
    if required and kind in ("text", "textarea", "password"):
        least = 1
    return {
        "question_name": asked["question"],
        "question_description": plain_words(option["description"]),
        "variable": asked["variable"],
        "type": kind,
        "required": required,
        "default": default_of(kind, option),
        "min": asked.get("min", least),
        "max": asked.get("max", most),
        "choices": choices_of(asked, option),
        "new_question": True,
    }


def question_type(asked: Words, option: Words) -> str:
    """Return AWX's type of question for a variable."""
    if option.get("no_log") and option.get("type", "str") == "str":
        return "password"
    if choices_of(asked, option):
        return "multiselect" if is_list(option) else "multiplechoice"
    named = {"int": "integer", "float": "float", "list": "textarea", "dict": "textarea", "raw": "textarea"}
    return named.get(option.get("type", "str"), "text")


def choices_of(asked: Words, option: Words) -> list[str]:
    """Return what can be chosen; an empty choice is the blank answer, which needs no name."""
    if is_truth(option):
        return TRUTHS
    return [str(choice) for choice in asked.get("choices", option.get("choices", [])) if choice != ""]


def is_truth(option: Words) -> bool:
    """Whether a variable is true or false."""
    return option.get("type") == "bool" or isinstance(option.get("default"), bool)


def is_list(option: Words) -> bool:
    """Whether a variable is a list."""
    return option.get("type") == "list" or isinstance(option.get("default"), list)


def bounds(kind: str) -> tuple[int, int]:
    """Return min and max as AWX's form proposes them for a type of question."""
    return (0, LARGEST if kind in ("integer", "float") else LONGEST)


def default_of(kind: str, option: Words) -> Any:
    """Return a variable's default as AWX keeps it: the empty string for none, and a list as a text."""
    default = option.get("default")
    if default is None or kind == "password":
        return ""
    if isinstance(default, bool):
        return "true" if default else "false"
    if isinstance(default, list):
        return "\n".join(map(str, default))
    if isinstance(default, dict):
        return json.dumps(default) if default else ""
    return default


def plain_words(description: str | Sequence[str]) -> str:
    """Return a description without Ansible's markup, of which AWX knows nothing."""
    words = description if isinstance(description, str) else " ".join(description)
    return MARKUP.sub(r"\1", words)


def job_template(name: str, template: Words, meta: Words, names: Words) -> Data:
    """Return the arguments of awx.awx.job_template, without the survey."""
    changes = bool(template.get("changes"))
    return {
        "name": name,
        "description": meta["short_description"],
        "organization": names["organization"],
        "project": names["project"],
        "playbook": f"{names['directory']}/{name}.yml",
        "inventory": names["inventory"],
        "credentials": [names["credential"]],
        "execution_environment": names["execution_environment"],
        "job_type": "run",
        "forks": template["forks"],
        "timeout": template["timeout"],
        "job_slice_count": 1,
        "allow_simultaneous": False,
        "become_enabled": changes,
        "diff_mode": changes,
        "ask_job_type_on_launch": changes,
        "ask_diff_mode_on_launch": changes,
        "ask_limit_on_launch": True,
        "ask_job_slice_count_on_launch": bool(template.get("sliced")),
        "ask_variables_on_launch": False,
        "survey_enabled": True,
        "extra_vars": template.get("extra_vars", {}),
        "labels": labels_of(template),
    }


def labels_of(template: Words) -> list[str]:
    """Return the labels by which AWX's lists can be searched."""
    return ["mail relays", "change" if template.get("changes") else "audit"]


def workflow(name: str, template: Words, survey_spec: Words, names: Words) -> Data:
    """Return the arguments of awx.awx.workflow_job_template: check, approval, apply, verify.

    The workflow asks what the template asks; its answers reach both of the template's nodes.
    """

    def job(identifier: str, job_name: str, following: str, **prompts: Any) -> Data:
        found = {"name": job_name, "type": "job_template", "organization": {"name": names["organization"]}}
        related = {"success_nodes": [{"identifier": following}]} if following else {}
        return {"identifier": identifier, "unified_job_template": found, **prompts, "related": related}

    approval = {
        "name": f"Apply {name}?",
        "description": "The job before this one shows what would change.",
        "type": "workflow_approval",
        "timeout": APPROVAL_SECONDS,
    }
    return {
        "name": f"{name} with approval",
        "description": f"{survey_spec['description']}: check, approval, apply, verify",
        "organization": names["organization"],
        "allow_simultaneous": False,
        "ask_limit_on_launch": True,
        "ask_variables_on_launch": False,
        "survey_enabled": True,
        "labels": labels_of(template),
        "workflow_nodes": [
            job("check", name, "approve", job_type="check", diff_mode=True),
            {
                "identifier": "approve",
                "unified_job_template": approval,
                "related": {"success_nodes": [{"identifier": "apply"}]},
            },
            job("apply", name, "verify", job_type="run", diff_mode=True),
            job("verify", "verify", ""),
        ],
    }


def applied(entry: Words) -> str:
    """Return the template that a workflow applies."""
    name: str = entry["workflow_nodes"][0]["unified_job_template"]["name"]
    return name


def schedule(words: Words, names: Words) -> Data:
    """Return the arguments of awx.awx.schedule."""
    return {
        "name": words["name"],
        "description": words["description"],
        "organization": names["organization"],
        "unified_job_template": words["template"],
        "rrule": words["rrule"],
        "enabled": True,
    }


def base(names: Words, templates: Sequence[Words]) -> dict[str, list[Data]]:
    """Return the variables of infra.aap_configuration for what the templates refer to."""
    organization = names["organization"]
    labels = sorted({label for template in templates for label in template["labels"]})
    return {
        "controller_labels": [{"name": label, "organization": organization} for label in labels],
        "controller_projects": [
            {
                "name": names["project"],
                "organization": organization,
                "scm_type": "git",
                "scm_url": names["scm_url"],
                "scm_branch": names["scm_branch"],
                "scm_update_on_launch": False,
            }
        ],
        "controller_inventories": [{"name": names["inventory"], "organization": organization}],
        # One that is there is left as it is, with its secrets; a new one has none.
        "controller_credentials": [
            {
                "name": names["credential"],
                "organization": organization,
                "credential_type": "Machine",
                "state": "exists",
            }
        ],
        "controller_execution_environments": [
            {"name": names["execution_environment"], "image": names["image"], "pull": "missing"}
        ],
    }


class _Dumper(yaml.SafeDumper):
    """Writes YAML as ansible-lint wants it: lists indented, nothing by reference, lines of a text as lines."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless and flow)

    def ignore_aliases(self, data: Any) -> bool:
        return data is not self


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def dumped(value: Words) -> str:
    """Return a value as YAML, in its own order."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=WIDTH - 10, allow_unicode=True)
