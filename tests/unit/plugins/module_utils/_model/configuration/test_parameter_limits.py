# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_limits import (
    beyond,
    limits_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import (
    BOOLEAN,
    INTEGER,
    TEXT,
    TIME,
    Kind,
)

NUMBER = Kind(INTEGER)
DAYS = Kind(TIME, "d")


@pytest.mark.parametrize(
    ("name", "kind", "limits"),
    [
        ("default_destination_concurrency_limit", NUMBER, (-(2**31), 2**31 - 1)),
        ("relay_destination_concurrency_limit", NUMBER, (-(2**31), 2**31 - 1)),
        ("relay_initial_destination_concurrency", NUMBER, (1, 2**31 - 1)),
        ("slow_delivery_slot_discount", NUMBER, (0, 100)),
        ("slow_recipient_refill_delay", Kind(TIME, "s"), (1, 2**31 - 1)),
        ("message_size_limit", NUMBER, (-(2**63), 2**63 - 1)),
        ("smtpd_recipient_limit", NUMBER, (1, 2**31 - 1)),
        ("unverified_recipient_defer_code", NUMBER, (200, 499)),
        ("maximal_queue_lifetime", DAYS, (0, 8640000)),
        ("minimal_backoff_time", Kind(TIME, "s"), (1, 2**31 - 1)),
        ("smtp_connect_timeout", Kind(TIME, "s"), (0, 2**31 - 1)),
        ("smtpd_client_ipv4_prefix_length", NUMBER, (0, 32)),
        ("smtpd_client_ipv6_prefix_length", NUMBER, (0, 128)),
        ("default_delivery_slot_discount", NUMBER, (0, 100)),
    ],
)
def test_limits_are_those_of_the_daemon_that_reads_it(name: str, kind: Kind, limits: tuple[int, int]) -> None:
    assert limits_of(name, kind) == limits


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        *(("maximal_queue_lifetime", DAYS, text) for text in ("0", "100", "100d", "8640000s", "14w", "2400h")),
        *(("relay_destination_concurrency_limit", NUMBER, text) for text in ("-1", "0", "+5", "2147483647")),
        ("message_size_limit", NUMBER, "9223372036854775807"),
        ("minimal_backoff_time", Kind(TIME, "s"), "2147483647"),
        # conv_time(3) multiplies in 32 bits.
        ("minimal_backoff_time", Kind(TIME, "s"), "24854d"),
        # What is no number or time is not a question of limits.
        ("maximal_queue_lifetime", DAYS, "5x"),
        ("smtpd_recipient_limit", NUMBER, "many"),
        ("smtpd_delay_reject", Kind(BOOLEAN), "7"),
        ("myhostname", Kind(TEXT), "7"),
    ],
)
def test_value_within_its_limits(name: str, kind: Kind, text: str) -> None:
    assert beyond(name, kind, text) == ""


@pytest.mark.parametrize(
    ("name", "kind", "text", "wanted"),
    [
        *(("maximal_queue_lifetime", DAYS, text, "a time from 0s to 100d") for text in ("101", "101d", "15w", "3600")),
        ("bounce_queue_lifetime", DAYS, "2401h", "a time from 0s to 100d"),
        ("minimal_backoff_time", Kind(TIME, "s"), "0", "a time from 1s to 2147483647s"),
        ("minimal_backoff_time", Kind(TIME, "s"), "2147483648", "a time from 1s to 2147483647s"),
        ("minimal_backoff_time", Kind(TIME, "s"), "24855d", "a time from 1s to 2147483647s"),
        ("in_flow_delay", Kind(TIME, "s"), "11s", "a time from 0s to 10s"),
        ("smtpd_recipient_limit", NUMBER, "0", "a whole number from 1 to 2147483647"),
        ("relay_destination_concurrency_limit", NUMBER, "99999999999", "a whole number from -2147483648 to 2147483647"),
        ("unverified_recipient_defer_code", NUMBER, "550", "a whole number from 200 to 499"),
        ("message_size_limit", NUMBER, "9223372036854775808", f"a whole number from -{2**63} to {2**63 - 1}"),
    ],
)
def test_value_beyond_its_limits(name: str, kind: Kind, text: str, wanted: str) -> None:
    assert beyond(name, kind, text) == wanted
