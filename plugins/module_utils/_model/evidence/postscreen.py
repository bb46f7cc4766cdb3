# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of postscreen(8), which meets strangers at port 25 and hands them to a service of type pass."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import is_address
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service

POSTSCREEN_CACHE = "postscreen_cache_map"
ACCESS_LIST = "postscreen_access_list"
# The file of the cache of an entry that a run has made, by which that is told from others.
CACHE_NAME = "mxrelay_postscreen"
_INLINE = re.compile(r"inline:\{(.*)\}\Z", re.DOTALL)


@dataclass(frozen=True)
class PostscreenEvidence:
    """What is known beside main.cf and master.cf.

    `exchangers` are the other MX hosts of the domains, by name, with their addresses; read only where the setting, or
    mx_info, asks for them. `silent`: why port 25 of the address `asked` greeted nobody, "" if it did.
    """

    exchangers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # The type of a local file in which it can keep its cache, "" if none works; and what is wrong with that in use.
    cache_type: str = ""
    cache_problem: str = ""
    asked: str = ""
    silent: str = ""
    # Addresses of exchangers that a table in the list of exceptions lets in.
    let_in: frozenset[str] = frozenset()


def is_ours(service: Service) -> bool:
    """Whether a run has made this entry of postscreen."""
    return service.overrides.get(POSTSCREEN_CACHE, "").rpartition("/")[2] == CACHE_NAME


def addresses_let_in(access_list: str) -> list[str]:
    """The addresses that a list of exceptions names itself, as `inline:{192.0.2.1=permit}`."""
    found = [_INLINE.match(member) for member in split_items(access_list)]
    pairs = [pair.partition("=") for match in found if match for pair in split_items(match.group(1))]
    return [address.strip() for address, _equals, result in pairs if result.strip() == "permit" and is_address(address)]
