# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import (
    HostError,
    InvalidInput,
    MxRelayError,
    NoAnswer,
    Problems,
    Refused,
)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("main.cf: a is wrong; correct it", ("main.cf: a is wrong", "correct it")),
        ("a; b failed; try again", ("a; b failed", "try again")),
        ("postmap failed", ("postmap failed", "see the mail log")),
    ],
)
def test_remedy_is_what_follows_the_last_semicolon(message: str, expected: tuple[str, str]) -> None:
    assert HostError(message).cause_and_remedy("see the mail log") == expected


def test_details_are_kept_for_the_result() -> None:
    error = HostError("give the lists as well", request_unknown=True)
    assert (str(error), error.message, error.details) == (
        "give the lists as well",
        "give the lists as well",
        {"request_unknown": True},
    )


def test_every_error_that_a_person_meets_is_caught_as_one() -> None:
    assert [issubclass(kind, MxRelayError) for kind in (InvalidInput, Refused, HostError, NoAnswer)] == [True] * 4


def test_missing_answer_is_an_error_of_the_host() -> None:
    assert issubclass(NoAnswer, HostError)


def told(count: int) -> str:
    problems = Problems()
    for number in range(count):
        with problems.kept():
            raise InvalidInput(f"line {number} is bad; mend it")
    with pytest.raises(InvalidInput) as caught:
        problems.tell("lines")
    return caught.value.message


def test_one_problem_is_told_as_it_is() -> None:
    assert told(1) == "line 0 is bad; mend it"


def test_several_problems_are_told_at_once() -> None:
    assert told(2) == "2 lines are not valid:\n- line 0 is bad; mend it\n- line 1 is bad; mend it"


def test_no_more_than_twenty_problems_are_told() -> None:
    assert told(20).endswith("\n- line 19 is bad; mend it")
    assert told(21).endswith("\n- line 19 is bad; mend it\n- and 1 more")


def test_without_a_problem_nothing_is_told() -> None:
    problems = Problems()
    with problems.kept():
        pass
    problems.tell("lines")


def test_errors_of_the_host_are_not_kept() -> None:
    with pytest.raises(HostError), Problems().kept():
        raise HostError("no disk")
