# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""This run as a host tells it from others, and whether another one that has left its record there is still alive."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.other_run import JOB

# For so long a run of another controller is taken to be alive: a task of a large inventory waits for all hosts.
SECONDS_TO_LIVE = 3600


def this_run(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The controller, and the process of ansible-playbook, whose child each worker is; in AWX also the job's number.

    `variables` are those of the task.
    """
    job = str(variables.get("awx_job_id") or "")
    return {"controller": _controller() + (f"{JOB}{job}" if job.isdigit() else ""), "pid": os.getppid()}


def _controller() -> str:
    """The machine since its last boot; containers on it, with processes of their own, are others."""
    parts = [platform.node()]
    with suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
        parts.append(stream.read().strip())
    with suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)


def has_ended(other: Mapping[str, Any]) -> bool:
    """Whether that run is over, as far as can be told from here."""
    if other["controller"].partition(JOB)[0] == _controller():
        return not _is_alive(other["pid"])
    return bool(other["age"] > SECONDS_TO_LIVE)


def beside_others(
    ask: Callable[[dict[str, Any]], dict[str, Any]], variables: Mapping[str, Any], over: Collection[str] = ()
) -> dict[str, Any]:
    """What a module returns to this run; `ask` runs it, with what it is to be told of the runs.

    Where it found the record of another run it is asked again: that one has ended, as those that are `over` have, or it
    is alive and is to be awaited.
    """
    run = this_run(variables)
    found = ask(run)
    other = found.get("other_run")
    if other and (other["record"] in over or has_ended(other)):
        return ask({**run, "ended": other["record"]})
    # A host that is in the inventory twice would wait for itself.
    if other and other["pid"] != run["pid"]:
        return ask({**run, "await": other["record"]})
    return found


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
