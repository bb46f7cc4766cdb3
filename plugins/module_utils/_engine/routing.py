# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the running Postfix already sends mail by the tables as they are now. See trivial-rewrite(8), qmgr(8)."""

from __future__ import annotations

import os
import time

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import local_members
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import INDEX_SUFFIXES
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.service import reloaded_at

# What names the tables that decide where mail goes.
_ROUTING = (
    "relay_domains",
    "sender_dependent_default_transport_maps",
    "sender_dependent_relayhost_maps",
    "transport_maps",
)
# trivial-rewrite looks for changed tables each 10 seconds, and the queue manager believes its last answer for 30.
SECONDS_IN_DOUBT = 40
POLL_SECONDS = 0.5


def await_routes(postfix: Postfix) -> None:
    """Returns once the tables that decide where mail goes are in force as they are now.

    A reload since they were written makes it so at once; without one it takes up to SECONDS_IN_DOUBT from their last
    change. What is retried earlier may still go to the old mail host.
    """
    names = ["queue_directory", *_ROUTING]
    values = postfix.parameters(names, ["-x"])
    paths = [member.path for name in _ROUTING for member in local_members(values.get(name, ""))]
    while _in_doubt(_last_change(paths), values.get("queue_directory", "")):
        time.sleep(POLL_SECONDS)


def _in_doubt(changed: float, queue_directory: str) -> bool:
    # What is from the future was written before the clock was set back, nobody knows when.
    return 0 <= time.time() - changed < SECONDS_IN_DOUBT and (reloaded_at(queue_directory) or 0) <= changed


def _last_change(paths: list[str]) -> float:
    """When the sources or indexes last changed, in seconds since the epoch; 0 without any.

    It is the time of the change of the inode: a file that was made elsewhere is renamed into place.
    """
    moments = [0.0]
    for path in paths:
        for suffix in ("", *set(INDEX_SUFFIXES.values())):
            try:
                moments.append(os.stat(path + suffix).st_ctime)
            except OSError:
                continue
    return max(moments)
