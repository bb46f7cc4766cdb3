# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules for surveys and job templates: those of AWX, and those that it does not check itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml

Words = Mapping[str, Any]

TYPES = ("text", "textarea", "password", "multiplechoice", "multiselect", "integer", "float")
KEYS = {
    "question_name",
    "question_description",
    "variable",
    "type",
    "required",
    "default",
    "min",
    "max",
    "choices",
    "new_question",
}
TEXTS = ("text", "textarea", "password")
NUMBERS = ("integer", "float")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
JINJA = ("{{", "{%", "{#")
TRUE, FALSE = ("true", "yes", "on", "1", "y", "t"), ("false", "no", "off", "0", "n", "f")

Rule = Callable[[Words, Words], Iterator[str]]


def broken(survey: Words, options: Mapping[str, Words]) -> list[str]:
    """Return what is wrong with a survey, given its playbook's variables; each starts with the variable."""
    found = [f"{key}: missing or not a text" for key in ("name", "description") if not isinstance(survey.get(key), str)]
    seen: set[str] = set()
    for question in survey["spec"]:
        name = question.get("variable", "")
        if question.keys() != KEYS:
            found.append(f"{name}: has not exactly the keys of a question")
            continue
        if name in seen:
            found.append(f"{name}: is asked twice")
        seen.add(name)
        if name not in options:
            found.append(f"{name}: is not in the playbook's specification")
            continue
        found += [f"{name}: {words}" for rule in RULES for words in rule(question, options[name])]
    return found


def known_type(question: Words, _option: Words) -> Iterator[str]:
    """AWX has no question of another type; there is none for truth values."""
    if question["type"] not in TYPES:
        yield f"AWX has no questions of type {question['type']}"


def valid_name(question: Words, _option: Words) -> Iterator[str]:
    """AWX takes any text as the name of a variable, of which Ansible can't make one."""
    if not NAME.fullmatch(question["variable"]):
        yield "is no name of a variable"


def is_integer(value: object) -> bool:
    """Whether AWX can compare this bound; a truth value is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def whole_bounds(question: Words, _option: Words) -> Iterator[str]:
    """AWX compares only integers, and does not compare min with max."""
    bounds = (question["min"], question["max"])
    if not all(map(is_integer, bounds)):
        yield "min and max must be integers"
    elif bounds[0] > bounds[1]:
        yield "min is above max"


def default_in_bounds(question: Words, _option: Words) -> Iterator[str]:
    """AWX keeps a default that it would refuse as an answer."""
    default, kind = question["default"], question["type"]
    if default == "" or not all(is_integer(question[bound]) for bound in ("min", "max")):
        return
    if kind in NUMBERS and isinstance(default, str):
        yield "the default is no number"
        return
    if kind not in (*NUMBERS, *TEXTS):
        return
    measured = default if kind in NUMBERS else len(str(default))
    if not question["min"] <= measured <= question["max"]:
        yield "the default is not between min and max"


def listed_choices(question: Words, _option: Words) -> Iterator[str]:
    """Choices are texts, and a multiselect's default is a text with one of them a line."""
    choices, default, kind = question["choices"], question["default"], question["type"]
    if kind not in ("multiplechoice", "multiselect"):
        if choices:
            yield f"a question of type {kind} has no choices"
        return
    if not choices or len(set(choices)) != len(choices) or not all(isinstance(choice, str) for choice in choices):
        yield "choices must be texts, each of them once"
    if not isinstance(default, str):
        yield "the default must be a text"
    elif default and not set(default.split("\n") if kind == "multiselect" else [default]) <= set(choices):
        yield "the default is not among the choices"


def specified_choices(question: Words, option: Words) -> Iterator[str]:
    """What the specification refuses can't be chosen."""
    if "choices" in option and not set(question["choices"]) <= set(map(str, option["choices"])):
        yield "has choices that the specification refuses"


def same_default(question: Words, option: Words) -> Iterator[str]:
    """AWX's default wins over the playbook's, and is dropped by some launches: so they must be the same."""
    if question["type"] != "password" and intended(question, question["default"]) != plain(option.get("default")):
        yield f"the default is {question['default']!r}, the specification has {option.get('default')!r}"


def optional_with_default(question: Words, option: Words) -> Iterator[str]:
    """A launch through the API fails for a required question without an answer, though it has a default."""
    if question["required"] is not bool(option.get("required")):
        yield "is required in the survey or in the specification only"
    if question["required"] and question["default"] != "":
        yield "is required and has a default"


def blank_refused(question: Words, _option: Words) -> Iterator[str]:
    """To AWX a blank text is an answer to a required question, unless min is 1."""
    if question["required"] and question["type"] in TEXTS and question["min"] == 0:
        yield "is required, and takes a blank text; set min to 1"


