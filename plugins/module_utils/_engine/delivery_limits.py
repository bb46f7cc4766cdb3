# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits of deliveries that are in main.cf for a while: their record, and how they are taken back."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import MainCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    reason,
    text_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.limits_guard import (
    RECORD,
    Record,
    forget_limits,
    read_limits,
    restore_main_cf,
    restored,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.places import refuse_open_place
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix


@dataclass(frozen=True)
class StandingLimits:
    """The limits that are set on a host, and main.cf as it is and as it would be without them.

    `names`: the parameters that nobody has changed since; only these are taken back.
    """

    record: Record
    text: str
    without: str
    names: Sequence[str]

    @property
    def expired(self) -> bool:
        return bool(self.record["expires"] <= time.time())

    @property
    def changed_by_others(self) -> list[str]:
        return [limit["name"] for limit in self.record["limits"] if limit["name"] not in self.names]

    def diff(self, path: str) -> Diff:
        """What taking them back changes."""
        old, new = MainCf(self.text, path), MainCf(self.without, path)
        return Diff(path, old.excerpt(self.names), new.excerpt(self.names))


def limits_path(postfix: Postfix) -> str:
    """Where the record of an instance is."""
    return os.path.join(postfix.config_directory, RECORD)


def standing_limits(postfix: Postfix) -> StandingLimits | None:
    """The limits that are set, None if there are none. Raises HostError."""
    path = limits_path(postfix)
    if not os.path.lexists(path):
        return None
    refuse_open_place(path)
    with _told(path):
        record = read_limits(postfix.config_directory)
    if record is None:
        return None
    text = main_cf_text(postfix)
    without, names = restored(text, record)
    return StandingLimits(record, text, without, names)


def main_cf_text(postfix: Postfix) -> str:
    """main.cf as it is. Raises HostError."""
    return text_of(os.path.join(postfix.config_directory, "main.cf"))


def take_limits_back(postfix: Postfix, standing: StandingLimits, reloads: bool = True) -> list[str]:
    """Takes them back, and returns the parameters that are as before. Raises HostError."""
    path = limits_path(postfix)
    with _told(path):
        names = restore_main_cf(postfix.config_directory, standing.record)
    if names and reloads:
        postfix.reload()
    # Last, so that a run that is killed before leaves the work to the timer.
    with _told(path):
        forget_limits(postfix.config_directory)
    stop_timer(postfix, standing.record["unit"])
    return names


def stop_timer(postfix: Postfix, unit: str) -> None:
    """Stops the timer of that name, if it is still there."""
    try:
        postfix.commands.run(["systemctl", "stop", f"{unit}.timer"])
    except FileNotFoundError:
        return


@contextmanager
def _told(path: str) -> Iterator[None]:
    """What is wrong with the record as an error that a person can act on."""
    try:
        yield
    except ValueError as error:
        raise HostError(
            f"{path}: can't be understood ({error}); see whether main.cf still limits deliveries, and remove the file"
        ) from error
    except OSError as error:
        raise HostError(f"{error.filename or path}: {reason(error)}") from error
