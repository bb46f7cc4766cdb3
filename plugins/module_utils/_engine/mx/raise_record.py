# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a raise of maximal_queue_lifetime: one file in the configuration directory, root's alone."""

from __future__ import annotations

import os
import time

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue import read_queue
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import seconds
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import (
    LIFETIME,
    LifetimeRaise,
    RaiseEvidence,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.raised import (
    UNIT,
    raise_text,
    read_raise,
    standing_outages,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import HOLD
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import put_private_file, read_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.places import refuse_open_place
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

FILE = ".mxrelay-outage"


def raise_path(postfix: Postfix) -> str:
    """The file of an instance."""
    return os.path.join(postfix.config_directory, FILE)


def read_raise_evidence(postfix: Postfix, now: int | None = None) -> RaiseEvidence:
    """The record as it is now, or at that moment. The queue is read only once no outage of it stands."""
    moment = int(time.time()) if now is None else now
    path = raise_path(postfix)
    try:
        content = read_file(path)
        record = read_raise(content.decode("utf-8")) if content is not None else None
    except (ValueError, HostError) as error:
        problem = f"{path} can't be believed ({error}), so nothing is known of a raised {LIFETIME}; it is removed"
        return RaiseEvidence(now=moment, problem=problem)
    if record is None or standing_outages(record, moment):
        return RaiseEvidence(record, moment)
    return RaiseEvidence(record, moment, overdue(postfix, record, moment))


def overdue(postfix: Postfix, record: LifetimeRaise, now: int) -> int:
    """How many messages have waited longer than main.cf allowed before the raise. Raises HostError."""
    before = postfix.defaults().get(LIFETIME, "") if record.before is None else record.before
    allowed = seconds(before, UNIT)
    if allowed is None:
        return 0
    return sum(1 for message in read_queue(postfix) if message.queue != HOLD and now - message.arrival > allowed)


def write_raise(postfix: Postfix, record: LifetimeRaise | None) -> None:
    """Makes the record so, or removes it. Raises HostError."""
    path = raise_path(postfix)
    refuse_open_place(path)
    put_private_file(path, raise_text(record).encode() if record else None)


def restore_raise(postfix: Postfix, content: bytes) -> bool:
    """Gives a record back that a run has removed; whether it was gone. Raises HostError."""
    path = raise_path(postfix)
    if os.path.lexists(path):
        return False
    put_private_file(path, content)
    return True
