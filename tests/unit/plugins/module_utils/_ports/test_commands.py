# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of this host, run for real."""

from __future__ import annotations

import itertools
import os
import signal
import types
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import commands
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import LocalCommands, Result


def sh(script: str, data: bytes | None = None) -> Result:
    return LocalCommands().run(["sh", "-c", script], data)


def test_status_and_both_outputs_come_back() -> None:
    assert sh("echo out; echo err >&2; exit 3") == Result(3, "out\n", "err\n")


def test_input_longer_than_a_pipe_holds_comes_back() -> None:
    text = "x" * (1 << 20)
    assert LocalCommands().run(["cat"], text.encode()).out == text


def test_input_that_is_read_slowly_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "SECONDS_OF_PATIENCE", 0.01)
    assert sh("sleep 0.2; wc -c; sleep 0.2", b"x" * (1 << 20)) == Result(0, f"{1 << 20}\n", "")


def test_command_need_not_read_its_input() -> None:
    assert sh("head -c 3", b"x" * (1 << 20)) == Result(0, "xxx", "")


def test_without_data_standard_input_is_empty() -> None:
    assert sh("cat; echo end") == Result(0, "end\n", "")


def test_undecodable_bytes_are_surrogates() -> None:
    assert sh("printf '\\377'").out == "\udcff"


def test_missing_command_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        LocalCommands().run(["no-such-command-of-postfix"])


def test_command_that_is_silent_for_long_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "SECONDS_OF_PATIENCE", 0.01)
    assert sh("printf first; sleep 0.2; printf last; exit 5") == Result(5, "firstlast", "")


def test_what_is_left_in_the_background_is_not_waited_for() -> None:
    result = sh("sleep 300 & echo $!; echo err >&2")
    try:
        os.kill(int(result.out), 0)  # it runs still
        assert result == Result(0, result.out, "err\n")
    finally:
        os.kill(int(result.out), signal.SIGKILL)


def test_command_that_is_silent_for_too_long_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "SECONDS_OF_PATIENCE", 0.01)
    with pytest.raises(TimeoutError, match="^sleep printed nothing for 0.05 s$"):
        LocalCommands().run(["sleep", "300"], silence=0.05)


def test_command_that_goes_on_talking_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock has the command say something each time it is looked at."""
    os.mkfifo(tmp_path / "words")
    words = os.open(tmp_path / "words", os.O_RDWR)
    looks = itertools.count()

    def clock() -> int:
        look = next(looks)
        if look < 30:
            os.write(words, b"word\n")
        elif look == 30:
            os.close(words)
        return look

    monkeypatch.setattr(commands, "time", types.SimpleNamespace(monotonic=clock))
    monkeypatch.setattr(commands, "SECONDS_OF_PATIENCE", 0.05)
    assert LocalCommands().run(["cat", str(tmp_path / "words")], silence=20).out == "word\n" * 30


def test_stream_hands_over_what_a_command_writes() -> None:
    pieces: list[bytes] = []
    result = LocalCommands().stream(["sh", "-c", "echo one; echo two; echo err >&2; exit 3"], pieces.append, 60)
    assert (b"".join(pieces), result) == (b"one\ntwo\n", Result(3, "", "err\n"))


@pytest.mark.parametrize("script", ["exec sleep 300", "exec yes"])
def test_stream_that_does_not_end_is_killed(script: str) -> None:
    assert LocalCommands().stream(["sh", "-c", script], lambda _piece: None, 0.05) == Result(-signal.SIGKILL, "", "")
