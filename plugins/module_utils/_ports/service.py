# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service that runs a Postfix instance, as systemd(1) or openrc(8) sees it."""

from __future__ import annotations

import glob
import os
import time
from dataclasses import dataclass

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

_QUEUE_MANAGERS = ("qmgr", "nqmgr")
SECONDS_TO_RELOAD = 60.0
POLL_SECONDS = 0.05
# There while OpenRC runs the host, and where it has the services of each runlevel.
OPENRC = "/run/openrc"
RUNLEVELS = "/etc/runlevels"
_ENABLED = ("enabled", "enabled-runtime", "static", "alias", "indirect", "generated", "linked")


@dataclass(frozen=True)
class ServiceState:
    """`enabled` is None if it can't be known, because neither systemd nor OpenRC runs the host.

    Not `unit`: the init system has no service of that name, so whoever starts the instance does it by Postfix's own
    command.
    """

    name: str
    active: bool
    enabled: bool | None
    reload_pending: bool = False
    replaced: bool = False
    unit: bool = True


def service_name(config_directory: str, template: str = "") -> str:
    """`postfix`, or the unit that Debian makes for another instance from its template, whose text is given.

    The template's argument is the instance's name up to Debian 12, and what follows `postfix-` in it since Debian 13.
    """
    name = os.path.basename(config_directory.rstrip("/"))
    if name == "postfix":
        return name
    if "/etc/postfix-%" in template and name.startswith("postfix-"):
        return "postfix@" + name[len("postfix-") :].replace("-", "\\x2d")
    return f"postfix@{name}"


def service_state(postfix: Postfix, queue_directory: str, daemon_directory: str = "") -> ServiceState:
    """Whether the instance runs, and whether it will after the next boot. The directories are those of its main.cf."""
    name = service_name(postfix.config_directory)
    pending = reload_pending(postfix.config_directory, queue_directory)
    old = is_replaced(queue_directory)
    try:
        if name != "postfix":
            template = postfix.commands.run(["systemctl", "cat", "postfix@.service"]).out
            name = service_name(postfix.config_directory, template)
        shown = postfix.commands.run(["systemctl", "show", "-p", "LoadState,ActiveState,UnitFileState", name])
    except FileNotFoundError:
        return _without_systemd(postfix, name, pending, old, daemon_directory)
    if shown.rc != 0:
        return _without_systemd(postfix, name, pending, old, daemon_directory)
    fields = dict(line.split("=", 1) for line in shown.out.split("\n") if "=" in line)
    if fields.get("LoadState") == "not-found":
        return ServiceState(name, postfix.running(daemon_directory), None, pending, old, unit=False)
    active = fields.get("ActiveState") in ("active", "reloading") and postfix.running(daemon_directory)
    return ServiceState(name, active, fields.get("UnitFileState") in _ENABLED, pending, old)


def _without_systemd(postfix: Postfix, name: str, pending: bool, old: bool, daemon_directory: str) -> ServiceState:
    """Only the first instance has a service whose name is known, `postfix`; whether that runs Postfix itself tells."""
    unit = name == "postfix"
    known = unit and os.path.isdir(OPENRC)
    enabled = bool(glob.glob(os.path.join(RUNLEVELS, "*", name))) if known else None
    return ServiceState(name, postfix.running(daemon_directory), enabled, pending, old, unit)


def reload_pending(config_directory: str, queue_directory: str) -> bool:
    """Whether main.cf or master.cf was written after the running instance last read them.

    The queue manager lives until the next reload or stop, so its start tells when that was. False if it can't
    be told: no instance runs, there is no /proc, or the file is from the future, since the clock was set back after it
    was written: it would be so in every run, however often Postfix is reloaded.
    """
    started = reloaded_at(queue_directory)
    try:
        written = [os.stat(os.path.join(config_directory, name)).st_mtime for name in ("main.cf", "master.cf")]
    except OSError:
        return False
    past = [moment for moment in written if moment <= time.time()]
    # The clock may have been set a little in between.
    return started is not None and max(past, default=0.0) > started + 1


def queue_manager(queue_directory: str) -> int:
    """When the instance's queue manager started, in clock ticks since the boot; 0 if none runs, or it can't be told."""
    try:
        return max((ticks for name, ticks in _children(_master(queue_directory)) if name in _QUEUE_MANAGERS), default=0)
    except (OSError, ValueError):
        return 0


def survives_reload(postfix: Postfix, before: int, seconds: float = SECONDS_TO_RELOAD) -> bool:
    """Whether Postfix still runs once it has read its files again; `before` is the queue manager from before that.

    The master starts another queue manager when it is through with its files, and none if they end it; it runs on for
    a second then, and still has its lock. Waits for either for at most so many seconds.
    """
    deadline, directory = time.monotonic() + seconds, postfix.queue_directory()
    while before and queue_manager(directory) in (0, before) and time.monotonic() < deadline:
        if not postfix.running():
            return False
        time.sleep(POLL_SECONDS)
    return postfix.running()


def reload_and_await(postfix: Postfix) -> bool:
    """Has the instance read its files again, and waits until it has; False if it does not run after that."""
    before = queue_manager(postfix.queue_directory())
    return postfix.reload() and survives_reload(postfix, before)


def reloaded_at(queue_directory: str) -> float | None:
    """When the running instance last read its files, in seconds since the epoch; None if that can't be told."""
    started = queue_manager(queue_directory)
    return _boot_time() + started / os.sysconf("SC_CLK_TCK") if started else None


def old_sessions(config_directory: str, queue_directory: str) -> int:
    """How many processes of the SMTP server work by files that have changed since: those from before the last reload.

    After a reload each of them ends with its session. All, if a reload is pending; 0 if that can't be told.
    """
    try:
        children = _children(_master(queue_directory))
    except (OSError, ValueError):
        return 0
    reloaded = [ticks for name, ticks in children if name in _QUEUE_MANAGERS]
    servers = [ticks for name, ticks in children if name == "smtpd"]
    if reload_pending(config_directory, queue_directory):
        return len(servers)
    return sum(ticks < min(reloaded) for ticks in servers) if reloaded else 0


def is_replaced(queue_directory: str) -> bool:
    """Whether the master that runs is no longer the one that is installed, as after an upgrade of the package.

    False if that can't be told: no instance runs, or there is no /proc. What a process has mapped is shown to more than
    its `exe` is.
    """
    try:
        with open(f"/proc/{_master(queue_directory)}/maps", encoding="utf-8", errors="replace") as stream:
            return any(line.rstrip("\n").endswith("/master (deleted)") for line in stream)
    except (OSError, ValueError):
        return False


def master_process(queue_directory: str) -> int:
    """The process of the instance's master as its pid file has it, 0 if no instance has run."""
    try:
        return _master(queue_directory)
    except (OSError, ValueError):
        return 0


def _master(queue_directory: str) -> int:
    """The process of the instance's master. Raises OSError or ValueError if no instance has run."""
    with open(os.path.join(queue_directory, "pid", "master.pid"), encoding="ascii") as stream:
        return int(stream.read().strip())


def _children(master: int) -> list[tuple[str, int]]:
    """The processes that `master` has started: their names, and their starts in clock ticks since the boot."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stream:
                text = stream.read()
        except OSError:
            continue
        name, fields = text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") + 2 :].split()
        if int(fields[1]) == master:
            found.append((name, int(fields[19])))
    return found


def _boot_time() -> float:
    """When the host was booted, by its clock as it is set now. /proc/stat has it in whole seconds only."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
