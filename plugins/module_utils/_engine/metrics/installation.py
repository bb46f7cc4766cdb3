# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that writes metrics, and its timer: how they come, change and go."""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Mapping

# What Ansible sends to the host is what is imported, so the program is.
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.metrics import program
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.metrics.collect import MetricsRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.files import (
    MetricsFiles,
    MetricsPlace,
    metrics_texts,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.systemd_units import UNITS
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    Metadata,
    read_file,
    remove_file,
    replace_file,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.places import refuse_open_place
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.program_archive import program_archive

# There while systemd runs the host, see sd_booted(3).
SYSTEMD = "/run/systemd/system"
_MODE = 0o644
_PROGRAM_MODE = 0o755


@dataclass(frozen=True)
class MetricsChange:
    """The bytes that files are to have, None for one that is to go; `starts`: the timer and the program have to run.

    `path` is where the metrics go.
    """

    files: MetricsFiles
    path: str
    contents: Mapping[str, bytes | None] = field(default_factory=dict)
    starts: bool = False
    diffs: tuple[Diff, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.diffs) or self.starts


def plan_metrics(
    postfix: Postfix, request: MetricsRequest, directory: str, interval: int, queue_directory: str
) -> MetricsChange:
    """What has to change so that the metrics go to this directory every `interval` seconds. Raises MxRelayError."""
    if not os.path.isdir(SYSTEMD):
        raise Refused("systemd does not run this host, so no timer can write metrics; have the report write them")
    if not os.path.isdir(directory):
        raise Refused(
            f"{directory}: is not a directory; install prometheus-node-exporter, or name the directory of its textfile "
            "collector"
        )
    files = MetricsFiles(postfix.config_directory, UNITS)
    path = files.metrics(directory)
    archive = program_archive(program.__name__, sys.executable)
    place = MetricsPlace(files, path, os.path.join(queue_directory, "pid"), sys.executable, archive)
    settings = asdict(replace(request, config_directory=postfix.config_directory, path=path))
    contents: dict[str, bytes | None] = dict(metrics_texts(place, settings, interval))
    diffs = _diffs(files, contents)
    starts = bool(diffs) or not os.path.exists(path) or not _runs(postfix, f"{files.unit}.timer")
    return MetricsChange(files, path, contents, starts, diffs)


def plan_no_metrics(postfix: Postfix, directory: str) -> MetricsChange:
    """What has to change so that nothing of it is left, also not its file in this directory."""
    files = MetricsFiles(postfix.config_directory, UNITS)
    path = files.metrics(directory)
    contents: dict[str, bytes | None] = dict.fromkeys([*files.all, path])
    return MetricsChange(files, path, contents, False, _diffs(files, contents))


def _diffs(files: MetricsFiles, contents: Mapping[str, bytes | None]) -> tuple[Diff, ...]:
    before = {path: read_file(path) for path in contents}
    differ = [path for path in contents if contents[path] != before[path]]
    return tuple(Diff(path, _shown(files, path, before[path]), _shown(files, path, contents[path])) for path in differ)


def _shown(files: MetricsFiles, path: str, text: bytes | None) -> str:
    """A file as a diff shows it: what is not written by hand by its digest."""
    if text is None:
        return ""
    if path in (files.configuration, files.service, files.timer):
        return text.decode("utf-8", "replace")
    what = "a program" if path == files.program else "metrics"
    return f"{what} with the SHA-256 {hashlib.sha256(text).hexdigest()}\n"


def _runs(postfix: Postfix, timer: str) -> bool:
    """Whether the timer is active, and will be after the next boot."""
    return all(postfix.commands.run(["systemctl", word, timer]).rc == 0 for word in ("is-active", "is-enabled"))


def apply_metrics(postfix: Postfix, change: MetricsChange) -> None:
    """Carries the change out. Raises HostError."""
    if not change.changed:
        return
    units = [f"{change.files.unit}.timer", f"{change.files.unit}.service"]
    stays = change.contents[change.files.timer] is not None
    told = {diff.header for diff in change.diffs}
    there = os.path.exists(change.files.timer)
    if there and not stays:
        _systemctl(postfix, "--no-reload", "disable", units[0])
        _systemctl(postfix, "stop", *units)
    for path, content in change.contents.items():
        if path in told:
            _write(path, content, _PROGRAM_MODE if path == change.files.program else _MODE, path == change.path)
    if told.intersection([change.files.service, change.files.timer]):
        _systemctl(postfix, "daemon-reload")
    # systemd remembers a run that failed even after its unit is gone.
    with suppress(HostError):
        _systemctl(postfix, "reset-failed", *units)
    if stays:
        _systemctl(postfix, "--no-reload", "enable", units[0])
        # One that runs already counts from when it was started, and a new interval would wait for its next turn.
        _systemctl(postfix, "restart", units[0])
        # Waits until the program has run once.
        _systemctl(postfix, "start", units[1])


def _write(path: str, content: bytes | None, mode: int, exposed: bool) -> None:
    if not exposed:
        refuse_open_place(path)
    if content is None:
        remove_file(path)
    else:
        replace_file(path, content, Metadata(os.geteuid(), os.getegid(), mode))


def _systemctl(postfix: Postfix, *words: str) -> None:
    done = postfix.commands.run(["systemctl", *words])
    if done.rc != 0:
        said = " ".join((done.err or done.out).split())
        raise HostError(f"systemctl {' '.join(words)} failed: {said}; see journalctl -u {words[-1]}")
