# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import pathlib
import stat
import subprocess
import sys
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import limits_guard
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.limits_guard import read_limits, restored

CONCURRENCY = "relay_destination_concurrency_limit"
DELAY = "relay_destination_rate_delay"
BEFORE = f"a = 1\n{CONCURRENCY} =\n    20\n# theirs\nb = 2\n"
AFTER = f"a = 1\n{CONCURRENCY} = 2\n# theirs\nb = 2\n{DELAY} = 1s\n"
RECORD: dict[str, Any] = {
    "unit": "mxrelay-limits-1",
    "expires": 1795359466,
    "before": f"{CONCURRENCY} =\n    20\n# theirs\nb = 2\n",
    "after": f"{CONCURRENCY} = 2\n# theirs\nb = 2\n{DELAY} = 1s\n",
    "limits": [
        {"name": CONCURRENCY, "value": "2", "lines": f"{CONCURRENCY} =\n    20\n"},
        {"name": DELAY, "value": "1s", "lines": ""},
    ],
}


@pytest.mark.parametrize(
    ("text", "without", "names"),
    [
        (AFTER, BEFORE, [CONCURRENCY, DELAY]),
        (AFTER + "c = 3\n", BEFORE + "c = 3\n", [CONCURRENCY, DELAY]),
        (AFTER.replace("b = 2", "b = 9"), BEFORE.replace("b = 2", "b = 9"), [CONCURRENCY, DELAY]),
        (AFTER.replace("= 2\n#", "= 5\n#"), f"a = 1\n{CONCURRENCY} = 5\n# theirs\nb = 2\n", [DELAY]),
        (AFTER.replace(f"{DELAY} = 1s\n", ""), BEFORE, [CONCURRENCY]),
        (AFTER.replace(f"{DELAY} = 1s\n", f"{DELAY} =\n  1s\n"), BEFORE, [CONCURRENCY, DELAY]),
        (AFTER + f"{DELAY} = 1s\n", BEFORE + f"{DELAY} = 1s\n" * 2, [CONCURRENCY]),
        (BEFORE, BEFORE, []),
    ],
)
def test_only_what_nobody_changed_is_as_before(text: str, without: str, names: list[str]) -> None:
    assert restored(text, RECORD) == (without, names)


def test_file_without_a_last_line_break_is_what_it_was_to_the_byte() -> None:
    record = {**RECORD, "before": "a = 1", "after": f"a = 1\n{DELAY} = 1s\n", "limits": RECORD["limits"][1:]}
    assert restored(f"a = 1\n{DELAY} = 1s\n", record) == ("a = 1", [DELAY])


@pytest.fixture
def instance(tmp_path: pathlib.Path) -> pathlib.Path:
    """An instance with limits, whose `postfix` notes what it is asked."""
    (tmp_path / "main.cf").write_text(AFTER)
    (tmp_path / "main.cf").chmod(0o640)
    (tmp_path / ".mxrelay-limits").write_text(json.dumps(RECORD))
    (tmp_path / ".mxrelay-limits.py").write_text(pathlib.Path(limits_guard.__file__).read_text(encoding="utf-8"))
    return tmp_path


def run_timer(instance: pathlib.Path, unit: str, monkeypatch: pytest.MonkeyPatch, running: bool = True) -> list[str]:
    """What the timer's program asks of postfix(1)."""
    asked: list[str] = []

    def run(argv: list[str], **_options: Any) -> subprocess.CompletedProcess[bytes]:
        assert argv[:3] == ["postfix", "-c", str(instance)]
        asked.append(argv[3])
        return subprocess.CompletedProcess(argv, 0 if running else 1)

    monkeypatch.setattr(limits_guard.subprocess, "run", run)
    monkeypatch.setattr(limits_guard.shutil, "which", lambda name, path: name if "/usr/sbin" in path else None)
    assert limits_guard.main(str(instance), unit) == 0
    return asked


def test_timer_takes_limits_back_and_leaves_nothing(instance: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_timer(instance, "mxrelay-limits-1", monkeypatch) == ["status", "reload"]
    assert (instance / "main.cf").read_text() == BEFORE
    assert stat.S_IMODE((instance / "main.cf").stat().st_mode) == 0o640
    assert os.listdir(instance) == ["main.cf"]


def test_timer_of_a_run_whose_limits_were_replaced_does_nothing(
    instance: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_timer(instance, "mxrelay-limits-0", monkeypatch) == []
    assert (instance / "main.cf").read_text() == AFTER
    (instance / ".mxrelay-limits").unlink()
    assert run_timer(instance, "mxrelay-limits-1", monkeypatch) == []


def test_instance_that_does_not_run_is_not_reloaded(instance: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_timer(instance, "mxrelay-limits-1", monkeypatch, running=False) == ["status"]
    assert (instance / "main.cf").read_text() == BEFORE


def test_link_stays_one(instance: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (instance / "main.cf").rename(instance / "real.cf")
    (instance / "main.cf").symlink_to("real.cf")
    run_timer(instance, "mxrelay-limits-1", monkeypatch)
    assert ((instance / "main.cf").is_symlink(), (instance / "real.cf").read_text()) == (True, BEFORE)


def test_program_works_without_the_collection(instance: pathlib.Path) -> None:
    (instance / "main.cf").write_text("a = 1\n")
    argv = [sys.executable, "-I", ".mxrelay-limits.py", str(instance), "mxrelay-limits-1"]
    done = subprocess.run(argv, cwd=instance, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "taken back: nothing, since it was changed meanwhile\n",
        "",
    )
    assert os.listdir(instance) == ["main.cf"]


@pytest.mark.parametrize(
    "record",
    [
        [],
        {"unit": "x"},
        {**RECORD, "expires": "soon"},
        {**RECORD, "limits": [{"name": "x"}]},
    ],
)
def test_what_is_no_record_is_not_believed(instance: pathlib.Path, record: Any) -> None:
    (instance / ".mxrelay-limits").write_text(json.dumps(record))
    with pytest.raises(ValueError):
        read_limits(str(instance))
