# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The raise of maximal_queue_lifetime for the length of outages: how it begins, what it holds, when it goes back.

The longest lifetime that was asked for holds until the last outage is over. It goes back to what main.cf said before,
unless somebody has changed the value meanwhile. See postconf(5), maximal_queue_lifetime.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import seconds
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import (
    LIFETIME,
    LifetimeRaise,
    Outage,
    RaiseEvidence,
)

# Of maximal_queue_lifetime without one; also of the length of an outage.
UNIT = "d"


@dataclass(frozen=True)
class Verdict:
    """What a record means for main.cf: `holds`, so the value stays as it is; `back`, so it is to be as before.

    Unless it holds, the record is to be forgotten. `note` is what is to be told.
    """

    holds: bool = False
    back: bool = False
    note: str = ""


def read_raise(text: str) -> LifetimeRaise:
    """The record in its file. Raises ValueError for what we did not write."""
    try:
        said: dict[str, Any] = json.loads(text)
        outages = {
            str(domain): Outage(int(item["began"]), str(item["length"]), str(item["lifetime"]))
            for domain, item in said["outages"].items()
        }
        found = LifetimeRaise(said["before"], said["value"], outages, said["parameter"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it lacks {error}") from error
    for outage in outages.values():
        expiry(outage)
    if found.parameter != LIFETIME:
        raise ValueError(f"it is about {found.parameter}")
    return found


def raise_text(record: LifetimeRaise) -> str:
    """The record as its file holds it; the expiry of each outage is for people who read it."""
    outages = {
        domain: {**asdict(outage), "expiry": expiry(outage)} for domain, outage in sorted(record.outages.items())
    }
    shown = {"parameter": record.parameter, "before": record.before, "value": record.value, "outages": outages}
    return json.dumps(shown, indent=1) + "\n"


def expiry(outage: Outage) -> int:
    """When the outage is to be over, in seconds since 1970. Raises ValueError."""
    length = seconds(outage.length, UNIT)
    if length is None:
        raise ValueError(f"{outage.length} is not a Postfix time value")
    return int(outage.began) + length


def standing_outages(record: LifetimeRaise, now: int) -> dict[str, Outage]:
    """Those that are not over."""
    return {domain: outage for domain, outage in record.outages.items() if now < expiry(outage)}


def with_outages(
    evidence: RaiseEvidence, written: str | None, effective: str, domains: Collection[str], wanted: Outage
) -> LifetimeRaise:
    """The record once the mail hosts of these domains go away.

    `written` is what main.cf says of the parameter, None if nothing, `effective` what Postfix makes of it. An outage
    that stands keeps its beginning.
    """
    known = evidence.record if evidence.record and same(written, evidence.record.value) else None
    outages = standing_outages(known, evidence.now) if known else {}
    for domain in domains:
        before = outages.get(domain)
        outages[domain] = replace(wanted, began=before.began) if before else wanted
    longer = (seconds(wanted.lifetime, UNIT) or 0) > (seconds(effective, UNIT) or 0)
    return LifetimeRaise(known.before if known else written, wanted.lifetime if longer else written, outages)


def without_outages(record: LifetimeRaise, domains: Collection[str], now: int) -> LifetimeRaise:
    """The record once these outages, or without any all, are over."""
    standing = standing_outages(record, now) if domains else {}
    return replace(record, outages={name: outage for name, outage in standing.items() if name not in domains})


def judge_raise(evidence: RaiseEvidence, written: str | None) -> Verdict:
    """What the record means for main.cf, which says so of the parameter; None: nothing."""
    record = evidence.record
    if record is None:
        return Verdict(note=evidence.problem)
    if not same(written, record.value):
        # It was taken back already if it is as before, by a run that was cut off.
        note = "" if same(written, record.before) else _changed(written, record)
        return Verdict(note=note)
    if standing_outages(record, evidence.now):
        return Verdict(holds=True)
    if evidence.overdue and not same(record.before, record.value):
        return Verdict(holds=True, note=_overdue(evidence.overdue, record))
    return Verdict(back=True)


def same(first: str | None, second: str | None) -> bool:
    """Whether two values of the parameter mean the same; None is one that is not set."""
    if first is None or second is None:
        return first is second
    return first == second or (seconds(first, UNIT) is not None and seconds(first, UNIT) == seconds(second, UNIT))


def value_told(value: str | None) -> str:
    """A value as a person is told of it."""
    return "Postfix's default" if value is None else value


def _changed(written: str | None, record: LifetimeRaise) -> str:
    return (
        f"{LIFETIME} is {value_told(written)}, not {value_told(record.value)} to which outage_begin raised it: "
        f"somebody has changed it, so it does not go back to {value_told(record.before)}"
    )


def _overdue(number: int, record: LifetimeRaise) -> str:
    return (
        f"the outages are over, but {number} message(s) have waited longer than {value_told(record.before)}, to which "
        f"{LIFETIME} would go back: they would be returned at their next failed try, so it stays {record.value} until "
        "they are gone; run queue_flush"
    )


def raise_result(record: LifetimeRaise | None) -> Mapping[str, Any] | None:
    """The record as modules return it."""
    return None if record is None else json.loads(raise_text(record))


def raise_lines(record: LifetimeRaise | None) -> list[str]:
    """How long mail may wait, and until when, in words; nothing without a record."""
    if record is None or not record.outages:
        return []
    last = max(expiry(outage) for outage in record.outages.values())
    until = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(last))
    names = ", ".join(sorted(record.outages))
    if same(record.before, record.value):
        return [f"{LIFETIME} stays {value_told(record.value)} until {until} ({names})"]
    then = value_told(record.before)
    return [f"{LIFETIME} is {value_told(record.value)} until {until}, then {then} again ({names})"]
