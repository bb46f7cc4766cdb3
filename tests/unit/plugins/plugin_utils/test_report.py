# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: what comes first, and that nothing in it can be more than text."""

from __future__ import annotations

import html.parser
import pathlib
import re
from typing import Any

import jinja2
import pytest

from ansible_collections.mxrelay.postfix.plugins.plugin_utils.report import duration, report, size, span
from ansible_collections.mxrelay.postfix.tests.unit.plugins.plugin_utils.report_evidence import (
    NOW,
    domain,
    finding,
    host,
    record,
    row,
)

ROOT = pathlib.Path(__file__).resolve().parents[4]
REASON = {"reason": "connect to mail.x.example[192.0.2.5]:25: Connection refused", "recipients": 3}
HOSTILE = "<script>alert(1)</script>\"'&|](x"


def test_healthy_domain_is_one_quiet_line() -> None:
    only = row(host({"x.example": domain()}))
    assert {key: only[key] for key in ("status", "role", "recipients", "age", "index", "waiting", "first")} == {
        "status": "ok",
        "role": "secondary MX",
        "recipients": "2",
        "age": "3 d",
        "index": "current",
        "waiting": 0,
        "first": "",
    }
    assert {part["status"] for part in [*only["path"]["stations"], *only["path"]["links"]]} == {"ok"}
    assert only["path"]["title"] == (
        "Path of mail for x.example: from the sender by the MX records (10 mail.x.example, 100 mx2.x.example) to "
        "mx2.x.example, then by the MX records, and to mail.x.example. Nothing on it is broken."
    )


def test_worst_comes_first() -> None:
    waiting = {"count": 4, "size": 1, "held": 0, "age": 60, "reasons": [REASON]}
    found = host(
        {name: domain() for name in ("a.example", "b.example", "c.example", "d.example", "e.example")},
        finding("b.example", "x", "warning"),
        finding("c.example", "x", "info"),
        finding("d.example", "x"),
        finding("e.example", "x"),
    )
    found["queue"] = {"total": waiting, "domains": {"e.example": waiting}}
    made = report({"mx2": found, "mx1": None}, NOW)
    assert [(row["domain"], row["status"], row["id"]) for row in made["rows"]] == [
        ("e.example", "error", "d0"),
        ("d.example", "error", "d1"),
        ("b.example", "warning", "d2"),
        ("a.example", "ok", "d3"),
        ("c.example", "ok", "d4"),
    ]
    assert [(host["name"], host["status"], host["error"]) for host in made["hosts"]] == [
        ("mx1", "error", "it could not be reached"),
        ("mx2", "ok", ""),
    ]
    assert made["counts"] == {
        "hosts": 2,
        "unread": 1,
        "domains": 5,
        "errors": 2,
        "warnings": 1,
        "waiting": 4,
        "kept": 0,
    }


def test_what_is_wrong_with_a_host_is_wrong_with_its_domains() -> None:
    only = row(
        host(
            {"x.example": domain()},
            finding("", "service"),
            finding("", "dns", "info", "dns"),
            finding("x.example", "accepts_any", "warning"),
        )
    )
    assert [finding["check"] for finding in only["findings"]] == ["accepts_any", "service"]
    assert (only["status"], only["recipients"]) == ("error", "any")


@pytest.mark.parametrize(
    ("records", "role", "rail"),
    [
        ([record(10, "mail"), record(100, "mx2", True)], "secondary MX", 1),
        ([record(10, "mx2", True), record(10, "mail"), record(20, "late")], "primary MX", 0),
        ([record(10, "a"), record(20, "b")], "no MX", 2),
        ([], "no MX", 0),
        (None, "unknown", 0),
    ],
)
def test_role_is_what_dns_makes_of_the_host(records: Any, role: str, rail: int) -> None:
    only = row(host({"x.example": domain(mx=records)}))
    assert only["role"] == role
    assert len((only["path"]["rail"] or {"starts": []})["starts"]) == rail


@pytest.mark.parametrize(
    ("declared", "records", "role"),
    [
        ("secondary", [record(10, "mail"), record(100, "mx2", True)], "secondary MX"),
        ("primary", [record(10, "mail"), record(100, "mx2", True)], "primary MX, secondary MX in DNS"),
        ("secondary", [record(10, "mail")], "secondary MX, no MX in DNS"),
        ("primary", None, "primary MX"),
        ("absent", [record(10, "mx2", True)], "primary MX"),
        (None, [record(10, "mx2", True)], "primary MX"),
    ],
)
def test_role_that_the_inventory_declares_comes_before_that_in_dns(declared: Any, records: Any, role: str) -> None:
    only = row(host({"x.example": domain(declared=declared, mx=records)}))
    assert only["role"] == role
    host_lines = next(station["lines"] for station in only["path"]["stations"] if station["name"] == "host")
    assert host_lines == [f"{role.partition(',')[0]}; recipients: 2"]


