# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a run that changes a host: whose it is, and the files as they were before.

It is a directory `.mxrelay-undo` in the configuration directory, open to nobody but root, and there only while a run
changes something. There is one at a time: a run that finds another's waits until that has finished, so what is planned
still holds, and what a run that fails takes back is its own. The host can't tell whether a run is alive; its controller
can, and names one that has ended.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.other_run import OtherRun
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    read_file,
    reason,
    run_lock,
    write_new_file,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.places import refuse_open_place
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

DIRECTORY = ".mxrelay-undo"
FILE = "record.json"
SECONDS_TO_WAIT = 300.0
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class RunRecord:
    """A run, by the name of its record and the process that it is on its controller.

    `running`: whether Postfix was running before, with the `queue_manager` that started then. `copies` has the names of
    the copies by the paths of their originals; None for a file that was not there. `ended`: the run is over, the copies
    are kept for a person. `written` are the digests of the files as the run has left them, if it says so.
    """

    name: str = ""
    controller: str = ""
    pid: int = 0
    running: bool = False
    queue_manager: int = 0
    copies: Mapping[str, str | None] = field(default_factory=dict)
    ended: bool = False
    written: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """What other runs there are or have been: the one that is at it, whether one has left its record behind, and a
    mark that differs once a run has begun or ended since."""

    other: OtherRun | None = None
    left_behind: bool = False
    mark: str = ""


def record_directory(postfix: Postfix) -> str:
    """Where the record of an instance is."""
    return os.path.join(postfix.config_directory, DIRECTORY)


def standing(postfix: Postfix, own: str = "", ended: str = "") -> Standing:
    """How it stands beside the record named `own`; `ended` is one whose run is known to be over. Raises HostError."""
    if not os.path.lexists(record_directory(postfix)):
        return Standing(mark=_mark(postfix))
    with run_lock(create=False):
        return _standing(postfix, own, ended)


def _standing(postfix: Postfix, own: str, ended: str) -> Standing:
    directory, mark = record_directory(postfix), _mark(postfix)
    if not os.path.lexists(directory):
        return Standing(mark=mark)
    record = _read(directory)
    if record is not None and record.name == own:
        return Standing(mark=mark)
    if record is None or record.ended or record.name == ended:
        return Standing(left_behind=True, mark=mark)
    age = max(0, int(time.time() - os.stat(os.path.join(directory, FILE)).st_mtime))
    return Standing(OtherRun(record.name, record.controller, record.pid, age), mark=mark)


def _mark(postfix: Postfix) -> str:
    """The time of the configuration directory, in which each run makes and removes its record."""
    try:
        return str(os.stat(postfix.config_directory).st_mtime_ns)
    except OSError:
        return ""


def _read(directory: str) -> RunRecord | None:
    """The record in the directory; None for what a run that was cut off, or an earlier release, has left there."""
    content = read_file(os.path.join(directory, FILE))
    try:
        return RunRecord(**json.loads(content or b""))
    except (TypeError, ValueError):
        return None


def await_end(postfix: Postfix, other: OtherRun, seconds: float = SECONDS_TO_WAIT) -> None:
    """Waits until the record of that run is gone, or for so long. Raises HostError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = standing(postfix).other
        if now is None or now.record != other.record:
            return
        time.sleep(POLL_SECONDS)


def begin(
    postfix: Postfix, record: RunRecord, paths: Sequence[str], ended: str = "", seconds: float = SECONDS_TO_WAIT
) -> tuple[RunRecord, str]:
    """Makes the record of a run, with copies of the files, and returns it with the mark that it found.

    Waits for another run to finish, and removes what one that has ended left behind. Raises HostError; then nothing was
    changed.
    """
    deadline = time.monotonic() + seconds
    while True:
        with run_lock():
            found = _standing(postfix, record.name, ended)
            if found.other is None:
                return _begun(postfix, record, paths), found.mark
        if time.monotonic() >= deadline:
            refused = found.other.refusal(record_directory(postfix))
            raise HostError(f"{refused.cause}; {refused.remedy}; nothing was changed")
        time.sleep(POLL_SECONDS)


def _begun(postfix: Postfix, record: RunRecord, paths: Sequence[str]) -> RunRecord:
    directory = record_directory(postfix)
    refuse_open_place(os.path.join(directory, FILE))
    named = replace(record, name=record.name or uuid.uuid4().hex)
    try:
        _remove(directory)
        os.mkdir(directory, 0o700)
        copies = {path: _copied(path, os.path.join(directory, str(number))) for number, path in enumerate(paths)}
        begun = replace(named, copies=copies)
        write_new_file(os.path.join(directory, FILE), json.dumps(asdict(begun)).encode())
    except OSError as error:
        raise HostError(f"{directory}: {reason(error)}; nothing was changed") from error
    return begun


def _copied(path: str, copy: str) -> str | None:
    """The name of the copy, None if there is nothing to copy."""
    content = read_file(path)
    if content is None:
        return None
    write_new_file(copy, content, sync=False)
    return os.path.basename(copy)


def _remove(directory: str) -> None:
    if os.path.lexists(directory):
        shutil.rmtree(directory)


def own_record(postfix: Postfix, name: str) -> RunRecord | None:
    """The record of that name, None if it is gone. Raises HostError."""
    directory = record_directory(postfix)
    # Where others write, it would be theirs what a table gets back.
    refuse_open_place(os.path.join(directory, FILE))
    record = _read(directory)
    return record if record is not None and record.name == name else None


def files_before(postfix: Postfix, record: RunRecord) -> dict[str, bytes | None]:
    """What the files held before the run; None for one that was not there. Raises HostError."""
    directory = record_directory(postfix)
    return {path: read_file(os.path.join(directory, copy)) if copy else None for path, copy in record.copies.items()}


def end(postfix: Postfix, record: RunRecord) -> None:
    """Says in the record that its run is over, so that it keeps no other from running. Raises HostError."""
    rewrite(postfix, replace(record, ended=True))


def rewrite(postfix: Postfix, record: RunRecord) -> None:
    """Says in the record what is to be added to it. Raises HostError."""
    path = os.path.join(record_directory(postfix), FILE)
    new = f"{path}.new"
    try:
        write_new_file(new, json.dumps(asdict(record)).encode())
        os.replace(new, path)
    except OSError as error:
        raise HostError(f"{path}: {reason(error)}") from error


def forget(postfix: Postfix, name: str) -> bool:
    """Removes the record of that name, and no other; whether there was one. Raises HostError."""
    directory = record_directory(postfix)
    if not os.path.isdir(directory):
        return False
    with run_lock():
        if own_record(postfix, name) is None:
            return False
        try:
            shutil.rmtree(directory)
        except OSError as error:
            raise HostError(f"{directory}: {reason(error)}; remove it") from error
    return True
