# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import EVERY_DOMAIN, Reading


def test_a_domain_is_incomplete_for_its_own_reason_or_that_of_all() -> None:
    reading = Reading((), incomplete={"x.example": "why", EVERY_DOMAIN: "all"})
    assert reading.why_incomplete("x.example") == "why"
    assert reading.why_incomplete("y.example") == "all"
    assert Reading(()).why_incomplete("x.example") == ""
