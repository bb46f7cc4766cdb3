# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivers again, bounces or deletes what is kept of refused mail. Nothing else on hold is touched."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.kept_mail import (
    double_bounce_of,
    extract,
    read_kept_mail,
    read_report,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue import read_queue
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import MainCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.kept_choice import (
    BOUNCE,
    DELIVER,
    GONE,
    NOT_TAKEN,
    NOT_WHOLE,
    OTHERS_TOO,
    Choice,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.kept_reports import Report
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import KeptMail
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    text_of,
    wait_for_lock,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.scratch import scratch_directory
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.sendmail import Sendmail

# Survives no restart of the host, and need not; unlike /tmp it is hardly ever memory.
SCRATCH = "/var/tmp"
_SUBMITTERS = "authorized_submit_users"
_ANYBODY = "static:anyone"
LOCK_SECONDS = 60.0


@dataclass
class Release:
    """All reports that are kept, those with which something is done, and how many are left, by reason."""

    kept: list[KeptMail] = field(default_factory=list)
    done: list[KeptMail] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)

    def take(self, reports: Sequence[KeptMail], obstacle_of: Callable[[Report], str]) -> None:
        """Those of the reports against which nothing stands are done, the others left for what does."""
        for message, report in reports:
            obstacle = obstacle_of(report)
            if obstacle:
                self.left[obstacle] += 1
            else:
                self.done.append((message, report))


def plan_release(postfix: Postfix, choice: Choice) -> Release:
    """What would be done. Raises HostError if the queue can't be read."""
    found = read_kept_mail(postfix, read_queue(postfix)).mail
    chosen, others = choice.of(found)
    plan = Release(kept=found)
    if others:
        plan.left[OTHERS_TOO] = others
    plan.take(chosen, choice.obstacle)
    return plan


def release_kept(postfix: Postfix, choice: Choice, sendmail: Sendmail) -> Release:
    """Plans and does it, one run at a time, and returns what was done. Raises HostError if it could not go on."""
    queue_directory = postfix.queue_directory()
    with alone_with_held_mail(os.path.join(queue_directory, "hold")):
        plan = plan_release(postfix, choice)
        work = _Work(postfix, choice.action, queue_directory, double_bounce_of(postfix), sendmail)
        did = Release(kept=plan.kept, left=plan.left)
        did.take(plan.done, work.do)
        return did


@contextmanager
def handing_in(postfix: Postfix) -> Iterator[str]:
    """A configuration directory with which root may hand mail in at the instance.

    postmulti(1) makes instances at which nobody may, by an empty authorized_submit_users; what they once took may come
    again.
    """
    allowed = postfix.parameters([_SUBMITTERS], ["-x"]).get(_SUBMITTERS, _ANYBODY)
    if allowed == _ANYBODY:
        yield postfix.config_directory
        return
    path = os.path.join(postfix.config_directory, "main.cf")
    main_cf = MainCf(text_of(path), path)
    main_cf.set(_SUBMITTERS, "root")
    with scratch_directory() as directory:
        copy = os.path.join(directory, "main.cf")
        with open(copy, "wb") as stream:
            stream.write(str(main_cf).encode("utf-8", "surrogateescape"))
        # Postfix's commands wait until a main.cf is two seconds old, in case it is being written.
        os.utime(copy, (0, 0))
        yield directory


class _Work:
    """What is done with each report."""

    def __init__(
        self, postfix: Postfix, action: str, queue_directory: str, double_bounce: str, sendmail: Sendmail
    ) -> None:
        self._postfix = postfix
        self._action = action
        self._queue_directory = queue_directory
        self._double_bounce = double_bounce
        self._sendmail = sendmail

    def do(self, report: Report) -> str:
        """Why nothing was done with the report; "" if it was."""
        # A queue id is used again once its file is gone: by its file it is known that this is what was judged.
        identity = self._identity(report)
        if identity is None or read_report(self._postfix, report.queue_id, self._double_bounce) != report:
            return GONE
        if self._action == DELIVER:
            obstacle = self._deliver(report, identity)
            if obstacle:
                return obstacle
        elif self._identity(report) != identity:
            return GONE
        done = self._postsuper("-H" if self._action == BOUNCE else "-d", report.queue_id)
        return "" if done or self._action == DELIVER else GONE

    def _deliver(self, report: Report, identity: tuple[int, ...]) -> str:
        with tempfile.TemporaryFile(dir=SCRATCH) as original:
            if not extract(self._postfix, report, original):
                return NOT_WHOLE
            if self._identity(report) != identity:
                return GONE
            if not self._sendmail.hand_in(report.sender, [each.recipient for each in report.failures], original):
                return NOT_TAKEN
        # Who released it in this moment has delivered something else in its place.
        return "" if self._identity(report) == identity else GONE

    def _identity(self, report: Report) -> tuple[int, ...] | None:
        """What tells the report's file from any other that had its name, None if it is gone."""
        try:
            found = os.stat(os.path.join(self._queue_directory, report.path))
        except OSError:
            return None
        return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)

    def _postsuper(self, option: str, queue_id: str) -> bool:
        """Whether postsuper(1) did it with a message on hold. Raises HostError if it can't."""
        result = self._postfix.run("postsuper", option, queue_id, "hold")
        if result.rc != 0:
            raise HostError(f"postsuper {option} failed: {result.err.strip()}; run as root (become: true)")
        return ": 1 message" in result.err


@contextmanager
def alone_with_held_mail(directory: str) -> Iterator[None]:
    """Holds a lock on the directory of held mail, which none but root and Postfix can open, and Postfix never locks."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise HostError(f"{directory}: {error.strerror}; run as root (become: true)") from error
    try:
        taken = f"{directory}: another run is changing held mail; try again when it has finished"
        wait_for_lock(descriptor, LOCK_SECONDS, taken)
        yield
    finally:
        os.close(descriptor)
