# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebooks, run by ansible-rulebook with the events that their sources give, against what stands in for AWX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab.activation import activation


def test_mail_host_that_goes_and_comes_back_is_looked_into(tmp_path: Path) -> None:
    gone = {"event": "mail_host_unreachable", "mail_host": "mail.customer.example"}
    back = {"event": "mail_host_reachable", "mail_host": "mail.customer.example"}
    with activation(tmp_path, "mail_hosts") as running:
        assert running.send(gone, token="guessed") == 401
        assert running.send({"event": "mail_host_unreachable"}) == 200
        assert running.send({"event": "of another kind", "mail_host": "mail.customer.example"}) == 200
        for event in (gone, gone, back, back, {**gone, "mail_host": "mail.other.example"}):
            assert running.send(event) == 200
        assert running.started(3) == [
            ("verify", "mail.customer.example"),
            ("report", "mail.customer.example"),
            ("verify", "mail.other.example"),
        ]


def test_outage_begins_for_the_domains_of_a_mail_host_that_is_gone(tmp_path: Path) -> None:
    gone = {"event": "mail_host_unreachable", "mail_host": "mail.customer.example", "domains": "customer.example"}
    with activation(tmp_path, "mail_hosts", mxrelay_outage_lifetime="10d") as running:
        assert running.send(gone) == 200
        assert running.started(1) == [("outage_begin", "mail.customer.example")]
        assert running.answers(1) == [
            {
                "outage_begin_domains": "customer.example",
                "outage_begin_length": "3d",
                "outage_begin_lifetime": "10d",
            }
        ]


def test_kept_mail_is_delivered_and_the_outage_ends_once_the_mail_host_is_back(tmp_path: Path) -> None:
    back = {"event": "mail_host_reachable", "mail_host": "mail.customer.example", "domains": ["customer.example"]}
    with activation(tmp_path, "mail_hosts", mxrelay_flush_concurrency=2) as running:
        # The delivery ends red while mail is left, and the outage is over all the same.
        running.fail("queue_flush")
        for event in (back, back):
            assert running.send(event) == 200
        assert running.started(2) == [
            ("queue_flush", "mail.customer.example"),
            ("outage_end", "mail.customer.example"),
        ]
        assert running.answers(2) == [
            {"queue_flush_domains": ["customer.example"], "queue_flush_wait": 600, "queue_flush_concurrency": 2},
            {"outage_end_domains": ["customer.example"]},
        ]


def test_queue_older_than_the_limit_is_reported(tmp_path: Path) -> None:
    old = {"event": "queue_age", "mx_host": "mx2.provider.example", "seconds": 7200}
    with activation(tmp_path, "queue", mxrelay_queue_seconds=3600) as running:
        for event in (
            {**old, "mx_host": "mx3.provider.example", "seconds": 3600},
            old,
            {**old, "seconds": 7300},
            {**old, "mx_host": "mx1.provider.example"},
        ):
            assert running.send(event) == 200
        assert running.started(2) == [("report", "mx2.provider.example"), ("report", "mx1.provider.example")]


def test_recipients_that_change_together_are_read_once(tmp_path: Path) -> None:
    changed = {"event": "recipients_changed", "mail_host": "mail.customer.example"}
    with activation(tmp_path, "recipients") as running:
        assert running.send(changed, token="guessed") == 401
        assert running.send({"event": "recipients_changed"}) == 200
        for event in (changed, changed, {**changed, "mail_host": "mail.other.example"}):
            assert running.send(event) == 200
        assert running.templates(1) == ["sync_recipients"]
        assert running.send(changed) == 200
        assert running.templates(2) == ["sync_recipients", "sync_recipients"]


def test_names_of_templates_are_variables(tmp_path: Path) -> None:
    gone = {"event": "mail_host_unreachable", "mail_host": "mail.customer.example"}
    with activation(tmp_path, "mail_hosts", mxrelay_verify_template="canary") as running:
        assert running.send(gone) == 200
        assert running.started(1) == [("canary", "mail.customer.example")]


def test_alerts_start_what_looks_into_them(tmp_path: Path) -> None:
    def alert(name: str, status: str = "firing", host: str = "mx1") -> dict[str, Any]:
        labels = {"alertname": name, "instance": host}
        key = f'{{}}:{{alertname="{name}", instance="{host}"}}'
        return {"status": status, "groupKey": key, "commonLabels": labels, "alerts": [{"labels": labels}]}

    with activation(tmp_path, "alerts") as running:
        assert running.send(alert("MxrelayListOld"), token="guessed") == 401
        for event in (
            alert("MxrelayFirstBounceNear", "resolved"),
            alert("NodeDown"),
            alert("MxrelayMetricsOld"),
            alert("MxrelayFirstBounceNear"),
            alert("MxrelayFirstBounceNear"),
            alert("MxrelayIndexStale"),
            alert("MxrelayListOld"),
            alert("MxrelayListOld", host="mx2"),
        ):
            assert running.send(event) == 200
        assert running.templates(3) == ["report", "verify", "sync_recipients"]
