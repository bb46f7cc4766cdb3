# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The path of a domain's mail as a picture: stations from top to bottom on one line, and what is wrong where it is.

    sender - MX records - this host - nexthop - mail host

A thinner line beside it goes from each better MX straight to the mail host: the way of the mail while all is well.
"""

from __future__ import annotations

import textwrap
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import every_check
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    ARRIVAL,
    DELIVERY,
    DEPARTURE,
    LOOKUP,
    MARKS,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import HOST
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.canary import (
    BOUNCED,
    DELIVERED,
    WAITING,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import bare_host

# Units of the drawing; 380 of them are as wide as a phone.
WIDTH = 380
TOP = 16
LINE = 18
STATION = 20
LINK = 24
# Of the largest sign at a station.
RADIUS = 9
# What fits beside the line, in letters of the sizes that the template uses.
TITLE_LETTERS = 34
TEXT_LETTERS = 42
MARK_LETTERS = 38
# How what is wrong with the path is told in words, the worst first.
VERDICTS = {"error": "Broken", "warning": "Worth a look"}
MARK_LINES = 5

STATIONS = ("sender", "mx", "host", "nexthop", "mail_host")
# The link that leads to each station.
LINKS = {"mx": LOOKUP, "host": ARRIVAL, "nexthop": DEPARTURE, "mail_host": DELIVERY}
CHECKS = {check.name: check for check in every_check()}
# What becomes of a canary at the mail host, or on the way to it.
BEYOND = (DELIVERED, WAITING, BOUNCED)
BY_MX = "by the MX records"


def exchangers(records: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """The MX records in the order in which senders try them."""
    found = sorted(records or [], key=lambda record: (record["preference"], record["host"]))
    return [{**record, "addresses": list(record["addresses"])} for record in found]


def nexthop_of(evidence: Mapping[str, Any], relayhost: str) -> dict[str, str]:
    """Where this host sends the mail: `text` as Postfix has it, and the `host` at its end, "" if nothing tells."""
    answer = evidence["transport"]
    if answer and answer["result"].partition(":")[2]:
        return {"text": answer["result"], "host": bare_host(answer["result"].partition(":")[2])}
    if not answer and relayhost:
        return {"text": f"relayhost {relayhost}", "host": bare_host(relayhost)}
    better = [record["host"] for record in better_exchangers(exchangers(evidence["mx"]))]
    return {"text": BY_MX, "host": better[0] if better else ""}


def better_exchangers(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that senders try before this host; all if this host is not one."""
    own = [record["preference"] for record in records if record["this_host"]]
    return [record for record in records if not own or record["preference"] < min(own)]


def place_of(finding: Mapping[str, Any]) -> str:
    """The station or the link at which a finding is drawn: where its check is, unless it lies elsewhere on the path."""
    check = CHECKS.get(finding["check"])
    place = finding.get("place") or (check.place if check else HOST)
    return check.mark if check and place == check.place else MARKS.get(place, HOST)


def canary_of(evidence: Mapping[str, Any]) -> dict[str, str]:
    """The last canary in a line, and the station at which it ended; both "" if there was none."""
    known = evidence.get("canary")
    if not known:
        return {"text": "", "station": ""}
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(known["time"]))
    return {
        "text": f"canary {known['outcome']}, {when}",
        "station": "mail_host" if known["outcome"] in BEYOND else HOST,
    }


