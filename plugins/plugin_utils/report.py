# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report on MX hosts says, worst first, from what mx_info, queue_info and postfix_info returned of each host.

Only values that a template can write down as they are: nothing is left to decide there but how it looks.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import HOST, MAIL_HOST
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import PRIMARY, SECONDARY
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.index_states import CURRENT, GOOD_STATES
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.differences import KnownInstance, differences
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.instances import instance_label
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.report_path import canary_of, draw, exchangers, nexthop_of

UNKNOWN = "unknown"
NEVER = "never"
RANKS = {"error": 0, "warning": 1, "info": 2, "ok": 3}
NOT_READ = "it could not be reached"
# Seconds after which a message has waited for more than a retry or two.
LONG = 1800
UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def report(
    evidence: Mapping[str, Mapping[str, Any] | Sequence[Mapping[str, Any]] | None], now: float
) -> dict[str, Any]:
    """The hosts and their domains, each list worst first.

    `evidence` has for each host the keys `mx`, `queue` and `postfix`, the results of the modules, and `error`, which
    says why there are none, or a list of such for its instances of Postfix, which then have a `config_directory` as
    well, and `accepted` findings; None for a host of which nothing is known.
    """
    instances = [(name, _instances(found)) for name, found in evidence.items()]
    labelled = [(instance_label(name, instance, found), instance) for name, found in instances for instance in found]
    differing = _differing(labelled, now)
    hosts = [_host(label, instance, differing.get(label, []), now) for label, instance in labelled]
    rows = [row for host in hosts for row in host.pop("rows")]
    hosts.sort(key=lambda host: (RANKS[host["status"]], host["name"]))
    rows.sort(key=lambda row: (RANKS[row["status"]], -row["waiting"], row["domain"], row["host"]))
    for number, row in enumerate(rows):
        row["id"] = f"d{number}"
    return {
        "time": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now)),
        "hosts": hosts,
        "rows": rows,
        "counts": {
            "hosts": len(evidence),
            "unread": sum(1 for _name, found in instances if any(instance.get("error") for instance in found)),
            **_domains(rows),
            "waiting": sum(host["waiting"] for host in hosts),
            "kept": sum(host["kept"] for host in hosts),
        },
    }


def _differing(labelled: Sequence[tuple[str, Mapping[str, Any]]], now: float) -> dict[str, list[dict[str, Any]]]:
    """What the hosts of a domain differ in, by the host that it is a finding of."""
    known = [
        KnownInstance(label, instance["mx"], instance.get("accepted") or [])
        for label, instance in labelled
        if not instance.get("error")
    ]
    found = differences(known, time.strftime("%Y-%m-%d", time.gmtime(now)))
    return {instance.name: told for instance, told in zip(known, found, strict=True)}


