# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of a standby: whether it can put strangers off. Whatever is wrong with it, mail is accepted."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    DOMAIN_ON_MAIL_HOST,
    WHOLE_HOST,
    Register,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    LOCAL,
    SENDER,
    WARNING,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    RECIPIENT_RESTRICTIONS,
    effective,
    services_for_strangers,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.refusals import welcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.standby import CLASS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts

check = Register(WHOLE_HOST)
check_beside_mail_host = Register(DOMAIN_ON_MAIL_HOST)


@check(
    "standby", LOCAL, "the service of a standby does not do its work, or is not asked: mail is accepted", place=SENDER
)
def standby(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    if not state.standby.installed:
        return
    if state.standby.problem:
        yield Fault(
            f"the standby service does not do its work: {state.standby.problem}; mail is accepted although a better MX "
            "host may answer",
            _remedy(state),
            WARNING,
        )
        return
    for service in services_for_strangers(state):
        if CLASS.lower() not in restrictions.names(effective(state, service, RECIPIENT_RESTRICTIONS)):
            yield Fault(
                f"{service.key} does not ask the standby service, so it accepts mail although a better MX host answers",
                f"run the role again, which adds {CLASS} to {RECIPIENT_RESTRICTIONS}",
                WARNING,
                subject=service.key,
            )


def _remedy(state: HostState) -> str:
    if state.standby.confined:
        return "run the role without standby, which takes the service away"
    if "python3-dnspython" in state.standby.problem:
        package = state.dns_lacks or "python3-dnspython"
        return f"install {package}, as the role does unless manage_package is false"
    return "run the role again, which repairs and starts it; its unit is mxrelay-standby, for journalctl"


@check_beside_mail_host(
    "standby_accepts", LOCAL, "a standby accepts mail from strangers although the mail host takes it", place=SENDER
)
def standby_accepts(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    talk = welcome(domain)
    # A service that does not work has a fault already.
    if talk is not None and domain.name in state.standby.lets_in and not state.standby.problem:
        yield Fault(
            f"this standby accepts mail from strangers, although its mail host {talk.server} takes it",
            "see that this host is among the MX hosts of the domain, that the mail host is a better one, and that it "
            "answers this host on port 25 within 2.5 seconds",
            WARNING,
            domain.name,
        )