def draw(row: Mapping[str, Any], own_name: str, evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The picture: its size, its stations and links with their places and what is wrong there, and it all in words."""
    marks: dict[str, list[Mapping[str, Any]]] = {}
    for finding in row["findings"]:
        if finding["severity"] != "info":
            marks.setdefault(place_of(finding), []).append(finding)
    texts = _texts(row, own_name, evidence)
    stations: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []
    y = TOP
    broken = False
    for name in STATIONS:
        if stations:
            link = _marked(LINKS[name], marks)
            start, y = y, y + LINK + LINE * len(link["marks"])
            place = {"top": stations[-1]["y"], "bottom": y, "text_y": start + LINE - 2}
            links.append({**link, **place, "name": LINKS[name], "beyond": broken})
            broken = broken or link["status"] == "error"
        station = {"name": name, "y": y, **texts[name], **_marked(name, marks), "beyond": broken}
        broken = broken or station["status"] == "error"
        lines = len(station["lines"]) + len(station["records"]) + len(station["marks"])
        stations.append(station)
        y += LINE * lines + (STATION if lines else 4)
    return {
        "width": WIDTH,
        "height": max(y, stations[-1]["y"] + RADIUS + 2),
        "stations": stations,
        "links": links,
        "rail": _rail(stations),
        "title": _in_words(row, own_name, stations, links),
    }


def _texts(row: Mapping[str, Any], own_name: str, evidence: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What stands beside each station."""
    records = [
        {
            "preference": record["preference"],
            "host": shortened(record["host"], TEXT_LETTERS - 20 if record["this_host"] else TEXT_LETTERS - 6),
            "this_host": record["this_host"],
            "better": record in better_exchangers(row["mx"]),
        }
        for record in row["mx"]
    ]
    nothing = "DNS did not answer" if evidence["mx"] is None else "none"
    waiting = f"; {row['waiting']} waiting, {row['waited']}" if row["waiting"] else ""
    mail_host = row["nexthop"]["host"]
    known = {record["host"].lower().rstrip("."): record["addresses"] for record in row["mx"]}
    addresses = ", ".join(evidence.get("nexthop_addresses") or known.get(mail_host.lower(), []))
    stations: dict[str, dict[str, Any]] = {
        "sender": {"title": "Sender", "lines": [], "records": []},
        "mx": {"title": "MX records", "lines": [] if records else [nothing], "records": records},
        "host": {
            "title": shortened(own_name, TITLE_LETTERS),
            "lines": [f"{row['role'].partition(',')[0]}; recipients: {row['recipients']}{waiting}"],
            "records": [],
        },
        "nexthop": {
            "title": "Nexthop",
            "lines": [shortened(row["nexthop"]["text"], TEXT_LETTERS)],
            "records": [],
        },
        "mail_host": {
            "title": shortened(mail_host, TITLE_LETTERS) or "Mail host unknown",
            "lines": [shortened(addresses, TEXT_LETTERS)] if addresses else [],
            "records": [],
        },
    }
    if row["canary"]["text"]:
        stations[row["canary"]["station"]]["lines"].append(row["canary"]["text"])
    return stations


def _marked(place: str, marks: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """The status of a place, and the lines that say what is wrong there."""
    found = marks.get(place, [])
    lines = [
        {"severity": finding["severity"], "text": text, "first": number == 0}
        for finding in found
        for number, text in enumerate(_wrapped(finding["message"]) or [finding["check"]])
    ]
    severities = {finding["severity"] for finding in found}
    return {
        "status": "error" if "error" in severities else "warning" if severities else "ok",
        "marks": lines,
    }


def _wrapped(message: str) -> list[str]:
    return textwrap.wrap(message, MARK_LETTERS, max_lines=MARK_LINES, placeholder=" …")


def _rail(stations: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The line that passes this host by: from the better MX records down to the mail host."""
    mx, end = stations[1], stations[-1]
    starts = [mx["y"] + LINE * (number + 1) for number, record in enumerate(mx["records"]) if record["better"]]
    return {"starts": starts, "end": end["y"]} if starts else None


def _in_words(
    row: Mapping[str, Any],
    own_name: str,
    stations: Sequence[Mapping[str, Any]],
    links: Sequence[Mapping[str, Any]],
) -> str:
    """What the picture shows, for those who don't see it."""
    records = ", ".join(f"{record['preference']} {record['host']}" for record in row["mx"]) or "none"
    onwards = BY_MX if row["nexthop"]["text"] == BY_MX else f"to {row['nexthop']['text']}"
    parts = [*links, *stations]
    wrong = {status: [part["marks"][0]["text"] for part in parts if part["status"] == status] for status in VERDICTS}
    verdict = next((f"{words}: {'; '.join(wrong[status])}." for status, words in VERDICTS.items() if wrong[status]), "")
    return (
        f"Path of mail for {row['domain']}: from the sender by the MX records ({records}) to {own_name}, "
        f"then {onwards}, and to {row['nexthop']['host'] or 'an unknown mail host'}. "
        + (f"Last test: {row['canary']['text']}. " if row["canary"]["text"] else "")
        + (verdict or "Nothing on it is broken.")
    )


def shortened(text: str, letters: int) -> str:
    """Text that fits, with its middle left out if it is too long."""
    if len(text) <= letters:
        return text
    start = (letters - 1) // 2
    return f"{text[:start]}…{text[len(text) - (letters - 1 - start):]}"
