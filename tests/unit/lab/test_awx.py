# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds what is generated for AWX against its rules, and shows that each rule can fail."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import awx
from lab.awx_rules import RULES, broken, broken_template, retyped
from lab.generate import generated

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT / "extensions/awx"
SOURCE = yaml.safe_load((ROOT / awx.SOURCE).read_text(encoding="utf-8"))
METAS = awx.specifications(ROOT)
# What blanks mean to these, a filter says that is tested for it.
OF_A_FILTER = ("sync_recipients",)
READY = [name for name in SOURCE["templates"] if name in METAS]
MODULES = yaml.safe_load((ROOT / "tests/unit/data/awx_modules.yml").read_text(encoding="utf-8"))["modules"]


def loaded(name: str) -> Any:
    return yaml.safe_load((DATA / f"{name}.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", READY)
def test_survey_keeps_the_rules(name: str) -> None:
    assert broken(loaded(f"surveys/{name}"), awx.options_of(name, METAS[name])) == []


def test_every_playbook_with_a_specification_has_a_template_or_is_meant_to_have_none() -> None:
    assert sorted(METAS) == sorted([*READY, *(name for name in SOURCE["not_templates"] if name in METAS)])


def test_nothing_is_left_of_what_is_no_longer_generated() -> None:
    there = {str(path.relative_to(ROOT)) for path in DATA.rglob("*.yml")}
    made = {name for name in generated(ROOT) if name.startswith(f"{awx.FOLDER}/")}
    assert there == {*made, awx.SOURCE, f"{awx.FOLDER}/execution-environment.yml"}


@pytest.mark.parametrize("name", READY)
def test_blank_answer_means_the_default_to_the_playbook(name: str) -> None:
    """A blank answer arrives as the empty string or as null."""
    assert [question for question in loaded(f"surveys/{name}")["spec"] if not takes_blank(name, question)] == []


def takes_blank(playbook: str, question: Mapping[str, Any]) -> bool:
    """Whether a playbook reads a variable completed, or its role's specification takes blanks."""
    if question["required"] or playbook in OF_A_FILTER:
        return True
    variable = question["variable"]
    if f"__mx_given.{variable}" in (ROOT / f"playbooks/{playbook}.yml").read_text("utf-8"):
        return True
    spec = ROOT / f"roles/{playbook}/meta/argument_specs.yml"
    options = yaml.safe_load(spec.read_text("utf-8"))["argument_specs"]["main"]["options"] if spec.is_file() else {}
    option = options.get(variable, {"type": "int"})
    return option["type"] in ("raw", "str", "path") and "" in option.get("choices", [""])


def test_templates_keep_the_rules() -> None:
    templates = {template["name"]: template for template in loaded("job_templates")["job_templates"]}
    found = {
        name: broken_template(template, changes=bool(SOURCE["templates"][name].get("changes")))
        for name, template in templates.items()
    }
    assert found == {name: [] for name in READY}


@pytest.mark.parametrize(
    ("changes", "change", "complaint"),
    [
        (True, {"ask_job_type_on_launch": False}, "ask_job_type_on_launch: must be True"),
        (True, {"job_slice_count": 2}, "job_slice_count: must be 1"),
        (True, {"allow_simultaneous": True}, "allow_simultaneous: must be False"),
        (True, {"ask_variables_on_launch": True}, "ask_variables_on_launch: must be False"),
        (True, {"timeout": 0}, "timeout: must be set"),
        (True, {"labels": []}, "labels: must be set"),
        (False, {"job_type": "check"}, "job_type: must be 'run'"),
    ],
)
def test_broken_template_is_named(changes: bool, change: dict[str, Any], complaint: str) -> None:
    template = awx.job_template("p", {"changes": changes, "timeout": 60, "forks": 5}, META, SOURCE["names"])
    assert broken_template(template, changes=changes) == []
    assert broken_template({**template, **change}, changes=changes) == [complaint]


OPTIONS: dict[str, dict[str, Any]] = {
    "p_domain": {"type": "str", "required": True, "description": "The domain, as O(p_rows) has it."},
    "p_rows": {"type": "raw", "default": [], "description": ["Rows.", "V(a) or C(b)."]},
    "p_state": {"type": "str", "choices": ["present", "absent", ""], "default": "present", "description": "What."},
    "p_probe": {"type": "raw", "default": False, "description": "Whether."},
    "p_scopes": {"type": "list", "choices": ["local", "dns"], "default": ["local", "dns"], "description": "Which."},
    "p_wait": {"type": "int", "default": 60, "description": "How long."},
    "p_path": {"type": "path", "default": "/etc/postfix", "description": "Where."},
    "p_secret": {"type": "str", "no_log": True, "default": "", "description": "Secret."},
    "p_members": {"type": "list", "default": [], "description": "Members."},
}
META: dict[str, Any] = {"short_description": "Do it", "argument_specs": {"p": {"options": OPTIONS}}}


def asked(variable: str, **parts: Any) -> dict[str, Any]:
    return awx.question({"variable": variable, "question": "Which?", **parts}, OPTIONS[variable])


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("p_domain", {"type": "text", "required": True, "default": "", "min": 1, "max": 1024, "choices": []}),
        ("p_rows", {"type": "textarea", "required": False, "default": "", "min": 0, "max": 1024}),
        ("p_state", {"type": "multiplechoice", "default": "present", "choices": ["present", "absent"]}),
        ("p_probe", {"type": "multiplechoice", "default": "false", "choices": ["true", "false"]}),
        ("p_scopes", {"type": "multiselect", "default": "local\ndns", "choices": ["local", "dns"]}),
        ("p_wait", {"type": "integer", "default": 60, "min": 0, "max": 2147483647}),
        ("p_path", {"type": "text", "default": "/etc/postfix"}),
        ("p_secret", {"type": "password", "default": ""}),
        ("p_members", {"type": "textarea", "default": ""}),
    ],
)
def test_question_follows_the_specification(variable: str, expected: dict[str, Any]) -> None:
    question = asked(variable)
    assert {key: question[key] for key in expected} == expected