def _domains(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many domains there are, each once, and how it is with them on the host that is worst for them."""
    worst: dict[str, str] = {}
    for row in rows:
        worst[row["domain"]] = min(worst.get(row["domain"], "ok"), row["status"], key=lambda status: RANKS[status])
    return {
        "domains": len(worst),
        "errors": sum(1 for status in worst.values() if status == "error"),
        "warnings": sum(1 for status in worst.values() if status == "warning"),
    }


def _instances(found: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None) -> Sequence[Mapping[str, Any]]:
    return [found] if isinstance(found, Mapping) else found or [{"error": NOT_READ}]


def _host(name: str, found: Mapping[str, Any], differing: Sequence[Mapping[str, Any]], now: float) -> dict[str, Any]:
    """One host, with the rows of its domains, and what it differs in from their other hosts."""
    if found.get("error"):
        return {
            "name": name,
            "status": "error",
            "error": str(found["error"]),
            "version": "",
            "own_name": "",
            "findings": [],
            "waiting": 0,
            "waited": "",
            "waited_sort": 0,
            "kept": 0,
            "domains": 0,
            "rows": [],
        }
    mx, queue, postfix = found["mx"], found["queue"], found["postfix"]
    by_domain: dict[str, list[Mapping[str, Any]]] = {}
    for finding in [*mx["findings"], *differing]:
        by_domain.setdefault(finding["domain"], []).append(finding)
    wide = worst_first(by_domain.get("", []))
    own = worst_first([*wide, *waiting_long(queue["total"], ""), *kept_long(queue["total"], "")])
    rows = [_row(name, domain, found, worst_first(by_domain.get(domain, [])), wide, now) for domain in mx["domains"]]
    return {
        "name": name,
        "status": status_of(own),
        "error": "",
        "version": postfix["version"],
        "own_name": postfix["instance"].get("myhostname", ""),
        "findings": own,
        "waiting": queue["total"]["count"],
        "waited": duration(queue["total"]["age"]),
        "waited_sort": queue["total"]["age"] or 0,
        "kept": kept_of(queue["total"])["count"],
        "domains": len(rows),
        "rows": rows,
    }


def _row(
    host: str,
    domain: str,
    found: Mapping[str, Any],
    own: Sequence[Mapping[str, Any]],
    wide: Sequence[Mapping[str, Any]],
    now: float,
) -> dict[str, Any]:
    """One domain on one host. What is wrong with the whole host is wrong with it as well, after its own."""
    mx = found["mx"]
    evidence = mx["domains"][domain]
    shared = [finding for finding in wide if finding["severity"] != "info"]
    queue = found["queue"]["domains"].get(domain) or {"count": 0, "age": None, "size": 0, "held": 0, "reasons": []}
    findings = [*worst_first([*own, *waiting_long(queue, domain), *kept_long(queue, domain)]), *shared]
    changed = list_changed(found["postfix"]["tables"])
    since = None if changed is None else max(0, int(now - changed))
    followed = evidence["sources"]
    age = oldest_of(followed) if followed else since
    row = {
        "host": host,
        "domain": domain,
        "status": status_of(findings),
        "role": role_of(evidence["mx"], evidence.get("declared") or ""),
        "recipients": recipients_of(evidence, own),
        "recipients_sort": evidence["recipients"],
        "changed": duration(since),
        "age": NEVER if followed and age is None else duration(age),
        "age_sort": (int(now) if followed else 0) if age is None else age,
        "sources": [source_of(source) for source in followed],
        "index": index_of(mx["tables"]),
        "waiting": queue["count"],
        "waited": duration(queue["age"]),
        "waited_sort": queue["age"] or 0,
        "size": size(queue["size"]),
        "held": queue["held"],
        "reasons": queue["reasons"],
        **outlook(queue),
        "refused": queue.get("refused", 0),
        "kept": kept_of(queue)["count"],
        "kept_for": duration(kept_of(queue)["age"]),
        "kept_size": size(kept_of(queue)["size"]),
        "causes": kept_of(queue)["causes"],
        "findings": findings,
        "first": findings[0]["message"] if findings else "",
        "mx": exchangers(evidence["mx"]),
        "canary": canary_of(evidence),
        "nexthop": nexthop_of(evidence, found["postfix"]["parameters"].get("relayhost", "")),
    }
    row["path"] = draw(row, found["postfix"]["instance"].get("myhostname") or host, evidence)
    return row


def worst_first(findings: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(findings, key=lambda finding: RANKS[finding["severity"]])


def status_of(findings: Iterable[Mapping[str, Any]]) -> str:
    """The worst severity; what was probably meant (info) is all right."""
    ranks = [RANKS[finding["severity"]] for finding in findings if finding["severity"] != "info"]
    return next(name for name, rank in RANKS.items() if rank == min(ranks, default=RANKS["ok"]))


def waiting_long(queue: Mapping[str, Any], domain: str) -> list[dict[str, Any]]:
    """The finding that mail, of a domain or of the whole host (""), has waited for long; none if it has not."""
    if (queue["age"] or 0) < LONG:
        return []
    count = queue["count"]
    what = "1 message is waiting, for" if count == 1 else f"{count} messages are waiting, the oldest for"
    return [
        {
            "domain": domain,
            "check": "waiting",
            "severity": "warning",
            "scope": "remote",
            "message": f"{what} {duration(queue['age'])}",
            "remedy": "mend what it is waiting for, then run mxrelay.postfix.queue_flush; release what is on hold",
            "place": MAIL_HOST if domain else HOST,
        }
    ]


def outlook(queue: Mapping[str, Any]) -> dict[str, str]:
    """What is to be expected of a domain's queue: when the first message bounces, and how long it takes to drain."""
    bounce, drain = queue.get("first_bounce"), queue.get("drain") or {}
    if bounce is None or not drain:
        return {"bounce": "", "drain": ""}
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(bounce))
    unaided = "only after one" if drain["unaided"] is None else f"{span(drain['unaided'])} without one"
    return {
        "bounce": f"in {span(queue['to_first_bounce'])}, {when}" if queue["to_first_bounce"] else "is due",
        "drain": f"{span(drain['seconds'])} after a flush, {unaided}",
    }


