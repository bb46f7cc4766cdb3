# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.queue_bounce import queue_bounce
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import FakePostqueue


def test_nothing_is_done_where_nothing_waits() -> None:
    postqueue = FakePostqueue()
    outcome = queue_bounce({"domains": ["idle.example"]}, postqueue.postfix(), False)
    assert (outcome.changed, outcome.results) == (False, {"count": 0, "domains": {}, "held": {}, "shared": {}})
    assert postqueue.asked == []


def test_domains_must_be_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        queue_bounce({"domains": []}, FakePostqueue().postfix(), False)
    assert caught.value.message == "domains is empty; name the domains whose mail is to be returned"