def test_words_are_without_markup() -> None:
    assert asked("p_domain")["question_description"] == "The domain, as p_rows has it."
    assert asked("p_rows")["question_description"] == "Rows. a or b."
    assert awx.plain_words("O(mxrelay.postfix.mx#role:mx_accepted), P(mxrelay.postfix.mx#role)") == (
        "mx_accepted, mxrelay.postfix.mx"
    )


@pytest.mark.parametrize("variable", [name for name in OPTIONS if name != "p_members"])
def test_question_as_generated_keeps_the_rules(variable: str) -> None:
    assert broken({"name": "p", "description": "", "spec": [asked(variable)]}, OPTIONS) == []


BROKEN = [
    ("known_type", "p_probe", {"type": "boolean"}, "AWX has no questions of type boolean"),
    ("valid_name", "p-rows", {}, "is no name of a variable"),
    ("whole_bounds", "p_wait", {"min": 2, "max": 1}, "min is above max"),
    ("whole_bounds", "p_wait", {"max": "100"}, "min and max must be integers"),
    ("whole_bounds", "p_wait", {"min": 0.5}, "min and max must be integers"),
    ("default_in_bounds", "p_wait", {"max": 59}, "the default is not between min and max"),
    ("default_in_bounds", "p_wait", {"default": "60"}, "the default is no number"),
    ("default_in_bounds", "p_path", {"max": 3}, "the default is not between min and max"),
    ("listed_choices", "p_state", {"default": "gone"}, "the default is not among the choices"),
    ("listed_choices", "p_state", {"choices": []}, "choices must be texts, each of them once"),
    ("listed_choices", "p_state", {"choices": ["present", "present"]}, "choices must be texts, each of them once"),
    ("listed_choices", "p_path", {"choices": ["/etc"]}, "a question of type text has no choices"),
    ("listed_choices", "p_scopes", {"default": ["local"]}, "the default must be a text"),
    ("listed_choices", "p_scopes", {"default": "local, dns"}, "the default is not among the choices"),
    ("specified_choices", "p_state", {"choices": ["present", "gone"]}, "has choices that the specification refuses"),
    ("same_default", "p_wait", {"default": 61}, "the default is 61, the specification has 60"),
    ("same_default", "p_probe", {"default": "true"}, "the default is 'true', the specification has False"),
    (
        "same_default",
        "p_scopes",
        {"default": "local"},
        "the default is 'local', the specification has ['local', 'dns']",
    ),
    ("optional_with_default", "p_domain", {"default": "x.example"}, "is required and has a default"),
    ("optional_with_default", "p_rows", {"required": True}, "is required in the survey or in the specification only"),
    ("blank_refused", "p_domain", {"min": 0}, "is required, and takes a blank text; set min to 1"),
    ("secret_without_default", "p_secret", {"default": "hunter2"}, "a password has a default"),
    ("secret_without_default", "p_secret", {"type": "text"}, "is secret, and is not asked as a password"),
    ("without_jinja", "p_rows", {"default": "{{ rows }}"}, "has Jinja in an answer"),
    ("without_jinja", "p_state", {"choices": ["present", "{% if a %}"]}, "has Jinja in an answer"),
    (
        "understood_answers",
        "p_members",
        {},
        "the answer 'a.example\\nb.example' arrives as 'a.example\\nb.example', which type list misreads",
    ),
    (
        "understood_answers",
        "p_state",
        {"choices": ["0644"]},
        "the answer '0644' arrives as 420, which type str misreads",
    ),
    (
        "understood_answers",
        "p_path",
        {"default": "1.10"},
        "the answer '1.10' arrives as 1.1, which type path misreads",
    ),
    (
        "understood_answers",
        "p_state",
        {"choices": ["null"]},
        "the answer 'null' arrives as None, which type str misreads",
    ),
]


