# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import pathlib

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.kept_mail import (
    double_bounce_of,
    extract,
    read_kept_mail,
    read_report,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue import read_queue
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.kept_reports import Report
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import Message
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_kept_mail import (
    RELEASES,
    REPORTS,
    FakeKeptMail,
    captured,
)


def report_of(host: FakeKeptMail, name: str) -> Report:
    found = read_report(host.postfix(), host.ids[name], "double-bounce")
    assert found is not None
    return found


def test_reports_are_found_among_what_is_on_hold(tmp_path: pathlib.Path) -> None:
    host = FakeKeptMail(tmp_path, *REPORTS, "forged_by_stranger", "forged_by_user")
    ordinary = host.put(captured("rcpt").replace(b"hold/", b"hold/0"), sender="bob@x.example")
    found = read_kept_mail(host.postfix(), read_queue(host.postfix()))
    assert sorted(report.queue_id for _message, report in found.mail) == sorted(host.ids[name] for name in REPORTS)
    assert found.unread == 0
    assert (host.hold / ordinary).exists()


def test_no_more_are_read_than_wanted_and_the_oldest_first(tmp_path: pathlib.Path) -> None:
    host = FakeKeptMail(tmp_path, "rcpt", "data", "forged_by_user")
    messages = [
        Message(host.ids[name], "hold", arrival, 1, (), "MAILER-DAEMON")
        for name, arrival in (("rcpt", 3), ("data", 2), ("forged_by_user", 1))
    ]
    found = read_kept_mail(host.postfix(), messages, 2)
    assert ([report.queue_id for _message, report in found.mail], found.unread) == ([host.ids["data"]], 1)


def test_nothing_is_asked_if_nothing_is_on_hold(tmp_path: pathlib.Path) -> None:
    host = FakeKeptMail(tmp_path, "rcpt")
    host.meanwhile = lambda command: pytest.fail(str(command))
    found = read_kept_mail(host.postfix(), [Message(host.ids["rcpt"], "active", 1, 1, (), "MAILER-DAEMON")])
    assert (found.mail, found.unread) == ([], 0)


def test_message_that_is_gone_is_no_report(tmp_path: pathlib.Path) -> None:
    assert read_report(FakeKeptMail(tmp_path).postfix(), "A1", "double-bounce") is None


def test_double_bounce_is_a_local_part(tmp_path: pathlib.Path) -> None:
    assert double_bounce_of(FakeKeptMail(tmp_path).postfix()) == "double-bounce"


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", ["rcpt", "several", "null", "utf8"])
def test_original_message_is_taken_out_byte_for_byte(tmp_path: pathlib.Path, release: str, name: str) -> None:
    host = FakeKeptMail(tmp_path, name, release=release)
    target = io.BytesIO()
    assert extract(host.postfix(), report_of(host, name), target) is True
    trace, _blank, body = target.getvalue().partition(b"\n\n")
    assert trace.startswith(b"Received: from client.stranger.example (")
    assert body == b"body \xe9\n.dot line\nFinal-Recipient: rfc822; z@other.example\n\nend\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"\nend\n\n--", b"\nend\n\n-", id="another end"),
        pytest.param(b"*** HEADER EXTRACTED", b"more\n*** HEADER EXTRACTED", id="more after the end"),
    ],
)
def test_message_whose_end_is_not_there_is_not_whole(tmp_path: pathlib.Path, old: bytes, new: bytes) -> None:
    host = FakeKeptMail(tmp_path, "rcpt")
    report = report_of(host, "rcpt")
    assert captured("rcpt").count(old) == 1
    host.put(captured("rcpt").replace(old, new))
    assert extract(host.postfix(), report, io.BytesIO()) is False


def test_message_that_is_gone_is_not_whole(tmp_path: pathlib.Path) -> None:
    host = FakeKeptMail(tmp_path, "rcpt")
    report = report_of(host, "rcpt")
    (host.hold / host.ids["rcpt"]).unlink()
    assert extract(host.postfix(), report, io.BytesIO()) is False


def test_full_disk_is_an_error_that_says_so(tmp_path: pathlib.Path) -> None:
    host = FakeKeptMail(tmp_path, "rcpt")
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(HostError) as caught:
        extract(host.postfix(), report_of(host, "rcpt"), full)
    assert caught.value.message == (
        "a message could not be copied to a temporary file: No space left on device; make room"
    )
