# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that mail for a domain is still taken while its mail host is down, and does not bounce."""

from __future__ import annotations

from dataclasses import replace
from typing import Iterator

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.admission import (
    parameter_place,
    restriction_lists,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import DOMAIN, Register
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    LOCAL,
    MAIL_HOST,
    RECIPIENTS,
    REMOTE,
    WARNING,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.admission import (
    LISTS,
    STRANGERS,
    ListContext,
    Stranger,
    evaluate_list,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restrictions import VERIFYING
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    effective,
    restriction_classes,
    stranger_services,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.estimate import RetryTimes

# Mail that has lived for three quarters of its lifetime waits for somebody to do something.
_LAST_PART = 0.25
_HOUR = 3600
_CODE = "unverified_recipient_defer_code"

check = Register(DOMAIN)


@check(
    "verify_defers",
    LOCAL,
    "smtpd asks the mail host about recipients, so it defers those that are listed, too, while that is down",
    place=RECIPIENTS,
)
def verify_defers(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    """One fault at most: the same remedy is for all places."""
    for service in stranger_services(state) if domain.relayed and _may_verify(state) else ():
        code = effective(state, service, _CODE)
        # With 250, or another code of success, what can't be verified is accepted.
        place = "" if code.startswith("2") else _verified_by(domain, state, service)
        if place:
            yield Fault(
                f"{place} has smtpd ask its mail host about each recipient: while that is down, mail for listed "
                f"recipients is deferred as well{f' ({code})' if code else ''}",
                (
                    f"set {parameter_place(state, service, _CODE)} to 250, or remove {place}"
                    if state.knows(_CODE)
                    else f"remove {place}"
                ),
                domain=domain.name,
            )
            return


@check(
    "first_bounce",
    REMOTE,
    "queued mail has less than a quarter of its lifetime left before it bounces",
    place=MAIL_HOST,
)
def mail_bounces_soon(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    times, left = RetryTimes.from_values(state.values), domain.to_first_bounce
    if left is None or left > min(times.lifetime, times.of_reports) * _LAST_PART:
        return
    when = f"in {left / _HOUR:.0f} h" if left >= 2 * _HOUR else f"in {max(0, left) / 60:.0f} min"
    yield Fault(
        f"the first queued message bounces {when} unless it is delivered before",
        "mend what it is waiting for, or raise maximal_queue_lifetime until that is done (playbook outage_begin)",
        WARNING,
        domain.name,
    )


def _may_verify(state: HostState) -> bool:
    """Whether anything that the restriction lists of this host can lead to has smtpd ask a mail host."""
    return state.once(("outage", "may_verify"), lambda: _names_verification(state))


def _names_verification(state: HostState) -> bool:
    lists = [effective(state, service, name) for service in stranger_services(state) for name in LISTS]
    tables = [*state.admission.answers.values(), *state.admission.of_recipients.values()]
    results = [result for table in tables for result in table.values()]
    texts = [*lists, *restriction_classes(state).values(), *results]
    return any(state.admission.verifying.values()) or any(VERIFYING in text.lower() for text in texts)


def _verified_by(domain: DomainEvidence, state: HostState, service: Service) -> str:
    """The first place, such as `reject_unverified_recipient in x`, that has smtpd ask about a stranger's recipient."""
    stranger = replace(STRANGERS["ipv4"][0], domain=domain.name)
    for name, value, context in restriction_lists(state, service):
        through = evaluate_list(name, value, stranger, _of_recipients(context, stranger, state))
        if through.verified_by:
            return f"{through.verified_by[0]} in {parameter_place(state, service, name)}"
        if through.refused_by or through.settled:
            break
    return ""


def _of_recipients(context: ListContext, stranger: Stranger, state: HostState) -> ListContext:
    """The context with what the tables say of a listed recipient of the stranger's domain."""
    said = {
        table: {**context.answers.get(table, {}), stranger.domain: results[stranger.domain]}
        for table, results in state.admission.of_recipients.items()
        if stranger.domain in results
    }
    return replace(context, answers={**context.answers, **said}, verifying=state.admission.verifying)
