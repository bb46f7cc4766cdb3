# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import fcntl
import os
import pathlib
from collections.abc import Callable

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine import queue_release as module
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue_release import (
    handing_in,
    plan_release,
    release_kept,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.kept_choice import (
    GONE,
    HEADERS_ONLY,
    NOT_TAKEN,
    NOT_WHOLE,
    OTHERS_TOO,
    STILL_QUEUED,
    Choice,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_kept_mail import (
    REPORTS,
    FakeKeptMail,
    FakeSendmail,
    captured,
)

FORGED = ("forged_by_stranger", "forged_by_user")


@pytest.fixture(name="scratch", autouse=True)
def _scratch(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(module, "SCRATCH", str(scratch))
    return scratch


def spool(tmp_path: pathlib.Path, *names: str) -> FakeKeptMail:
    return FakeKeptMail(tmp_path / "spool", *names)


def test_plan_changes_nothing(tmp_path: pathlib.Path) -> None:
    host = spool(tmp_path, *REPORTS, *FORGED)
    plan = plan_release(host.postfix(), Choice("deliver", ("hold.example",)))
    done = {message.queue_id for message, _report in plan.done}
    assert done == {host.ids[name] for name in ("data", "mail", "null", "quoted", "rcpt")}
    assert plan.left == {OTHERS_TOO: 5, HEADERS_ONLY: 1}
    assert len(plan.kept) == len(REPORTS)
    assert (host.asked, host.left()) == ([], sorted([*REPORTS, *FORGED]))


def test_message_is_delivered_to_whom_it_failed_and_its_report_deleted(
    tmp_path: pathlib.Path, scratch: pathlib.Path
) -> None:
    host, sendmail = spool(tmp_path, "several", "null"), FakeSendmail()
    did = release_kept(host.postfix(), Choice("deliver"), sendmail)
    given = {sender: (recipients, content) for sender, recipients, content in sendmail.taken}
    assert {sender: recipients for sender, (recipients, _content) in given.items()} == {
        "several@stranger.example": [
            "rcpt1@hold.example",
            "bare@hold2.example",
            "x@hold.example",
            "data9@sub.hold.example",
        ],
        "": ["rcpt@hold.example"],
    }
    body = b"\n\nbody \xe9\n.dot line\nFinal-Recipient: rfc822; z@other.example\n\nend\n"
    assert all(content.endswith(body) for _recipients, content in given.values())
    assert sorted(host.asked) == sorted(["-d", queue_id] for queue_id in host.ids.values())
    assert (len(did.done), did.left, host.left(), os.listdir(scratch)) == (2, {}, [], [])


def test_nothing_is_deleted_that_sendmail_did_not_take(tmp_path: pathlib.Path) -> None:
    host, sendmail = spool(tmp_path, "rcpt"), FakeSendmail()
    sendmail.takes = False
    did = release_kept(host.postfix(), Choice("deliver"), sendmail)
    assert (did.done, did.left, host.asked, host.left()) == ([], {NOT_TAKEN: 1}, [], ["rcpt"])


def test_report_is_there_while_sendmail_takes_the_message(tmp_path: pathlib.Path) -> None:
    """A run that is killed at any time leaves the report, or the message is in the queue."""
    host, sendmail = spool(tmp_path, "rcpt"), FakeSendmail()
    seen: list[list[str]] = []
    sendmail.meanwhile = lambda: seen.append(host.left())
    release_kept(host.postfix(), Choice("deliver"), sendmail)
    assert (seen, host.left()) == ([["rcpt"]], [])


def test_message_that_is_not_whole_stays(tmp_path: pathlib.Path) -> None:
    host, sendmail = spool(tmp_path, "headers", "delayed"), FakeSendmail()
    host.ids["rcpt"] = host.put(captured("rcpt").replace(b"\nend\n\n--", b"\nend\n\n-"))
    did = release_kept(host.postfix(), Choice("deliver"), sendmail)
    assert (did.left, sendmail.taken) == ({HEADERS_ONLY: 1, STILL_QUEUED: 1, NOT_WHOLE: 1}, [])
    assert (host.asked, host.left()) == ([], ["delayed", "headers", "rcpt"])


@pytest.mark.parametrize(("action", "option"), [("bounce", "-H"), ("delete", "-d")])
def test_reports_alone_are_released_or_deleted(tmp_path: pathlib.Path, action: str, option: str) -> None:
    host = spool(tmp_path, *REPORTS, *FORGED)
    did = release_kept(host.postfix(), Choice(action), FakeSendmail())
    assert sorted(host.asked) == sorted([option, host.ids[name]] for name in REPORTS)
    assert (len(did.done), did.left, host.left()) == (len(REPORTS), {}, sorted(FORGED))


def at_step(host: FakeKeptMail, number: int, do: Callable[[], None]) -> None:
    """Has something happen just before the host is asked about a message for that time."""
    steps: list[list[str]] = []

    def count(command: list[str]) -> None:
        steps.append(command)
        if len(steps) == number:
            do()

    host.meanwhile = count


@pytest.mark.parametrize(("action", "step"), [("deliver", 2), ("deliver", 3), ("bounce", 2), ("delete", 2)], ids=str)
def test_message_that_took_over_the_queue_id_is_not_touched(tmp_path: pathlib.Path, action: str, step: int) -> None:
    """It reads the same, and only its file tells that it is another: when it is read again, or taken out."""
    host, sendmail = spool(tmp_path, "rcpt"), FakeSendmail()
    path = host.hold / host.ids["rcpt"]

    def take_over() -> None:
        path.rename(tmp_path / "delivered")
        path.write_bytes(captured("rcpt"))

    at_step(host, step, take_over)
    did = release_kept(host.postfix(), Choice(action), sendmail)
    assert (did.done, did.left, host.asked, sendmail.taken) == ([], {GONE: 1}, [], [])
    assert path.exists()


def test_message_that_takes_over_while_sendmail_works_is_not_deleted(tmp_path: pathlib.Path) -> None:
    host, sendmail = spool(tmp_path, "rcpt"), FakeSendmail()
    path = host.hold / host.ids["rcpt"]

    def take_over() -> None:
        path.rename(tmp_path / "delivered")
        path.write_bytes(captured("rcpt"))

    sendmail.meanwhile = take_over
    did = release_kept(host.postfix(), Choice("deliver"), sendmail)
    assert (did.left, host.asked, len(sendmail.taken)) == ({GONE: 1}, [], 1)
    assert path.exists()


@pytest.mark.parametrize("action", ["deliver", "bounce", "delete"])
def test_report_that_is_gone_meanwhile_is_told(tmp_path: pathlib.Path, action: str) -> None:
    host, sendmail = spool(tmp_path, "rcpt", "data"), FakeSendmail()

    def remove() -> None:
        for queue_id in host.ids.values():
            (host.hold / queue_id).unlink()

    at_step(host, 3, remove)
    did = release_kept(host.postfix(), Choice(action), sendmail)
    assert (did.done, did.left, host.asked, sendmail.taken) == ([], {GONE: 2}, [], [])


def test_one_run_waits_for_another(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host, sendmail = spool(tmp_path, "rcpt"), FakeSendmail()
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.2)
    descriptor = os.open(host.hold, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(HostError) as caught:
        release_kept(host.postfix(), Choice("deliver"), sendmail)
    assert caught.value.message == (f"{host.hold}: another run is changing held mail; try again when it has finished")
    assert (host.left(), sendmail.taken) == (["rcpt"], [])
    os.close(descriptor)
    assert len(release_kept(host.postfix(), Choice("deliver"), sendmail).done) == 1


def test_who_may_not_use_postsuper_is_told_so(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = spool(tmp_path, "rcpt")
    fatal = "postsuper: fatal: use of this command is reserved for the superuser\n"
    monkeypatch.setattr(host, "_postsuper", lambda *_command: Result(1, "", fatal))
    with pytest.raises(HostError) as caught:
        release_kept(host.postfix(), Choice("delete"), FakeSendmail())
    assert caught.value.message == f"postsuper -d failed: {fatal.strip()}; run as root (become: true)"


def test_queue_that_can_not_be_opened_is_an_error(tmp_path: pathlib.Path) -> None:
    host = spool(tmp_path)
    host.hold.rmdir()
    with pytest.raises(HostError) as caught:
        release_kept(host.postfix(), Choice("delete"), FakeSendmail())
    assert caught.value.message == f"{host.hold}: No such file or directory; run as root (become: true)"


@pytest.mark.parametrize("allowed", ["static:anyone", None])
def test_message_is_handed_in_at_the_instance_as_it_is(tmp_path: pathlib.Path, allowed: str | None) -> None:
    host = spool(tmp_path)
    host.submitters = allowed
    with handing_in(host.postfix()) as directory:
        assert directory == "/etc/postfix"


def test_root_may_hand_in_where_postmulti_lets_nobody(tmp_path: pathlib.Path) -> None:
    host = spool(tmp_path)
    host.submitters = ""
    (tmp_path / "main.cf").write_bytes(b"queue_directory = /q\nauthorized_submit_users =\nx = \xe9\n")
    with handing_in(Postfix(host, str(tmp_path))) as directory:
        copy = pathlib.Path(directory) / "main.cf"
        assert copy.read_bytes() == b"queue_directory = /q\nauthorized_submit_users = root\nx = \xe9\n"
        assert copy.stat().st_mtime == 0
    assert not copy.exists()
    assert (tmp_path / "main.cf").read_bytes().split(b"\n")[1] == b"authorized_submit_users ="
