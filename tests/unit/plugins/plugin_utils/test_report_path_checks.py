# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import every_check
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.report_path import LINKS, STATIONS, place_of


@pytest.mark.parametrize(
    ("check", "place", "drawn"),
    [
        ("mx_record", "mx", "arrival"),
        ("mx_order", "mx", "mx"),
        ("inet_interfaces", "host", "arrival"),
        ("myhostname", "host", "host"),
        ("service", "host", "arrival"),
        ("reload", "host", "host"),
        ("best_mx", "mx", "departure"),
        ("fallback_relay", "nexthop", "departure"),
        ("mail_host", "nexthop", "delivery"),
        ("mail_host_unknown", "recipients", "host"),
        ("mail_host_refuses", "mail_host", "delivery"),
        ("open_relay", "sender", "lookup"),
    ],
)
def test_finding_is_drawn_where_its_check_is(check: str, place: str, drawn: str) -> None:
    assert place_of({"check": check, "place": place}) == drawn
    assert place_of({"check": check}) == drawn


def test_finding_that_lies_elsewhere_than_its_check_is_drawn_there() -> None:
    assert place_of({"check": "index", "place": "recipients"}) == "host"
    assert place_of({"check": "index", "place": "nexthop"}) == "departure"


def test_finding_of_a_check_that_is_not_known_is_drawn_at_its_place() -> None:
    assert place_of({"check": "of_a_later_release", "place": "mail_host"}) == "delivery"
    assert place_of({"check": "of_a_later_release", "place": "of_a_later_release"}) == "host"
    assert place_of({"check": "of_a_later_release"}) == "host"


def test_every_check_is_drawn_somewhere_on_the_picture() -> None:
    drawn = {check.mark for check in every_check()}
    assert drawn - {*STATIONS, *LINKS.values()} == set()
