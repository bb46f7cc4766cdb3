# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.exposition import (
    Family,
    exposition,
    read_sample,
    written_number,
)

WAITING = Family("queue_messages", "Messages.", [({"domain": "x.example"}, 2), ({"domain": "y.example"}, 0)])
AGE = Family("queue_oldest_age_seconds", "Age.", [({"domain": "x.example"}, 60.5)], "seconds")


def test_text_is_what_both_formats_say() -> None:
    assert exposition([({}, [WAITING, AGE])]) == (
        "# HELP mxrelay_queue_messages Messages.\n"
        "# TYPE mxrelay_queue_messages gauge\n"
        'mxrelay_queue_messages{domain="x.example"} 2\n'
        'mxrelay_queue_messages{domain="y.example"} 0\n'
        "# HELP mxrelay_queue_oldest_age_seconds Age.\n"
        "# TYPE mxrelay_queue_oldest_age_seconds gauge\n"
        "# UNIT mxrelay_queue_oldest_age_seconds seconds\n"
        'mxrelay_queue_oldest_age_seconds{domain="x.example"} 60.5\n'
        "# EOF\n"
    )


def test_hosts_share_their_families() -> None:
    alone = Family("relay_domains", "Domains.", [({}, 1)])
    assert exposition([({"host": "mx1"}, [alone]), ({"host": "mx2"}, [alone])]) == (
        "# HELP mxrelay_relay_domains Domains.\n"
        "# TYPE mxrelay_relay_domains gauge\n"
        'mxrelay_relay_domains{host="mx1"} 1\n'
        'mxrelay_relay_domains{host="mx2"} 1\n'
        "# EOF\n"
    )


def test_family_without_samples_is_left_out() -> None:
    assert exposition([({}, [Family("relay_domains", "Domains.", [])])]) == "# EOF\n"


def test_label_is_escaped_and_names_nobody() -> None:
    label = 'a"b\\c\nd bob@x.example \udcff'
    text = exposition([({}, [Family("tables", "Tables.", [({"table": label}, 1)])])])
    assert text.split("\n")[2] == 'mxrelay_tables{table="a\\"b\\\\c\\nd [a recipient] ?"} 1'


@pytest.mark.parametrize(
    ("value", "text"), [(3, "3"), (3.0, "3"), (0.25, "0.25"), (math.inf, "+Inf"), (-math.inf, "-Inf"), (-1, "-1")]
)
def test_number(value: float, text: str) -> None:
    assert written_number(value) == text


def test_sample_is_read_back() -> None:
    text = exposition([({}, [Family("verify_timestamp_seconds", "When.", [({}, 1795359464)], "seconds")])])
    assert read_sample(text, "verify_timestamp_seconds") == 1795359464
    assert read_sample(text, "verify_timestamp") is None
    assert read_sample("mxrelay_broken x\n", "broken") is None
