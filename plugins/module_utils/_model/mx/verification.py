# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipients that are verified by asking their mail host: for some domains only, by a check in smtpd's restrictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    RECIPIENT_RESTRICTIONS,
    written_value,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.membership import PARENTS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MainCfChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import VERIFY, DomainItem, MxRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import first_release

DEFER_CODE = "unverified_recipient_defer_code"
# The first for subdomains, which this row is found for as well: they are refused at once, not asked about.
ACTION = "reject_unlisted_recipient, reject_unverified_recipient"


@dataclass(frozen=True)
class Verification:
    """Rows of the table of these domains to have and to remove, what main.cf is to say, and reasons against it.

    `check` is the restriction to have, "" if no domain's recipients are to be verified.
    """

    rows: Mapping[str, str] = field(default_factory=dict)
    removed: Sequence[str] = ()
    main_cf: MainCfChange = field(default_factory=MainCfChange)
    check: str = ""
    refusals: Sequence[Refusal] = ()


def verification(request: MxRequest, host: HostState, leaving: Sequence[str]) -> Verification:
    """What the declared domains need; `leaving` are keys of domains that go."""
    items = [item for item in request.present if item.policy == VERIFY]
    parents = "smtpd_access_maps" in split_items(host.value(PARENTS))
    names = [name for item in items for name in _names(item, parents)]
    rows = dict.fromkeys(names, ACTION)
    present = host.verify.rows if host.verify else {}
    declared = [name for item in request.present for name in (item.name, "." + item.name)]
    removed = [*leaving, *(name for name in declared if name in present and name not in rows)]
    refusals = _refusals(items, host) if items else []
    if host.verify is None:
        return Verification(rows, removed, refusals=refusals)
    lasting = any(name not in removed for name in {**present, **rows})
    check = f"check_recipient_access {host.verify.reference}"
    return Verification(rows, removed, _main_cf(host, check, lasting, bool(items)), check if lasting else "", refusals)


def _names(item: DomainItem, parents: bool) -> list[str]:
    return [item.name, "." + item.name] if item.subdomains and not parents else [item.name]


def _main_cf(host: HostState, check: str, lasting: bool, asks: bool) -> MainCfChange:
    before = written_value(host, RECIPIENT_RESTRICTIONS)
    after = restrictions.with_check(before, check) if lasting else restrictions.without_check(before, check)
    for replaced in host.verify.replaces if host.verify else ():
        after = restrictions.without_check(after, f"check_recipient_access {replaced}")
    parameters = {RECIPIENT_RESTRICTIONS: after} if after and after != before else {}
    absent = [RECIPIENT_RESTRICTIONS] if after != before and not after else []
    if asks:
        parameters[DEFER_CODE] = "250"
    return MainCfChange(parameters, absent)


def _refusals(items: Sequence[DomainItem], host: HostState) -> list[Refusal]:
    found = []
    if not host.knows(DEFER_CODE):
        found += [
            Refusal(
                item.name,
                "verify",
                f"Postfix before {first_release(DEFER_CODE)} has no {DEFER_CODE}: "
                "mail would be deferred whenever the mail host can't be reached",
                "list the recipients, or use a later Postfix",
            )
            for item in items
        ]
    for name, value in host.values.items():
        if name.startswith("smtpd_") and name.endswith("_restrictions"):
            found += [
                Refusal(
                    items[0].name,
                    "verify",
                    f"{name} uses {used}, whose answers {DEFER_CODE} = 250 would change",
                    f"remove {used} from {name}, or use another recipients_policy",
                )
                for used in restrictions.uses_verification(value)
            ]
    return found
