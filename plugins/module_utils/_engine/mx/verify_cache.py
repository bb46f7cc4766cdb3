# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether verify(8) can remember what mail hosts say of recipients: without that, its answer is always `not yet`."""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import cache_problem
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import type_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.recipients import VERIFY_CACHE
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

# The types of local files that can be added to, in the order in which they are proposed.
_TYPES = ("lmdb", "btree", "hash")


class VerifyCache(NamedTuple):
    """The cache of verify(8), as HostState has it."""

    verify_cache_problem: str = ""
    verify_cache_type: str = ""


def read_verify_cache(postfix: Postfix, state: HostState, verifies: bool) -> VerifyCache:
    """What is wrong with the type of address_verify_map, and one that works; asked only where recipients are verified.

    An empty address_verify_map, the default before Postfix 2.7, keeps the answers in memory.
    """
    cache = state.value(VERIFY_CACHE)
    problem = cache_problem(postfix, type_of(cache)) if verifies and cache else ""
    if not problem:
        return VerifyCache()
    return VerifyCache(problem, next((kind for kind in _TYPES if not cache_problem(postfix, kind)), ""))