@pytest.mark.parametrize(("rule", "variable", "change", "complaint"), BROKEN)
def test_broken_question_is_named(rule: str, variable: str, change: dict[str, Any], complaint: str) -> None:
    options = {**OPTIONS, "p-rows": OPTIONS["p_rows"]}
    question = awx.question({"variable": variable, "question": "Which?"}, options[variable])
    (checked,) = (known for known in RULES if known.__name__ == rule)
    assert complaint in list(checked({**question, **change}, options[variable]))
    survey = {"name": "p", "description": "", "spec": [{**question, **change}]}
    assert f"{variable}: {complaint}" in broken(survey, options)


def test_each_rule_is_shown_to_fail() -> None:
    assert {rule for rule, *_rest in BROKEN} == {rule.__name__ for rule in RULES}


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ([asked("p_wait"), asked("p_wait")], "p_wait: is asked twice"),
        ([{**asked("p_wait"), "variable": "p_other"}], "p_other: is not in the playbook's specification"),
        ([{"variable": "p_wait"}], "p_wait: has not exactly the keys of a question"),
    ],
)
def test_broken_survey_is_named(spec: list[dict[str, Any]], complaint: str) -> None:
    assert broken({"name": "p", "description": "", "spec": spec}, OPTIONS) == [complaint]
    assert broken({"spec": []}, OPTIONS) == ["name: missing or not a text", "description: missing or not a text"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("true", True), ("10", 10), ("1.10", 1.1), ("0644", 420), ("10:25", 625), ("", None), ("null", None)],
)
def test_answer_is_retyped_as_ansible_core_does(answer: str, expected: Any) -> None:
    assert retyped(answer) == expected


