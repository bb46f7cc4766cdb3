# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.inputs import inputs, to_validate, unknown, values

SPECIFICATION: dict[str, dict[str, Any]] = {
    "verify_fail_on": {"type": "list", "elements": "str", "choices": ["local", "dns"], "default": ["local"]},
    "verify_resolver": {"type": "list", "elements": "str", "default": []},
    "verify_probe": {"type": "bool", "default": False},
    "verify_outage": {"type": "str", "default": ""},
}
REQUIRED = {"recipients_domain": {"type": "str", "required": True, "description": "The domain of all. It is ours."}}


def test_what_was_given_is_validated_and_nothing_else() -> None:
    given = {"verify_probe": "true", "verify_outage": 5, "other": "x"}
    assert inputs(SPECIFICATION, given) == {
        "specification": {name: SPECIFICATION[name] for name in ("verify_probe", "verify_outage")},
        "given": {"verify_probe": "true", "verify_outage": 5},
    }


def test_value_of_any_kind_is_not_validated() -> None:
    specification = {"secondary_mx_domains": {"type": "raw"}, "verify_probe": SPECIFICATION["verify_probe"]}
    asked = inputs(specification, {"secondary_mx_domains": ["x.example"], "verify_probe": "true"})
    assert asked["given"] == {"secondary_mx_domains": ["x.example"], "verify_probe": "true"}
    assert to_validate(asked) == {
        "specification": {"verify_probe": SPECIFICATION["verify_probe"]},
        "given": {"verify_probe": "true"},
    }


@pytest.mark.parametrize("blank", ["", " ", "\n", None])
def test_blank_answer_was_not_given(blank: object) -> None:
    assert inputs(SPECIFICATION, dict.fromkeys(SPECIFICATION, blank)) == {"specification": {}, "given": {}}


@pytest.mark.parametrize("said", [False, 0, []])
def test_answer_that_says_no_was_given(said: object) -> None:
    assert inputs(SPECIFICATION, {"verify_probe": said})["given"] == {"verify_probe": said}


@pytest.mark.parametrize("text", ["local, dns", "local dns", "local\r\ndns\r\n", "local\n\ndns"])
def test_text_of_words_is_a_list(text: str) -> None:
    assert inputs(SPECIFICATION, {"verify_fail_on": text})["given"] == {"verify_fail_on": ["local", "dns"]}


def test_text_of_lines_is_a_list() -> None:
    given = inputs(SPECIFICATION, {"verify_resolver": "192.0.2.1\r\n\r\n192.0.2.2\r\n"})["given"]
    assert given == {"verify_resolver": ["192.0.2.1", "192.0.2.2"]}


@pytest.mark.parametrize("given", [{}, {"recipients_domain": " "}])
def test_required_variable_that_was_not_given_is_told_with_its_meaning(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="^recipients_domain is not given; it is the domain of all$"):
        inputs(REQUIRED, given)


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("verify_fail", "no variable verify_fail; did you mean verify_fail_on?"),
        ("verify_probes", "no variable verify_probes; did you mean verify_probe?"),
        ("secondary_mx_colour", "no variable secondary_mx_colour; see the variables of the role secondary_mx"),
        ("mx_colour", "no variable mx_colour; see the variables of the role mx"),
    ],
)
def test_variable_that_nobody_knows_is_named(name: str, warning: str) -> None:
    assert unknown(SPECIFICATION, [name]) == [warning]


@pytest.mark.parametrize(
    "name", ["verify_probe", "secondary_mx_domains", "mx_verify", "mx_canary", "mx_findings", "mxtoolbox", "colour"]
)
def test_variables_of_ours_and_of_others_are_not_warned_of(name: str) -> None:
    assert unknown(SPECIFICATION, [name]) == []


VALUES = {
    "look_far": {"type": "bool", "default": False},
    "look_for": {"type": "list", "elements": "str", "choices": ["a", "b"], "default": ["a"]},
    "look_wait": {"type": "int", "default": 60},
    "look_how": {"type": "str", "choices": ["warn", "fail"], "default": ""},
}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"look_far": False, "look_for": ["a"], "look_wait": 60, "look_how": ""}),
        (
            {"look_far": "yes", "look_for": "b,\r\na", "look_wait": "10", "look_how": "fail"},
            {"look_far": True, "look_for": ["b", "a"], "look_wait": 10, "look_how": "fail"},
        ),
        (
            {"look_far": " \n", "look_for": "", "look_wait": None, "look_how": "\t"},
            {"look_far": False, "look_for": ["a"], "look_wait": 60, "look_how": ""},
        ),
    ],
)
def test_values_are_what_was_given_or_the_defaults(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert values(VALUES, given) == expected


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"look_for": "a, c"}, "value of look_for must be one or more of: a, b. Got no match for: c"),
        ({"look_how": "warm"}, "value of look_how must be one of: warn, fail, got: warm"),
        ({"look_wait": "soon"}, "argument 'look_wait'"),
    ],
)
def test_values_that_do_not_fit_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(words)):
        values(VALUES, given)