def secret_without_default(question: Words, option: Words) -> Iterator[str]:
    """A secret isn't written down, nor asked for in the clear."""
    if question["type"] == "password" and question["default"] != "":
        yield "a password has a default"
    if option.get("no_log") and option.get("type", "str") == "str" and question["type"] != "password":
        yield "is secret, and is not asked as a password"


def without_jinja(question: Words, _option: Words) -> Iterator[str]:
    """Jinja in an answer is not evaluated."""
    if any(mark in str(answer) for answer in (question["default"], *question["choices"]) for mark in JINJA):
        yield "has Jinja in an answer"


def understood_answers(question: Words, option: Words) -> Iterator[str]:
    """Each answer must mean the same as the text that AWX hands over, and as what ansible-core 2.19 makes of that."""
    for answer in answers(question):
        for handed in (answer, retyped(answer)):
            if not understood(question, option, answer, handed):
                yield f"the answer {answer!r} arrives as {handed!r}, which type {option.get('type', 'str')} misreads"


RULES: tuple[Rule, ...] = (
    known_type,
    valid_name,
    whole_bounds,
    default_in_bounds,
    listed_choices,
    specified_choices,
    same_default,
    optional_with_default,
    blank_refused,
    secret_without_default,
    without_jinja,
    understood_answers,
)


def answers(question: Words) -> list[Any]:
    """Return answers that a question must be able to take: its default, each choice, its bounds, lines of a text."""
    kind = question["type"]
    found: list[Any] = [] if question["default"] == "" else [question["default"]]
    if kind == "multiplechoice":
        found += question["choices"]
    elif kind == "multiselect":
        found = [question["choices"], *([choice] for choice in question["choices"])]
    elif kind in NUMBERS:
        found += [question["min"], question["max"]]
    elif kind == "textarea":
        found += ["a.example\nb.example"]
    return found


def retyped(answer: Any) -> Any:
    """Return what ansible-core 2.19 and later make of an answer: what YAML reads in a text, also in those of a list."""
    if isinstance(answer, list):
        return [retyped(member) for member in answer]
    if not isinstance(answer, str) or "\n" in answer:
        return answer
    try:
        return yaml.safe_load(answer)
    except yaml.YAMLError:
        return answer


def intended(question: Words, answer: Any) -> Any:
    """Return the value that somebody means by an answer; a text with lines is a list to those who ask for choices."""
    if question["type"] == "multiselect":
        return [line for line in answer.split("\n") if line] if isinstance(answer, str) else answer
    if question["type"] == "multiplechoice" and question["choices"] == ["true", "false"] and answer:
        return answer == "true"
    return answer


def plain(default: Any) -> Any:
    """Return a specified default as a survey can have it: blank for what is empty, lines for a list of a text area."""
    return "" if default in (None, [], {}) and default is not False else default


def understood(question: Words, option: Words, answer: Any, handed: Any) -> bool:
    """Whether what is handed over means to the specification what the answer meant."""
    kind, meant = option.get("type", "str"), intended(question, answer)
    if isinstance(meant, bool):
        return kind in ("bool", "raw") and str(handed).lower() in (TRUE if meant else FALSE)
    if question["type"] == "textarea":
        # Only a playbook that reads a text itself, which is type raw, makes a list of its lines.
        return bool(kind == "raw")
    if question["type"] in NUMBERS:
        return kind in ("int", "float", "raw") and float(handed) == float(meant)
    if question["type"] == "multiselect":
        return kind in ("list", "raw") and [str(member) for member in handed] == meant
    return kind in ("str", "path", "raw", "int", "float") and str(handed) == str(meant)


CHANGES = {
    "job_type": "run",
    "ask_job_type_on_launch": True,
    "ask_diff_mode_on_launch": True,
    "ask_limit_on_launch": True,
    "diff_mode": True,
    "become_enabled": True,
    "allow_simultaneous": False,
    "job_slice_count": 1,
    "ask_job_slice_count_on_launch": False,
    "ask_variables_on_launch": False,
    "survey_enabled": True,
}
AUDITS = {
    "job_type": "run",
    "ask_job_type_on_launch": False,
    "allow_simultaneous": False,
    "job_slice_count": 1,
    "ask_variables_on_launch": False,
    "survey_enabled": True,
}
EXPLICIT = ("timeout", "forks", "execution_environment", "labels", "inventory", "project", "credentials")


def broken_template(template: Words, *, changes: bool) -> list[str]:
    """Return what is wrong with a job template, which changes hosts or only looks at them."""
    wanted = CHANGES if changes else AUDITS
    found = [f"{key}: must be {value!r}" for key, value in wanted.items() if template.get(key) != value]
    return [*found, *(f"{key}: must be set" for key in EXPLICIT if not template.get(key))]
