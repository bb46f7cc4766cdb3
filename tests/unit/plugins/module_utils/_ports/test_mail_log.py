# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import mail_log
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.mail_log import HostMailLog, first_with


class Journal:
    """journalctl on a host that has a journal, or none."""

    def __init__(self, there: bool = True) -> None:
        self.there = there
        self.silent = False
        self.asked: list[list[str]] = []

    def run(self, argv: Sequence[str], data: bytes | None = None, silence: float | None = None) -> Result:
        del data, silence
        if not self.there:
            raise FileNotFoundError(argv[0])
        self.asked.append(list(argv))
        if "--show-cursor" in argv:
            return Result(0, "-- cursor: s=1;i=2\n", "")
        if self.silent:
            raise TimeoutError
        return Result(0, "Nov 28 mx postfix/smtpd[1]: x\n", "")

    def stream(self, argv: Sequence[str], take: object, seconds: float | None = None) -> Result:
        raise NotImplementedError


@pytest.fixture
def syslog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "mail.log"
    monkeypatch.setattr(mail_log, "SYSLOG_FILES", (str(path),))
    return path


def test_journal_is_read_from_where_it_ended(syslog: Path) -> None:
    journal = Journal()
    log = HostMailLog(journal, facility="local1")
    (position,) = log.positions()
    assert position == {"log": "journal", "cursor": "s=1;i=2"}
    assert log.since(position) == ["Nov 28 mx postfix/smtpd[1]: x", ""]
    assert journal.asked[-1][-2:] == ["--after-cursor=s=1;i=2", "SYSLOG_FACILITY=17"]
    assert not syslog.exists()


def test_what_was_written_lately_is_read(syslog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_log, "LOG_BYTES", 4)
    syslog.write_text("one\ntwo\n")
    journal = Journal()
    log = HostMailLog(journal)
    of_journal, of_file = log.positions()
    assert log.lately(of_journal, 7) == ["Nov 28 mx postfix/smtpd[1]: x", ""]
    assert journal.asked[-1][-2:] == ["--since=-7d", "SYSLOG_FACILITY=2"]
    assert log.lately(of_file, 7) == ["two", ""]


def test_own_file_of_postfix_comes_before_the_journal_and_syslog(tmp_path: Path, syslog: Path) -> None:
    own = tmp_path / "postfix.log"
    own.write_text("x")
    syslog.write_text("y")
    found = HostMailLog(Journal(), str(own)).positions()
    assert [position["log"] for position in found] == [str(own), "journal", str(syslog)]


def test_file_is_read_from_where_it_ended_also_after_it_was_rotated(syslog: Path) -> None:
    log = HostMailLog(Journal(there=False))
    syslog.write_text("before\n")
    (position,) = log.positions()
    with syslog.open("a") as stream:
        stream.write("after\n")
    assert log.since(position) == ["after", ""]
    os.rename(syslog, syslog.with_suffix(".1"))
    syslog.write_text("new\n")
    assert log.since(position) == ["new", ""]
    syslog.unlink()
    assert log.since(position) == [""]


def test_pipe_or_terminal_is_no_log(tmp_path: Path, syslog: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert HostMailLog(Journal(there=False), str(pipe)).positions() == []
    assert HostMailLog(Journal(there=False), "/dev/stdout").positions() == []
    assert HostMailLog(Journal(there=False)).since({"log": str(pipe), "inode": 1, "size": 0}) == [""]
    assert not syslog.exists()


def test_tail_is_of_the_first_log_that_tells_of_deliveries(syslog: Path) -> None:
    journal = Journal()
    syslog.write_text("old, delays=1/1/1/1\nnew, delays=2/2/2/2\n")
    assert HostMailLog(journal).tail(20) == ["new, delays=2/2/2/2", ""]
    assert HostMailLog(journal, facility="mail").tail(1000) == ["old, delays=1/1/1/1", "new, delays=2/2/2/2", ""]
    assert journal.asked[-1][-3:] == ["-n", "5", "SYSLOG_FACILITY=2"]


@pytest.mark.parametrize(("there", "silent"), [(True, False), (True, True), (False, False)])
def test_tail_is_empty_if_no_log_tells_of_deliveries(syslog: Path, there: bool, silent: bool) -> None:
    syslog.write_text("nothing of interest\n")
    journal = Journal(there)
    journal.silent = silent
    assert HostMailLog(journal).tail(1000) == []


def test_log_that_knows_the_message_is_taken() -> None:
    assert first_with([["a"], ["b C657F1CE2F4"], ["C657F1CE2F4"]], ["C657F1CE2F4"]) == ["b C657F1CE2F4"]
    assert first_with([["a"]], ["b"]) == ()