def test_question_about_an_unknown_variable_is_refused() -> None:
    template = {"questions": [{"variable": "p_gone", "question": "Which?"}]}
    with pytest.raises(awx.QuestionError, match="p_gone is not in playbooks/p.meta.yml"):
        awx.survey("p", template, META)


@pytest.fixture
def whole() -> dict[str, Any]:
    """Every file as it is if each of the source's playbooks has a meta file."""
    metas = {name: imagined(name, template) for name, template in SOURCE["templates"].items()}
    files = awx.files(SOURCE, metas)
    return {path.removeprefix(f"{awx.FOLDER}/"): yaml.safe_load(text) for path, text in files.items()}


def imagined(name: str, template: Mapping[str, Any]) -> dict[str, Any]:
    options = {asked["variable"]: {"type": "raw", "description": "It."} for asked in template["questions"]}
    return {"short_description": "Do it", "argument_specs": {name: {"options": options}}}


def test_workflow_checks_asks_applies_and_verifies(whole: dict[str, Any]) -> None:
    workflow = whole["workflow.yml"]["workflows"][0]
    ran = [
        (node["identifier"], node["unified_job_template"]["name"], node.get("job_type"), following(node))
        for node in workflow["workflow_nodes"]
    ]
    assert ran == [
        ("check", "secondary_mx", "check", ["approve"]),
        ("approve", "Apply secondary_mx?", None, ["apply"]),
        ("apply", "secondary_mx", "run", ["verify"]),
        ("verify", "verify", None, []),
    ]


def following(node: Mapping[str, Any]) -> list[str]:
    return [other["identifier"] for other in node["related"].get("success_nodes", [])]


def test_each_workflow_has_the_survey_of_what_it_applies(whole: dict[str, Any]) -> None:
    workflows = whole["controller/controller_workflows.yml"]["controller_workflows"]
    assert [entry["name"] for entry in workflows] == [
        "secondary_mx with approval",
        "primary_mx with approval",
        "recipients with approval",
        "trust_mx with approval",
        "queue_release with approval",
    ]
    assert [entry["survey_spec"] for entry in workflows] == [
        whole["surveys/secondary_mx.yml"],
        whole["surveys/primary_mx.yml"],
        whole["surveys/recipients.yml"],
        whole["surveys/trust_mx.yml"],
        whole["surveys/queue_release.yml"],
    ]


def test_only_audits_can_be_sliced(whole: dict[str, Any]) -> None:
    templates = whole["job_templates.yml"]["job_templates"]
    sliced = [template["name"] for template in templates if template["ask_job_slice_count_on_launch"]]
    assert sliced == ["verify", "report"]


def test_whole_templates_keep_the_rules(whole: dict[str, Any]) -> None:
    templates = whole["job_templates.yml"]["job_templates"]
    changing = {
        "secondary_mx",
        "primary_mx",
        "recipients",
        "sync_recipients",
        "trust_mx",
        "queue_flush",
        "queue_hold",
        "queue_release",
        "outage_begin",
        "outage_end",
        "mx_metrics",
        "withdraw",
    }
    assert [broken_template(each, changes=each["name"] in changing) for each in templates] == [[]] * 15


def test_schedules_run_audits_and_the_sync_by_a_literal_rule(whole: dict[str, Any]) -> None:
    schedules = whole["schedules.yml"]["schedules"]
    assert [entry["unified_job_template"] for entry in schedules] == ["sync_recipients", "verify", "report"]
    rule = re.compile(
        r"DTSTART:\d{8}T\d{6}Z RRULE:FREQ=(MINUTELY;INTERVAL=5|DAILY;INTERVAL=1|WEEKLY;INTERVAL=1;BYDAY=[A-Z]{2})"
    )
    assert [entry["rrule"] for entry in schedules if not rule.fullmatch(entry["rrule"])] == []


PAYLOADS = {
    "controller_labels": "label",
    "controller_projects": "project",
    "controller_inventories": "inventory",
    "controller_credentials": "credential",
    "controller_execution_environments": "execution_environment",
    "controller_templates": "job_template",
    "controller_workflows": "workflow_job_template",
    "controller_schedules": "schedule",
}


