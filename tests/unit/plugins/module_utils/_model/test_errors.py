# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import (
    HostError,
    InvalidInput,
    MxRelayError,
    NoAnswer,
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