def queue(age: int | None, count: int = 1) -> dict[str, Any]:
    return {"count": count, "size": 1, "held": 0, "age": age, "reasons": [REASON]}


@pytest.mark.parametrize(("age", "status"), [(None, "ok"), (1799, "ok"), (1800, "warning")])
def test_mail_that_has_waited_for_half_an_hour_is_not_fine(age: int | None, status: str) -> None:
    found = host({"x.example": domain(), "y.example": domain()})
    found["queue"] = {"total": queue(age), "domains": {"x.example": queue(age)}}
    made = report({"mx2": found}, NOW)
    assert {row["domain"]: row["status"] for row in made["rows"]} == {"x.example": status, "y.example": "ok"}
    assert made["hosts"][0]["status"] == status
    assert made["counts"]["warnings"] == int(status == "warning")
    only = next(row for row in made["rows"] if row["domain"] == "x.example")
    assert only["path"]["title"].endswith("Nothing on it is broken.") == (status == "ok")


def test_waiting_mail_is_a_finding_with_its_remedy() -> None:
    found = host({"x.example": domain()}, finding("x.example", "own_nexthop"))
    found["queue"] = {"total": queue(90000, 12), "domains": {"x.example": queue(7200)}}
    made = report({"mx2": found}, NOW)
    assert [finding["check"] for finding in made["rows"][0]["findings"]] == ["own_nexthop", "waiting"]
    assert made["rows"][0]["findings"][1]["message"] == "1 message is waiting, for 2 h"
    (whole,) = made["hosts"][0]["findings"]
    assert whole["message"] == "12 messages are waiting, the oldest for 1 d"
    assert whole["remedy"].startswith("mend what it is waiting for, then run mxrelay.postfix.queue_flush")


def with_kept(age: int, count: int) -> dict[str, Any]:
    causes = [{"cause": "refused: 550 5.7.1", "count": count}]
    nothing = {"count": 0, "size": 0, "held": 0, "age": None, "reasons": [], "refused": 2}
    found = host({"x.example": domain()})
    kept = {**nothing, "kept": {"count": count, "age": age, "size": 12000, "causes": causes}}
    found["queue"] = {"total": kept, "domains": {"x.example": kept}}
    return found


@pytest.mark.parametrize(
    ("age", "count", "messages"),
    [
        (1799, 3, []),
        (7200, 1, ["1 message is kept that could not be delivered, for 2 h"]),
        (90000, 3, ["3 messages are kept that could not be delivered, the oldest for 1 d"]),
    ],
)
def test_mail_that_is_kept_for_long_is_a_finding(age: int, count: int, messages: list[str]) -> None:
    made = report({"mx2": with_kept(age, count)}, NOW)
    for findings in (made["rows"][0]["findings"], made["hosts"][0]["findings"]):
        assert [finding["message"] for finding in findings] == messages
        assert [finding["severity"] for finding in findings] == ["warning"] * len(messages)
    assert made["counts"]["kept"] == count


def test_what_is_kept_and_refused_is_told_with_its_causes() -> None:
    text = render("report.md.j2", {"mx2": with_kept(60, 3)})
    assert "0 messages waiting, 3 kept that could not be delivered. As of" in text
    assert (
        "- refused for good by the mail host, and tried again: 2 recipients\n- kept because: refused: 550 5.7.1 (3)"
        in text
    )
    page = render("report.html.j2", {"mx2": with_kept(7200, 3)})
    assert "0 messages waiting, 3 kept that could not be delivered, on 1 host." in page
    assert '<tr><th scope="row">Kept</th><td>3 not delivered (12 kB), oldest 2 h</td></tr>' in page
    assert '<th scope="row">Kept because</th><td class="long">refused: 550 5.7.1 (3)</td>' in page
    assert "2 recipients of waiting mail, for good by the mail host, and tried again" in page


def source(name: str, age: int | None, count: int = 12, problem: str = "") -> dict[str, Any]:
    return {"name": name, "type": "ldap", "host": "localhost", "age": age, "count": count, "problem": problem}


