# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.probe_senders import ProbeSenders, read_senders


@pytest.mark.parametrize(
    ("given", "expected", "told"),
    [
        ({}, ProbeSenders("mx.example"), "from <> and from a sender at mx.example"),
        ({"ordinary": "", "spf_fail": None}, ProbeSenders("mx.example"), "from <> and from a sender at mx.example"),
        (
            {"ordinary": "me@Own.example", "spf_fail": "strict.example"},
            ProbeSenders("own.example", "strict.example"),
            "from <> and from a sender at own.example and from a sender at strict.example",
        ),
    ],
)
def test_domains_of_senders_are_those_given_or_this_hosts_own(
    given: dict[str, Any], expected: ProbeSenders, told: str
) -> None:
    senders = read_senders(given, "mx.example")
    assert (senders, senders.told) == (expected, told)


def test_host_without_a_domain_of_its_own_has_no_ordinary_sender() -> None:
    assert read_senders({}, "").told == "from <>"


@pytest.mark.parametrize(
    ("given", "complaint"),
    [({"spf": "x.example"}, "has no option spf; it takes"), ({"ordinary": "a b"}, r'"a b" \(probe_senders.ordinary\)')],
)
def test_what_is_no_sender_is_refused(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        read_senders(given, "")