def surplus(module: str, payload: Mapping[str, Any]) -> Iterator[str]:
    """What a module of awx.awx does not take."""
    options = MODULES[module]
    for key, value in payload.items():
        if key not in options:
            yield f"{module} has no option {key}"
        elif options[key] and value not in options[key]:
            yield f"{module}: {key} can't be {value!r}"


@pytest.mark.parametrize(("variable", "module"), PAYLOADS.items())
def test_modules_of_awx_take_every_field(whole: dict[str, Any], variable: str, module: str) -> None:
    entries = whole[f"controller/{variable}.yml"][variable]
    assert entries
    assert [words for entry in entries for words in surplus(module, entry)] == []


def test_workflow_nodes_have_fields_that_the_module_takes(whole: dict[str, Any]) -> None:
    for entry in whole["controller/controller_workflows.yml"]["controller_workflows"]:
        for node in entry["workflow_nodes"]:
            assert list(surplus("workflow_node", node)) == []
            assert list(surplus("workflow_node_template", node["unified_job_template"])) == []


def test_field_that_a_module_does_not_take_is_named() -> None:
    assert list(surplus("job_template", {"job_type": "scan", "slices": 1})) == [
        "job_template: job_type can't be 'scan'",
        "job_template has no option slices",
    ]


SETUP_TASKS = yaml.safe_load((ROOT / "playbooks/tasks/awx_setup.yml").read_text(encoding="utf-8"))


def passed(module: str) -> dict[str, Any]:
    return next(task[f"awx.awx.{module}"] for task in SETUP_TASKS if f"awx.awx.{module}" in task)


@pytest.mark.parametrize("task", SETUP_TASKS, ids=lambda task: str(task["name"]))
def test_setup_passes_options_that_the_modules_have(task: Mapping[str, Any]) -> None:
    used = {name.removeprefix("awx.awx."): words for name, words in task.items() if name.startswith("awx.awx.")}
    assert [option for module, words in used.items() for option in set(words) - set(MODULES[module])] == []


@pytest.mark.parametrize(
    ("file", "key", "module"),
    [
        ("job_templates.yml", "job_templates", "job_template"),
        ("workflow.yml", "workflows", "workflow_job_template"),
        ("schedules.yml", "schedules", "schedule"),
    ],
)
def test_setup_passes_every_field_of_the_data(whole: dict[str, Any], file: str, key: str, module: str) -> None:
    fields = {field for entry in whole[file][key] for field in entry}
    assert fields - set(passed(module)) == set()


def test_setup_makes_labels_before_what_has_them_and_credentials_without_secrets() -> None:
    order = [name.removeprefix("awx.awx.") for task in SETUP_TASKS for name in task if name.startswith("awx.awx.")]
    assert order == [
        "label",
        "execution_environment",
        "project",
        "inventory",
        "credential",
        "job_template",
        "workflow_job_template",
        "schedule",
    ]
    assert "inputs" not in passed("credential")
    assert passed("credential")["state"] == "exists"


def test_setup_proposes_the_names_of_the_data() -> None:
    options = METAS["awx_setup"]["argument_specs"]["awx_setup"]["options"]
    proposed = {name.removeprefix("awx_setup_"): option["default"] for name, option in options.items()}
    assert {name: proposed[name] for name in SOURCE["names"]} == SOURCE["names"]


def test_setup_reads_the_variables_that_it_specifies() -> None:
    options = METAS["awx_setup"]["argument_specs"]["awx_setup"]["options"]
    texts = [(ROOT / f"playbooks/{name}.yml").read_text(encoding="utf-8") for name in ("awx_setup", "tasks/awx_setup")]
    assert set(re.findall(r"__mx_given\.(awx_setup_\w+)", "".join(texts))) == set(options)
