# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that writes metrics, and its timer: how they come, change and go."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

# What Ansible sends to the host is what is imported, so the program is.
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.metrics import program
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.metrics.collect import MetricsRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.own_files import (
    EXECUTABLE,
    READABLE,
    own_file_diffs,
    put_own_file,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.files import (
    MetricsFiles,
    MetricsPlace,
    metrics_texts,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.systemd_units import UNITS
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import remove_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.program_archive import program_archive
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.systemd import runs_systemd, systemctl


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
    if not runs_systemd():
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
    """What is not written by hand is shown by its digest."""
    by_hand = (files.configuration, files.service, files.timer)
    digested = {path: "a program" if path == files.program else "metrics" for path in contents if path not in by_hand}
    return own_file_diffs(contents, digested)


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
        systemctl(postfix, "--no-reload", "disable", units[0])
        systemctl(postfix, "stop", *units)
    for path, content in change.contents.items():
        if path == change.path:
            # Its directory need not be root's own.
            remove_file(path)
        else:
            put_own_file(path, content, EXECUTABLE if path == change.files.program else READABLE)
    if told.intersection([change.files.service, change.files.timer]):
        systemctl(postfix, "daemon-reload")
    # systemd remembers a run that failed even after its unit is gone.
    systemctl(postfix, "reset-failed", *units)
    if stays:
        systemctl(postfix, "--no-reload", "enable", units[0])
        # One that runs already counts from when it was started, and a new interval would wait for its next turn.
        systemctl(postfix, "restart", units[0])
        # Waits until the program has run once.
        systemctl(postfix, "start", units[1])
