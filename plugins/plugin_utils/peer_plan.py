# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at a host for both of its roles: the first one's mx_plan makes the other's plan too, if nothing changes.

The other role takes that plan if it asks for exactly the same, and if it comes right after the first one in the `roles`
of the play: then no task stands between them that could have changed the host.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

from ansible.playbook.role import Role
from ansible.playbook.task import Task

# For so long a plan is good: with many hosts others may keep a role waiting.
SECONDS_GOOD = 60


def arguments_of_peer(arguments: Mapping[str, Any], task: Task) -> dict[str, Any] | None:
    """The arguments with which the other role will ask, if it comes right after this one; None otherwise."""
    peer, after = arguments.get("peer"), _neighbour(task, 1)
    if not isinstance(peer, Mapping) or after is None:
        return None
    if after.get_name(include_role_fqcn=False) != peer.get("role") or _names_a_list(peer.get("domains")):
        return None
    own = {name: arguments.get(name) for name in ("role", "domains", "settings")}
    return {**arguments, **peer, "peer": own}


def _names_a_list(domains: Any) -> bool:
    """Whether a list is in a file, which may be long and is not read twice, or in a source, which is not read yet."""
    return isinstance(domains, list) and any(
        isinstance(item, Mapping) and {"recipients_file", "recipients_from"}.intersection(item) for item in domains
    )


def remembered(plan: Mapping[str, Any], arguments: Mapping[str, Any], task: Task) -> dict[str, Any] | None:
    """The plan for the other role, with what tells whether it is the one that is asked for."""
    role = _importing_role(task)
    if role is None:
        return None
    return {"plan": plan, "asked": _digest(arguments), "by": str(role._uuid), "at": time.monotonic()}


def recalled(found: Any, arguments: Mapping[str, Any], task: Task) -> dict[str, Any] | None:
    """The plan that the role right before this one left for it, if it is the one that is asked for."""
    left = found.get("peer_plan") if isinstance(found, Mapping) else None
    before = _neighbour(task, -1)
    if not left or before is None or left["by"] != str(before._uuid) or left["asked"] != _digest(arguments):
        return None
    return dict(left["plan"]) if time.monotonic() - left["at"] < SECONDS_GOOD else None


def _digest(arguments: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(arguments, sort_keys=True, default=str).encode()).hexdigest()


def _importing_role(task: Task) -> Role | None:
    """The one role whose tasks import this task's role, as those of secondary_mx and primary_mx import mx."""
    parents = task._role.get_parents() if task._role else []
    return parents[0] if len(parents) == 1 else None


def _neighbour(task: Task, step: int) -> Role | None:
    """The role that comes right after (1) or before (-1) this task's in the `roles` of the play.

    None if this task's is not among them: it was itself included or imported, or another role depends on it.
    """
    role = _importing_role(task)
    if role is None:
        return None
    roles = [other for other in role._play.get_roles() if not other.from_include]
    # Ansible takes two roles for the same that are used alike, so it is not asked which of them this is.
    uuids = [other._uuid for other in roles]
    place = uuids.index(role._uuid) + step if role._uuid in uuids else -1
    if not 0 <= place < len(roles):
        return None
    other = roles[place]
    # A role that the second one depends on would run between the two.
    second = other if step > 0 else role
    return None if second.get_direct_dependencies() else other
