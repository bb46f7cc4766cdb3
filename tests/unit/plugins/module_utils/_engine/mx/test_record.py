# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx import record as module
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.record import (
    FILE,
    RunRecord,
    Standing,
    await_end,
    begin,
    end,
    files_before,
    forget,
    own_record,
    record_directory,
    standing,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.other_run import OtherRun
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.own_clock import set_clock

OURS = RunRecord(controller="here boot", pid=7, running=True)
THEIRS = RunRecord(controller="there boot", pid=8)


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> FakeMxHost:
    return FakeMxHost(str(tmp_path), "relay_domains = a.example\n")


@pytest.fixture(name="postfix")
def _postfix(host: FakeMxHost) -> Postfix:
    return host.postfix()


def test_record_has_the_files_and_is_for_root_alone(host: FakeMxHost, postfix: Postfix) -> None:
    record, _mark = begin(postfix, OURS, [host.path("main.cf"), host.path("transport")])
    assert (record.controller, record.pid, record.running, record.ended) == ("here boot", 7, True, False)
    assert own_record(postfix, record.name) == record
    host.write("main.cf", "changed\n")
    before = {host.path("main.cf"): b"relay_domains = a.example\n", host.path("transport"): None}
    assert files_before(postfix, record) == before
    directory = record_directory(postfix)
    assert os.stat(directory).st_mode & 0o777 == 0o700
    assert {os.stat(entry.path).st_mode & 0o777 for entry in os.scandir(directory)} == {0o600}


def test_other_run_is_told_from_the_own(postfix: Postfix) -> None:
    record, _mark = begin(postfix, THEIRS, [])
    other = standing(postfix).other
    assert other == OtherRun(record.name, "there boot", 8, 0)
    assert standing(postfix, own=record.name).other is None
    assert standing(postfix, own=record.name).left_behind is False


def test_mark_differs_once_a_run_has_begun_and_once_it_has_ended(postfix: Postfix) -> None:
    marks = [standing(postfix).mark]
    record, found = begin(postfix, OURS, [])
    assert found == marks[0]
    marks.append(standing(postfix).mark)
    forget(postfix, record.name)
    marks.append(standing(postfix).mark)
    assert len(set(marks)) == 3


def test_host_without_a_configuration_has_no_run(tmp_path: Path, host: FakeMxHost) -> None:
    assert standing(Postfix(host, str(tmp_path / "nowhere"))) == Standing()


def test_run_waits_for_another_and_then_begins(monkeypatch: pytest.MonkeyPatch, postfix: Postfix) -> None:
    theirs, _mark = begin(postfix, THEIRS, [])
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            forget(postfix, theirs.name)

    set_clock(monkeypatch, module, sleep=pause)
    ours, _mark = begin(postfix, OURS, [])
    assert own_record(postfix, ours.name) == ours
    assert len(waited) == 3


def test_run_that_another_does_not_let_begin_changes_nothing(postfix: Postfix) -> None:
    theirs, _mark = begin(postfix, THEIRS, [])
    with pytest.raises(HostError) as caught:
        begin(postfix, OURS, [], seconds=0)
    assert caught.value.message == (
        "another run (process 8 on there) has been changing this host for 0 s; run again when it has finished; "
        f"if it was killed, remove {record_directory(postfix)}; nothing was changed"
    )
    assert own_record(postfix, theirs.name) == theirs


def test_of_runs_that_begin_at_once_one_does(postfix: Postfix) -> None:
    begun: list[str] = []
    refused: list[str] = []

    def try_it() -> None:
        try:
            begun.append(begin(postfix, OURS, [], seconds=0)[0].name)
        except HostError as error:
            refused.append(error.message)

    threads = [threading.Thread(target=try_it) for _thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(begun), len(refused)) == (1, 7)
    assert own_record(postfix, begun[0]) is not None


def test_waiting_ends_with_the_run_that_is_waited_for(monkeypatch: pytest.MonkeyPatch, postfix: Postfix) -> None:
    record, _mark = begin(postfix, THEIRS, [])
    other = standing(postfix).other
    assert other is not None
    set_clock(monkeypatch, module, sleep=lambda _seconds: forget(postfix, record.name))
    await_end(postfix, other)
    assert standing(postfix).other is None
    begin(postfix, OURS, [])
    # One that has come since is another's to wait for.
    await_end(postfix, other)


def test_waiting_has_an_end(postfix: Postfix) -> None:
    begin(postfix, THEIRS, [])
    other = standing(postfix).other
    assert other is not None
    await_end(postfix, other, seconds=0.05)
    assert standing(postfix).other is not None


def test_record_of_a_run_that_has_ended_makes_room(postfix: Postfix) -> None:
    theirs, _mark = begin(postfix, THEIRS, [])
    assert standing(postfix, ended=theirs.name).left_behind is True
    ours, _mark = begin(postfix, OURS, [], ended=theirs.name, seconds=0)
    assert own_record(postfix, theirs.name) is None
    assert own_record(postfix, ours.name) == ours


def test_record_that_is_kept_for_a_person_makes_room(postfix: Postfix) -> None:
    theirs, _mark = begin(postfix, THEIRS, [])
    end(postfix, theirs)
    assert standing(postfix) == Standing(left_behind=True, mark=standing(postfix).mark)
    begin(postfix, OURS, [], seconds=0)
    assert own_record(postfix, theirs.name) is None


@pytest.mark.parametrize("content", [None, "", "{", '{"unknown": 1}', "[]"])
def test_what_a_run_that_was_cut_off_left_makes_room(postfix: Postfix, content: str | None) -> None:
    directory = record_directory(postfix)
    os.mkdir(directory)
    if content is not None:
        Path(directory, FILE).write_text(content)
    assert standing(postfix).left_behind is True
    ours, _mark = begin(postfix, OURS, [], seconds=0)
    assert sorted(os.listdir(directory)) == [FILE]
    assert json.loads(Path(directory, FILE).read_text())["name"] == ours.name


def test_own_record_is_replaced_by_its_own_run(host: FakeMxHost, postfix: Postfix) -> None:
    first, _mark = begin(postfix, OURS, [])
    again = RunRecord(name=first.name)
    second, _mark = begin(postfix, again, [host.path("main.cf")], seconds=0)
    assert second.name == first.name
    assert sorted(os.listdir(record_directory(postfix))) == ["0", FILE]


def test_no_run_forgets_the_record_of_another(postfix: Postfix) -> None:
    theirs, _mark = begin(postfix, THEIRS, [])
    assert forget(postfix, "other") is False
    assert own_record(postfix, theirs.name) == theirs
    assert forget(postfix, theirs.name) is True
    assert forget(postfix, theirs.name) is False
    assert os.path.exists(record_directory(postfix)) is False


def test_record_that_cannot_be_made_is_told(postfix: Postfix) -> None:
    shutil.rmtree(postfix.config_directory)
    with pytest.raises(HostError, match="No such file or directory; nothing was changed$"):
        begin(postfix, OURS, [])
