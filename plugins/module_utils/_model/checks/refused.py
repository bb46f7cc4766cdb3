# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of what becomes of mail that was accepted here and is then refused, or waits: whom this host writes to.

Recipes against bounces go wrong in silence, so what must hold is asked: each service that keeps the record of a
message's failures runs bounce(8), and is the same one for who delivers mail as for who returns it.
"""

from __future__ import annotations

from typing import Iterator

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import WHOLE_HOST, Register
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    LOCAL,
    MAIL_HOST,
    WARNING,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import seconds
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import effective, program
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import (
    is_client,
    sending_service,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts

# What each keeps a record of, see bounce(8).
_RECORDS = {
    "bounce_service_name": "of refused mail",
    "defer_service_name": "of mail that waits",
    "trace_service_name": "of what senders asked to be told",
}
_QUEUE_MANAGERS = ("qmgr", "oqmgr", "nqmgr")
_LOST = "mail that is refused after it was accepted is lost, or waits for ever, and nobody is told"

check = Register(WHOLE_HOST)


@check(
    "bounce_service",
    LOCAL,
    "what keeps the record of refused mail does not run bounce, so such mail is lost or never leaves the queue",
    place=MAIL_HOST,
)
def bounce_service(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    managers = [service for service in state.services if program(service) in _QUEUE_MANAGERS]
    for name, records in _RECORDS.items() if managers else ():
        used = effective(state, managers[-1], name)
        yield from _of_record(state, used, name, records)
        for service in state.services:
            own = effective(state, service, name)
            if is_client(service) and own != used:
                yield Fault(
                    f"{service.key} keeps its record {records} with {own} ({name}), the queue manager with "
                    f"{used or 'none'}: {_LOST}",
                    f"remove the override {name} of the service {service.key}",
                )


def _of_record(state: HostState, used: str, name: str, records: str) -> Iterator[Fault]:
    if not state.knows(name):
        return
    keeper = sending_service(state, used)
    if keeper is None:
        yield Fault(
            f"{name} is {used or 'empty'}, and master.cf has no service {used}/unix: {_LOST}",
            f"add it to master.cf as Postfix ships it: {used or 'bounce'} unix - - {_chroot(state)} - 0 bounce",
        )
    elif program(keeper) != "bounce":
        yield Fault(
            f"{keeper.key} runs {program(keeper)}, but it is to keep the record {records} ({name}): {_LOST}",
            f"let {keeper.key} run bounce; where bounces are not wanted, let recipients be listed, so that mail for "
            "nobody is refused at once",
        )


def _chroot(state: HostState) -> str:
    """The entry for the chroot of the services that are there."""
    cleanup: Service | None = sending_service(state, "cleanup")
    return cleanup.chroot if cleanup else "-"


@check("delay_warnings", LOCAL, "senders of mail that waits are written to, who may be forged", place=MAIL_HOST)
def delay_warnings(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    after = state.value("delay_warning_time")
    if seconds(after):
        yield Fault(
            f"delay_warning_time is {after}: in an outage of a mail host every sender is told that mail waits, "
            "and those of spam are forged",
            "set delay_warning_time to 0h",
            WARNING,
        )
