# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that mail is still taken while the mail host is down, that there is room for it, and that none bounces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.admission import (
    parameter_place,
    restriction_lists,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    DOMAIN,
    WHOLE_HOST,
    Register,
)
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
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import (
    is_number,
    seconds,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restrictions import VERIFYING
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    effective,
    restriction_classes,
    stranger_services,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import LIFETIME, MailVolume
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.estimate import RetryTimes
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sizes import told_size

# Mail that has lived for three quarters of its lifetime waits for somebody to do something.
_LAST_PART = 0.25
_HOUR = 3600
_CODE = "unverified_recipient_defer_code"

# Files in the queue for each message that waits, the message and why it waits, and what they take beside its size.
FILES_OF_MESSAGE = 2
BYTES_OF_MESSAGE = 8192
# Of a message of which nobody knows the size; small ones need more files.
USUAL_SIZE = 16384
# Postfix takes no message unless so many times message_size_limit are free.
SIZES_FREE = 1.5
DAY = 86400

check = Register(DOMAIN)
host_check = Register(WHOLE_HOST)


@host_check("outage_minfree", LOCAL, "the queue has too little room for Postfix to take mail, or may fill the disk")
def outage_minfree(state: HostState, facts: HostFacts) -> Iterator[Fault]:
    least, why = _least_free(state)
    if facts.space is not None and facts.space.free <= least:
        yield Fault(
            f"the file system of {facts.space.directory} has {told_size(facts.space.free)} free, and Postfix takes no "
            f"mail below {told_size(least)} ({why}): clients are told to try again",
            "free space there, give it more, or let Postfix do with less (message_size_limit, queue_minfree)",
        )
    elif facts.volume is not None and not least:
        yield Fault(
            "neither message_size_limit nor queue_minfree is set, so Postfix takes mail until the disk is full",
            "set queue_minfree to what the host itself needs, such as 500000000",
            WARNING,
        )


@host_check("outage_space", LOCAL, "the queue has no room for the mail that an outage is expected to bring")
def outage_space(state: HostState, facts: HostFacts) -> Iterator[Fault]:
    days, volume = _days(state, facts), facts.volume
    if facts.space is None or volume is None or volume.size is None or not days:
        return
    room = max(0, facts.space.free - _least_free(state)[0])
    needed = (volume.size + BYTES_OF_MESSAGE * _messages(volume)) * days
    if needed > room:
        yield Fault(
            f"in {facts.outage} the queue is expected to need {told_size(needed)} ({told_size(volume.size)} of mail a "
            f"day), and the file system of {facts.space.directory} has {told_size(room)} before Postfix takes no more",
            "give it more space, or let another MX host take over in time",
        )


@host_check("outage_inodes", LOCAL, "the queue has too few inodes for the mail that an outage is expected to bring")
def outage_inodes(state: HostState, facts: HostFacts) -> Iterator[Fault]:
    days, volume = _days(state, facts), facts.volume
    if facts.space is None or facts.space.inodes is None or volume is None or volume.size is None:
        return
    needed = round(FILES_OF_MESSAGE * _messages(volume) * days)
    if needed > facts.space.inodes:
        yield Fault(
            f"in {facts.outage} the queue is expected to need {needed} inodes (two for each message), and the file "
            f"system of {facts.space.directory} has {facts.space.inodes} free",
            "give it more, or move the queue to a file system that has them",
        )


@host_check("outage_volume", LOCAL, "how much mail an outage will bring is not known")
def outage_volume(_state: HostState, facts: HostFacts) -> Iterator[Fault]:
    if facts.volume is not None and facts.volume.size is None:
        yield Fault(
            "how much mail comes is not known, so whether the queue has room for it was not checked",
            "give outage_begin_volume, such as 500M a day",
            WARNING,
        )


def _days(state: HostState, facts: HostFacts) -> float:
    """How long mail gathers: the outage, or the time after which it is returned."""
    outage, lifetime = seconds(facts.outage, "s") or 0, seconds(state.value(LIFETIME), "d")
    return (outage if lifetime is None else min(outage, lifetime)) / DAY


def _messages(volume: MailVolume) -> float:
    return (volume.size or 0) / USUAL_SIZE if volume.messages is None else volume.messages


def _least_free(state: HostState) -> tuple[float, str]:
    """The bytes without which smtpd takes no mail, and by which parameter. See postconf(5), queue_minfree."""
    limit, minfree = state.value("message_size_limit"), state.value("queue_minfree")
    by_limit = SIZES_FREE * int(limit) if is_number(limit) else 0
    by_minfree = int(minfree) if is_number(minfree) else 0
    return max((by_limit, f"{SIZES_FREE} times message_size_limit"), (float(by_minfree), "queue_minfree"))


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
