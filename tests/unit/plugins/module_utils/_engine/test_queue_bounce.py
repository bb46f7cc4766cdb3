# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue_bounce import bounce, plan_bounce
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import (
    FakePostqueue,
    queue_entry,
)


def leaving() -> FakePostqueue:
    """A queue with mail for a domain that goes, slow.example, and its subdomain."""
    postqueue = FakePostqueue()
    postqueue.queue = (
        queue_entry("B1", "deferred", "a@slow.example", "b@sub.slow.example")
        + queue_entry("B2", "deferred", "a@Slow.example")
        + queue_entry("B3", "deferred", "a@slow.example", "b@other.test")
        + queue_entry("B4", "active", "a@slow.example")
        + queue_entry("B5", "hold", "a@slow.example")
        + queue_entry("B6", "deferred", "b@other.test")
    )
    return postqueue


@pytest.mark.parametrize(
    ("domains", "returned", "shared"),
    [
        (["slow.example"], {"slow.example": ["B2"]}, {"slow.example": 2}),
        (
            ["slow.example", "sub.slow.example"],
            {"slow.example": ["B1", "B2"], "sub.slow.example": ["B1"]},
            {"slow.example": 1},
        ),
        (["sub.slow.example"], {}, {"sub.slow.example": 1}),
        (["idle.example"], {}, {}),
    ],
)
def test_what_waits_for_these_domains_alone_is_returned(
    domains: list[str], returned: dict[str, list[str]], shared: dict[str, int]
) -> None:
    plan = plan_bounce(leaving().postfix(), domains)
    ids = {domain: [message.queue_id for message in mail] for domain, mail in plan.mail.waiting.items()}
    assert (ids, plan.shared) == (returned, shared)
    assert plan.mail.held == ({"slow.example": 1} if "slow.example" in domains else {})


def test_mail_expires_and_is_then_tried_once_more() -> None:
    postqueue = leaving()
    bounce(postqueue.postfix(), plan_bounce(postqueue.postfix(), ["slow.example", "sub.slow.example"]))
    assert postqueue.asked == [["-e", "-", "deferred"], ["-s", "slow.example"], ["-s", "sub.slow.example"]]
    assert postqueue.given == [b"B1\nB2\n"]


def test_mail_that_can_not_be_made_to_expire_is_an_error() -> None:
    postqueue = leaving()
    plan = plan_bounce(postqueue.postfix(), ["slow.example"])
    postqueue.expires = False
    with pytest.raises(HostError) as caught:
        bounce(postqueue.postfix(), plan)
    assert caught.value.message == (
        "postsuper -e failed: postsuper: fatal: use of this command is reserved for the superuser; run as root "
        "(become: true)"
    )
    assert postqueue.asked == [["-e", "-", "deferred"]]


def test_older_postfix_is_refused_before_anything_is_done() -> None:
    postqueue = leaving()
    postqueue.version = "3.4.23"
    with pytest.raises(HostError) as caught:
        plan_bounce(postqueue.postfix(), ["slow.example"])
    assert caught.value.message == (
        "Postfix before 3.5 can't return mail before it expires; deliver it, or let it expire"
    )
    assert postqueue.asked == []