@pytest.mark.parametrize(
    ("sources", "age", "age_sort", "texts"),
    [
        ([], "3 d", 3 * 86400 + 5, []),
        (
            [source("staff", 7300), source("shop", 300, 1)],
            "2 h",
            7300,
            ["ldap on localhost, 12 addresses, read 2 h ago", "ldap on localhost, 1 address, read 5 min ago"],
        ),
        (
            [source("staff", 7300, problem="no answer"), source("shop", None, 0, "no login")],
            "never",
            int(NOW),
            [
                "ldap on localhost, 12 addresses, read 2 h ago; the last try failed: no answer",
                "ldap on localhost, never read; the last try failed: no login",
            ],
        ),
    ],
)
def test_list_that_follows_sources_is_as_old_as_the_oldest_read(
    sources: list[dict[str, Any]], age: str, age_sort: int, texts: list[str]
) -> None:
    found = host({"x.example": domain(sources=sources)})
    only = row(found)
    assert (only["age"], only["age_sort"], only["changed"]) == (age, age_sort, "3 d")
    assert [source["text"] for source in only["sources"]] == texts
    page, text = render("report.html.j2", {"mx2": found}), render("report.md.j2", {"mx2": found})
    assert ", list changed 3 d ago</td></tr>" in page
    for told in only["sources"]:
        assert f'<tr><th scope="row">Source {told["name"]}</th><td class="long">{told["text"]}</td></tr>' in page
        assert f"- source {told['name']}: {told['text']}\n" in text


def test_what_the_hosts_of_a_domain_differ_in_is_a_finding_on_each() -> None:
    one = host({"x.example": domain(), "y.example": domain()})
    two = host({"x.example": domain(recipients=3, recipients_digest="d2"), "y.example": domain(relayed="")})
    accepted = {"check": "mx_disagree", "subject": "x.example recipients", "reason": "a move", "until": "2026-11-22"}
    made = report({"mx1": one, "mx2": {**two, "accepted": [accepted]}, "mx3": {"error": "gone"}}, NOW)
    found = {(row["host"], row["domain"]): row["findings"] for row in made["rows"] if row["findings"]}
    message = "its MX hosts list different recipients (2 on mx1; 3 on mx2): what one takes another refuses"
    assert {key: [finding["message"] for finding in findings] for key, findings in found.items()} == {
        ("mx1", "x.example"): [message],
        ("mx2", "x.example"): [message],
    }
    assert [found[name, "x.example"][0]["severity"] for name in ("mx1", "mx2")] == ["warning", "info"]
    assert (made["counts"]["domains"], made["counts"]["warnings"]) == (2, 1)


def test_domain_on_several_hosts_is_counted_once_and_as_it_is_where_it_is_worst() -> None:
    every = {"x.example": domain(), "y.example": domain(), "z.example": domain()}
    one = host(every, finding("x.example", "own_nexthop"), finding("y.example", "x", "warning"))
    two = host(every, finding("x.example", "x", "warning"))
    counts = report({"mx1": one, "mx2": two}, NOW)["counts"]
    assert counts == {"hosts": 2, "unread": 0, "domains": 3, "errors": 1, "warnings": 1, "waiting": 0, "kept": 0}


def test_instances_of_a_host_are_told_from_each_other_and_the_host_is_counted_once() -> None:
    usual = host({"x.example": domain()}, config_directory="/etc/postfix")
    made = report({"mx2": [usual, {"config_directory": "/etc/postfix-out", "error": "gone"}], "mx1": [usual]}, NOW)
    assert [(host["name"], host["error"]) for host in made["hosts"]] == [
        ("mx2 (/etc/postfix-out)", "gone"),
        ("mx1", ""),
        ("mx2 (/etc/postfix)", ""),
    ]
    assert (made["counts"]["hosts"], made["counts"]["unread"], made["counts"]["domains"]) == (2, 1, 1)
    assert report({"mx2": []}, NOW)["hosts"][0]["error"] == "it could not be reached"


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "2"),
        ({"wildcard": True}, "any"),
        ({"recipients": 0}, "none"),
        ({"recipients": 0, "other_maps": True}, "in another map"),
        ({"other_maps": True}, "2 and another map"),
    ],
)
def test_recipients(changes: dict[str, Any], shown: str) -> None:
    assert row(host({"x.example": domain(**changes)}))["recipients"] == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(None, ""), (-3, "0 s"), (59, "59 s"), (60, "1 min"), (7199, "1 h"), (86400, "1 d")]
)
def test_duration(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 B"), (999, "999 B"), (1500, "2 kB"), (3_000_000, "3 MB"), (10**10, "10 GB")]
)
def test_size(count: int, shown: str) -> None:
    assert size(count) == shown


def expecting(bounce: int | None, to_bounce: int | None, seconds: int, unaided: int | None) -> dict[str, Any]:
    drain = {"seconds": seconds, "unaided": unaided}
    queue = {"count": 1, "size": 1, "held": 0, "age": 60, "reasons": []}
    return {**queue, "first_bounce": bounce, "to_first_bounce": to_bounce, "drain": drain}


