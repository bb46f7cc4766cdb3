# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.queue_watch import queue_watch
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import FakePostqueue

GIVEN = {"domains": ["slow.example"], "flush": True, "wait": 600, "interval": 10, "_look": None}


def test_first_look_says_when_it_began_and_asks_for_nothing() -> None:
    postqueue = FakePostqueue()
    outcome = queue_watch(GIVEN, postqueue.postfix(), False)
    assert (outcome.changed, outcome.results["waiting"], postqueue.asked) == (False, 1, [])
    assert {name: outcome.results[name] for name in ("flush", "wait", "interval")} == {
        "flush": True,
        "wait": 600,
        "interval": 10,
    }


def test_later_look_is_about_the_mail_from_before() -> None:
    outcome = queue_watch({**GIVEN, "_look": {"since": 1.0, "seconds": 0}}, FakePostqueue().postfix(), False)
    assert (outcome.results["since"], outcome.results["waiting"], outcome.results["later"]) == (1.0, 0, 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"wait": -1}, "wait is -1; give at least 0"),
        ({"interval": 0}, "interval is 0; give at least 1"),
        (
            {"domains": ["a@x.example"]},
            '"a@x.example" (domains[0]) contains an @; give the domain alone, without the local part',
        ),
    ],
)
def test_values_that_can_not_be_right(given: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        queue_watch({**GIVEN, **given}, FakePostqueue().postfix(), False)
    assert caught.value.message == message
