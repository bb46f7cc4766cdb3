# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The standby service of an instance: what is known of it, and how it comes, changes and goes."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import pwd
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.own_files import own_file_diffs, put_own_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.standby import (
    PUT_OFF,
    SOCKET,
    STATUS,
    StandbyState,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.standby_files import (
    StandbyFiles,
    StandbyPlace,
    StandbyRequest,
    standby_texts,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.systemd_units import UNITS
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.places import refuse_open_place
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.policy_client import (
    ask_policy_service,
    socket_owner,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.selinux import is_enforcing
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.systemd import runs_systemd, systemctl

_MOST_ASKED = 20
# Ours may connect to it, so that it answers is no proof.
CONFINED = "SELinux is enforcing, and its policy does not let smtpd ask it"
# An address that nobody has, see RFC 5737.
_STRANGER = "192.0.2.1"


@dataclass(frozen=True)
class StandbyChange:
    """The bytes that files are to have, None for one that is to go; `restarts`: the service has to begin anew."""

    place: StandbyPlace
    files: Mapping[str, bytes | None] = field(default_factory=dict)
    restarts: bool = False
    diffs: tuple[Diff, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.diffs) or self.restarts


def standby_files(postfix: Postfix) -> StandbyFiles:
    """Where the files of this instance's service are."""
    return StandbyFiles(postfix.config_directory, UNITS)


def _place(postfix: Postfix, queue_directory: str, mail_owner: str) -> StandbyPlace:
    # Imported only where it is needed: asyncio takes long to load.
    from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import standby_service

    program = inspect.getsource(standby_service)
    return StandbyPlace(standby_files(postfix), queue_directory, mail_owner or "postfix", sys.executable, program)


def read_standby(postfix: Postfix, state: HostState) -> StandbyState:
    """The service as it is."""
    there = StandbyState(runs_systemd(), confined=is_enforcing())
    if not any(os.path.lexists(path) for path in standby_files(postfix).all):
        return there
    place = _place(postfix, state.value("queue_directory"), state.value("mail_owner"))
    known = _read_configuration(place)
    domains, subdomains = (tuple(map(str, known.get(part) or ())) for part in ("domains", "subdomains"))
    problem = CONFINED if there.confined else _problem(place)
    return replace(there, installed=True, domains=domains, subdomains=subdomains, problem=problem)


def _read_configuration(place: StandbyPlace) -> Mapping[str, Any]:
    try:
        found = json.loads(read_file(place.files.configuration) or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _problem(place: StandbyPlace) -> str:
    """Why the service does not do its work for smtpd, "" if it does."""
    try:
        status = json.loads(ask_policy_service(place.socket, {"request": STATUS}).get("status", ""))
        owner = socket_owner(place.socket)
    except HostError as error:
        return f"it does not answer ({error.message})"
    except ValueError:
        return f"what answers at {place.socket} is not the collection's service"
    if status.get("program") != hashlib.sha256(place.program.encode()).hexdigest():
        return "its program is not the one of this release of the collection"
    if status.get("uid") == 0:
        return "it runs as root, which it need not and must not"
    with suppress(KeyError):
        if owner != pwd.getpwnam(place.mail_owner).pw_uid:
            return f"{place.socket} does not belong to {place.mail_owner}, so smtpd can't ask it"
    return str(status.get("problem") or "")


def ask_standby(state: HostState, names: Sequence[str]) -> StandbyState:
    """The service with the domains, of these and of those that it has, whose strangers it lets in now.

    Each is asked about twice, since what a slow MX host answers counts from the second time on.
    """
    known = state.standby
    asked = [name for name in names if name in known.domains][:_MOST_ASKED] if not known.problem else []
    lets_in = {name for name in asked if not any(_puts_off(name, state) for _time in range(2))}
    return replace(known, lets_in=frozenset(lets_in))


def _puts_off(name: str, state: HostState) -> bool:
    place = os.path.join(state.value("queue_directory"), SOCKET)
    stranger = {"protocol_state": "RCPT", "recipient": f"postmaster@{name}", "client_address": _STRANGER}
    try:
        return ask_policy_service(place, stranger).get("action") == PUT_OFF
    except HostError:
        return False


def plan_standby(postfix: Postfix, wanted: StandbyRequest, queue_directory: str, mail_owner: str) -> StandbyChange:
    """What has to change. Raises HostError."""
    place = _place(postfix, queue_directory, mail_owner)
    texts = standby_texts(place, wanted)
    after = {path: texts[path].encode() if path in texts else None for path in place.files.all}
    diffs = own_file_diffs(after, {place.files.program: "a program"})
    started = {diff.header for diff in diffs} - {place.files.configuration}
    restarts = bool(wanted.domains) and (bool(started) or bool(_needs_start(place)))
    return StandbyChange(place, after, restarts, diffs)


def _needs_start(place: StandbyPlace) -> str:
    """Why the service, whose files are as they should be, has to begin anew; a missing library is no reason."""
    problem = _problem(place)
    return "" if problem.startswith("it can't ask DNS") else problem


def apply_standby(postfix: Postfix, change: StandbyChange) -> None:
    """Carries the change out. Raises HostError."""
    if change.changed:
        _carry_out(postfix, change.place, change.files, change.restarts)


def restore_standby(
    postfix: Postfix, queue_directory: str, mail_owner: str, before: Mapping[str, bytes | None]
) -> bool:
    """Gives the files the bytes from before, and has the service follow. Returns whether any differed.

    Raises HostError.
    """
    place = _place(postfix, queue_directory, mail_owner)
    if all(read_file(path) == before.get(path) for path in place.files.all):
        return False
    _carry_out(postfix, place, {path: before.get(path) for path in place.files.all}, True)
    return True


def _carry_out(postfix: Postfix, place: StandbyPlace, files: Mapping[str, bytes | None], restarts: bool) -> None:
    """systemd reads its units anew only where one has changed: after that a reload of others can fail (systemd 247)."""
    stays = all(files[path] is not None for path in place.files.all)
    units = [f"{place.files.unit}.socket", f"{place.files.unit}.service"]
    known = {path: read_file(path) for path in (place.files.socket_unit, place.files.service_unit)}
    there = any(content is not None for content in known.values())
    if there and not stays:
        systemctl(postfix, "--no-reload", "disable", units[0])
    if there and (restarts or not stays):
        systemctl(postfix, "stop", *units)
    for path, content in files.items():
        put_own_file(path, content)
    if not stays:
        with suppress(OSError):
            os.rmdir(os.path.dirname(place.socket))
    elif restarts:
        refuse_open_place(place.socket)
        if there and any(known[path] != files[path] for path in known):
            systemctl(postfix, "daemon-reload")
        systemctl(postfix, "reset-failed", *units)
        systemctl(postfix, "--no-reload", "enable", units[0])
        systemctl(postfix, "start", *units)