@pytest.mark.parametrize(
    ("queue", "bounce", "drain"),
    [
        pytest.param(
            expecting(int(NOW) + 90000, 90000, 13, 4980),
            "in 1 d 1 h, 2026-11-23 15:57 UTC",
            "13 s after a flush, 1 h 23 min without one",
            id="in time",
        ),
        pytest.param(expecting(int(NOW), 0, 3600, None), "is due", "1 h after a flush, only after one", id="deferred"),
        pytest.param(expecting(None, None, 0, 0), "", "", id="all on hold"),
        pytest.param({"count": 0, "size": 0, "held": 0, "age": None, "reasons": []}, "", "", id="of an old release"),
    ],
)
def test_row_tells_what_is_to_be_expected_of_the_queue(queue: dict[str, Any], bounce: str, drain: str) -> None:
    found = host({"x.example": domain()})
    found["queue"]["domains"] = {"x.example": queue}
    assert (row(found)["bounce"], row(found)["drain"]) == (bounce, drain)
    for name in ("report.html.j2", "report.md.j2"):
        assert (drain in render(name, {"mx2": found})) and ("ounce" in render(name, {"mx2": found})) == bool(bounce)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (61, "1 min 1 s"), (7260, "2 h 1 min"), (86459, "1 d")],
)
def test_span_has_two_units(seconds: int, text: str) -> None:
    assert span(seconds) == text


class Tags(html.parser.HTMLParser):
    """Collects what a browser would take as elements, and where they refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.references += [value or "" for name, value in attrs if name in ("href", "src", "action", "data")]


def render(name: str, evidence: dict[str, Any], title: str = "Mail relays") -> str:
    loader = jinja2.FileSystemLoader(ROOT / "roles/report/templates")
    environment = jinja2.Environment(loader=loader, trim_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.get_template(name).render(__report_view=report(evidence, NOW), report_title=title)


def hostile_evidence(text: str) -> dict[str, Any]:
    """Everything that a host, its DNS or somebody else's mail server can word, worded as `text`."""
    kept = {"count": 1, "age": 60, "size": 9, "causes": [{"cause": text, "count": 1}]}
    reasons = [{"reason": text, "recipients": 1}]
    waiting = {"count": 1, "size": 9, "held": 1, "age": 60, "reasons": reasons, "refused": 1, "kept": kept}
    found = host(
        {
            text: domain(
                mx=[record(10, text), record(20, text, True)],
                transport={"result": f"relay:[{text}]"},
                sources=[{"name": text, "type": text, "host": text, "age": 60, "count": 1, "problem": text}],
            )
        },
        {**finding(text, "own_nexthop"), "message": text, "remedy": text, "check": text},
        {**finding("", "index"), "message": text, "remedy": text},
    )
    found["mx"]["tables"] = [{"index": text}]
    found["queue"] = {"total": waiting, "domains": {text: waiting}}
    found["postfix"].update(version=text, instance={"myhostname": text})
    return {text: found, f"{text}2": {"error": text}}


def elements_of(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    return tags


def test_page_takes_nothing_for_more_than_text() -> None:
    plain = elements_of(render("report.html.j2", hostile_evidence("plain"), "plain"))
    hostile = elements_of(render("report.html.j2", hostile_evidence(HOSTILE), HOSTILE))
    assert [name for name in hostile.elements if name != "text"] == [name for name in plain.elements if name != "text"]


def test_page_refers_to_nothing_outside() -> None:
    tags = elements_of(render("report.html.j2", hostile_evidence("plain")))
    assert {link for link in tags.references if not link.startswith("#")} == {"data:,"}


def test_markdown_takes_nothing_for_more_than_text() -> None:
    text = render("report.md.j2", hostile_evidence(HOSTILE), HOSTILE)
    assert "<script" not in text
    assert not re.search(r"\]\(", text)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {10, 8}


def test_one_of_a_kind_is_told_as_one() -> None:
    found = host({"x.example": domain()})
    found["queue"] = {"total": queue(60), "domains": {}}
    text = render("report.md.j2", {"mx2": found})
    assert "0 of 1 domain with errors, 0 with warnings;\n0 of 1 host could not be read; 1 message waiting." in text
    page = render("report.html.j2", {"mx2": found})
    assert '<span class="s ok">None of 1 domain</span>' in page
    assert "1 message waiting on 1 host." in page


def test_markdown_says_the_same() -> None:
    found = host({"x.example": domain()}, finding("x.example", "own_nexthop"), finding("", "index", "warning"))
    text = render("report.md.j2", {"mx2": found, "mx1": {"error": "no route"}})
    assert "| Error | x.example | mx2 | secondary MX | 2 | 3 d | current | 0 |  |" in text
    assert "| Error | mx1 |  | 0 | 0 |  | could not be read: no route |" in text
    assert "- **Error** own_nexthop is wrong (own_nexthop, local)\n  Remedy: mend own_nexthop.\n" in text
    assert "- **Warning** index is wrong (index, local)\n  Remedy: mend index.\n" in text
