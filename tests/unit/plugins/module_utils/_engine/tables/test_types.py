# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import fcntl
import os
import pathlib
import tempfile

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import last_words, probe
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost


@pytest.fixture
def temporary(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_scratch_that_a_killed_run_left_goes_with_the_next_run(temporary: pathlib.Path) -> None:
    left = temporary / "mxrelay-probe-dead"
    left.mkdir()
    (left / "probe").write_text("192.0.2.1 found\n")
    assert probe(FakeHost("/etc/postfix").postfix(), "hash") == ".db"
    assert list(temporary.iterdir()) == []


def test_scratch_of_a_run_of_now_stays(temporary: pathlib.Path) -> None:
    used = temporary / "mxrelay-probe-alive"
    used.mkdir()
    descriptor = os.open(used, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        assert probe(FakeHost("/etc/postfix").postfix(), "hash") == ".db"
        assert list(temporary.iterdir()) == [used]
    finally:
        os.close(descriptor)


def test_what_only_has_the_name_of_a_scratch_stays(temporary: pathlib.Path) -> None:
    elsewhere = temporary / "precious"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("text")
    (temporary / "mxrelay-probe-link").symlink_to(elsewhere)
    (temporary / "mxrelay-probe-file").write_text("text")
    assert probe(FakeHost("/etc/postfix").postfix(), "hash") == ".db"
    assert sorted(path.name for path in temporary.iterdir()) == ["mxrelay-probe-file", "mxrelay-probe-link", "precious"]
    assert (elsewhere / "file").read_text() == "text"


def test_scratch_taken_for_a_leftover_is_made_again(temporary: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = fcntl.flock
    taken = []

    def removed_first(descriptor: int, operation: int) -> None:
        lock(descriptor, operation)
        if not taken:
            taken.extend(temporary.iterdir())
            taken[0].rmdir()

    monkeypatch.setattr(fcntl, "flock", removed_first)
    assert probe(FakeHost("/etc/postfix").postfix(), "hash") == ".db"
    assert len(taken) == 1
    assert list(temporary.iterdir()) == []


def test_last_words_are_one_line_of_bounded_length() -> None:
    pages = "".join(f"BDB3015 recipients.db: write error for page {page}\n" for page in range(5000))
    assert last_words(f"{pages}postmap: fatal: flush database t.db: No space left on device\n") == (
        "postmap: fatal: flush database t.db: No space left on device"
    )
    assert last_words("postmap: fatal: " + "x" * 1000) == "postmap: fatal: " + "x" * 384
    assert last_words("postmap: warning: something") == ""