def kept_of(queue: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is kept of mail that was refused, of a domain or of the whole host."""
    return queue.get("kept") or {"count": 0, "age": None, "size": 0, "causes": []}


def kept_long(queue: Mapping[str, Any], domain: str) -> list[dict[str, Any]]:
    """The finding that refused mail, of a domain or of the whole host (""), is kept and nobody has decided about it."""
    kept = kept_of(queue)
    if (kept["age"] or 0) < LONG:
        return []
    age, count = duration(kept["age"]), kept["count"]
    message = f"{count} messages are kept that could not be delivered, the oldest for {age}"
    if count == 1:
        message = f"1 message is kept that could not be delivered, for {age}"
    return [
        {
            "domain": domain,
            "check": "kept",
            "severity": "warning",
            "scope": "remote",
            "message": message,
            "remedy": "mend the cause, then deliver, bounce or delete what is kept with mxrelay.postfix.queue_release",
            "place": MAIL_HOST if domain else HOST,
        }
    ]


def role_of(records: Sequence[Mapping[str, Any]] | None, declared: str = "") -> str:
    """What the inventory declares this host to be, and what DNS makes it if that is something else."""
    in_dns = _role_in_dns(records)
    if declared not in (PRIMARY, SECONDARY):
        return in_dns
    role = f"{declared} MX"
    return role if in_dns in (role, UNKNOWN) else f"{role}, {in_dns} in DNS"


def _role_in_dns(records: Sequence[Mapping[str, Any]] | None) -> str:
    if records is None:
        return UNKNOWN
    own = [record["preference"] for record in records if record["this_host"]]
    if not own:
        return "no MX"
    return "primary MX" if min(own) == min(record["preference"] for record in records) else "secondary MX"


def recipients_of(evidence: Mapping[str, Any], findings: Iterable[Mapping[str, Any]]) -> str:
    """How many recipients are listed, or what there is instead of a list."""
    if evidence["wildcard"] or any(finding["check"] == "accepts_any" for finding in findings):
        return "any"
    if not evidence["recipients"]:
        return "in another map" if evidence["other_maps"] else "none"
    return f"{evidence['recipients']}{' and another map' if evidence['other_maps'] else ''}"


def oldest_of(sources: Iterable[Mapping[str, Any]]) -> int | None:
    """How many seconds ago that source was read which was not for the longest time; None if one never was."""
    ages = [source["age"] for source in sources]
    return None if None in ages else max(ages)


def source_of(source: Mapping[str, Any]) -> dict[str, str]:
    """The name of a source that a list follows, and all that is known of it as a text."""
    count = f"{source['count']} address{'' if source['count'] == 1 else 'es'}"
    read = f"{NEVER} read" if source["age"] is None else f"{count}, read {duration(source['age'])} ago"
    failed = f"; the last try failed: {source['problem']}" if source["problem"] else ""
    return {"name": source["name"], "text": f"{source['type']} on {source['host']}, {read}{failed}"}


def list_changed(tables: Iterable[Mapping[str, Any]]) -> int | None:
    """When the newest of the lists of recipients was written, None if there is none."""
    lists = [table for table in tables if "relay_recipient_maps" in table["parameters"]]
    return max((table["modified"] for table in lists if table["modified"]), default=None)


def index_of(tables: Iterable[Mapping[str, Any]]) -> str:
    """The state of the first index that is not as it should be, else `current`."""
    return next((table["index"] for table in tables if table["index"] not in GOOD_STATES), CURRENT)


def duration(seconds: float | None) -> str:
    """In the largest unit that fits: `3 d`; the empty string if there is none."""
    if seconds is None:
        return ""
    whole = max(0, int(seconds))
    length, unit = next(((length, unit) for length, unit in UNITS if whole >= length), UNITS[-1])
    return f"{whole // length} {unit}"


def span(seconds: int) -> str:
    """In the two largest units that fit: `1 h 23 min`."""
    place = next((place for place, (length, _unit) in enumerate(UNITS) if seconds >= length), len(UNITS) - 1)
    parts: list[str] = []
    for length, unit in UNITS[place : place + 2]:
        parts += [f"{seconds // length} {unit}"] if seconds >= length or not parts else []
        seconds %= length
    return " ".join(parts)


def size(count: int) -> str:
    """Bytes as people read them: `12 kB`."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count} {unit}"
        count = (count + 500) // 1000
    return f"{count} GB"
