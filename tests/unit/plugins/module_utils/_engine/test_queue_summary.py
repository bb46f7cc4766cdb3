# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue import read_queue
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue_summary import summarised_queue
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import with_subdomains
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_kept_mail import FakeKeptMail
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import FakePostqueue


def test_each_domain_has_what_waits_and_what_is_estimated() -> None:
    postfix = FakePostqueue().postfix()
    found = summarised_queue(postfix, read_queue(postfix), ())
    assert {name: (counts["count"], counts["drain"]["deliveries"]) for name, counts in found["domains"].items()} == {
        "other.test": (2, 2),
        "slow.example": (2, 1),
    }
    assert (found["total"]["count"], found["total"]["drain"]["deliveries"], found["unread"]) == (3, 3, 0)
    assert found["domains"]["slow.example"]["causes"] == {"other": 2}


def test_mail_of_subdomains_counts_for_the_parents(tmp_path: pathlib.Path) -> None:
    postfix = FakePostqueue().postfix()
    found = summarised_queue(postfix, with_subdomains(read_queue(postfix), ["example"]), (), ["example"])
    assert list(found["domains"]) == ["example", "other.test"]
    host = FakeKeptMail(tmp_path, "rcpt", "several")
    kept = summarised_queue(host.postfix(), read_queue(host.postfix()), (), ["example"])
    assert kept["domains"]["example"]["kept"]["count"] == 2
