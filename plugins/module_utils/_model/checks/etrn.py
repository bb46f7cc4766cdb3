# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of who may ask for a domain's queue by ETRN. See ETRN_README."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import WHOLE_HOST, Register
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    INFO,
    LOCAL,
    WARNING,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.admission import (
    ETRN_RESTRICTIONS,
    STRANGERS,
    ListContext,
    evaluate_list,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.etrn import CLASS, FLUSHED, etrn_clients
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    restriction_classes,
    values_for_strangers,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.words import some_of

check = Register(WHOLE_HOST)


@check(
    "etrn",
    LOCAL,
    "strangers can ask for a domain's queue by ETRN, though it has etrn_from (warning) or by default (info)",
)
def etrn(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    if not split_items(state.value(FLUSHED)):
        return
    kept = etrn_clients(state)
    names = sorted(name for name in state.relayed if not name.startswith(".") and name.isascii())
    context = ListContext(restriction_classes(state), state.admission.answers)
    for value, place in values_for_strangers(state, ETRN_RESTRICTIONS).items():
        given = [name for name in names if _gives(value, name, context)]
        for name in sorted(kept.keys() & given):
            yield Fault(
                f"{place} lets strangers ask for its queue by ETRN, although it has etrn_from",
                f"run the role again, which puts {CLASS} first in {place}",
                WARNING,
                name,
            )
        others = [name for name in given if name not in kept]
        if others:
            yield Fault(
                f"{place} lets strangers ask for the queue of {some_of(others)} by ETRN",
                f"set {place} to permit_mynetworks, reject; mail hosts that use ETRN can be named in etrn_from",
                INFO,
                subject=place,
            )


def _gives(value: str, domain: str, context: ListContext) -> bool:
    """Whether a stranger who asks for the domain's queue gets as far as the flush service."""
    stranger = replace(STRANGERS["ipv4"][0], domain=domain)
    return not evaluate_list(ETRN_RESTRICTIONS, value, stranger, context).refused_by
