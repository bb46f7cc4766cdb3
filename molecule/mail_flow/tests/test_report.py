# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as people see it: in a browser, on a phone, on paper, of a healthy lab, a broken one, and a fleet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab import browser, fleet, hosts, playbooks

REPORT = "mxrelay.postfix.report"
WITH_A_LOST_HOST = str(playbooks.MOLECULE / "mail_flow/report.yml")
SECONDARY = "mx2"
PICTURES = browser.CACHE / "pictures"
# Of processor time and of bytes, for 1,000 domains on 100 hosts.
SECONDS_TO_LOAD = 4
SECONDS_TO_ACT = 1
LARGEST_PAGE = 4_000_000
# An A4 page with its margins, in pixels of CSS.
PAPER = 718
OPEN_ALL = "document.querySelectorAll('details').forEach(details => { details.open = true; })"
CLOSE_ALL = "document.querySelectorAll('details').forEach(details => { details.open = false; })"
STATUSES = "[...document.querySelectorAll('#domains > tbody')].map(row => row.className.split(' ')[0])"
# Each visible part of the picture that is drawn as broken, with its colour, and the words at it.
BROKEN = """[...document.querySelectorAll('#d0 svg .link.error, #d0 svg use.error, #d0 svg .mark.error')]
  .filter(part => part.getBoundingClientRect().height > 0)
  .map(part => [part.tagName, getComputedStyle(part)[
    part.tagName === 'path' ? 'stroke' : part.tagName === 'use' ? 'color' : 'fill'], part.textContent])"""
CUT_OFF = """[...document.querySelectorAll('.panel svg text')]
  .filter(words => words.getBBox().x + words.getBBox().width > words.ownerSVGElement.viewBox.baseVal.width)
  .map(words => words.textContent)"""
ERROR_COLOUR = "rgb(180, 35, 24)"


@pytest.fixture(scope="module", autouse=True)
def chromium() -> Iterator[None]:
    with browser.started():
        yield


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The page, the Markdown and what the run said, of the lab as the roles made it; written on the controller."""
    path = tmp_path_factory.mktemp("report") / "lab.html"
    probe = {"report_probe": True, "report_probe_from": "mx1.lab.example", "report_outage": "2d"}
    run = playbooks.play("mail_flow", REPORT, variables={"report_path": str(path), "report_title": "The lab", **probe})
    assert run.code == 0, run.said
    return {"page": path.read_text(), "markdown": path.with_suffix(".md").read_text(), "said": run.said}


@pytest.fixture(scope="module")
def broken() -> Iterator[dict[str, str]]:
    """The same of a lab whose secondary sends mail to itself, beside a host that is lost; written on a host."""
    sound = hosts.on(SECONDARY, "cat", "/etc/postfix/main.cf")
    path = "/srv/mx.html"
    loop = "transport_maps = inline:{ { flow.example = relay:[mx2.lab.example] } }"
    hosts.on(SECONDARY, "postconf", "-e", loop)
    hosts.on(SECONDARY, "postfix", "reload")
    try:
        where = {"report_path": path, "report_host": "mx2.lab.example", "report_become": True, "report_stats": True}
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("ANSIBLE_SHOW_CUSTOM_STATS", "true")
            run = playbooks.play("mail_flow", WITH_A_LOST_HOST, variables=where)
        assert run.code == 0, run.said
        page, markdown = (hosts.on(SECONDARY, "cat", name) for name in (path, "/srv/mx.md"))
        stats = json.loads(run.output[run.output.index("{") : run.output.rindex("}") + 1])["global_custom_stats"]
        yield {"page": page, "markdown": markdown, "said": run.said, "stats": stats}
    finally:
        hosts.on(SECONDARY, "sh", "-c", "cat > /etc/postfix/main.cf", given=sound)
        hosts.on(SECONDARY, "postfix", "reload")
        hosts.on(SECONDARY, "rm", "-f", path, "/srv/mx.md")


def test_report_of_a_healthy_lab_is_quiet(healthy: dict[str, str]) -> None:
    seen = browser.look(healthy["page"], STATUSES, OPEN_ALL, picture=PICTURES / "healthy.png")
    assert (seen.problems, seen.requests) == ([], [])
    assert seen.values[0] == ["is-ok", "is-ok"]
    assert "1 domain on 2 hosts: 0 with errors, 0 with warnings; 0 hosts could not be read" in healthy["said"]


def test_report_asks_as_a_stranger_where_the_user_wants_it() -> None:
    # Nothing listens on port 25 there.
    probe = {"report_probe": True, "report_probe_from": "mx1.lab.example", "report_address": "dns.lab.example"}
    run = playbooks.play("mail_flow", REPORT, variables={"report_stats": True, "report_path": "", **probe})
    assert run.code == 0, run.said
    assert "1 domain on 2 hosts: 1 with errors" in run.said


def test_report_names_what_only_the_eye_would_see(healthy: dict[str, str]) -> None:
    names = browser.look(healthy["page"], OPEN_ALL, names=True).names
    pictures = sorted(name for role, name in names if role == "image")
    assert [name[: name.index(":")] for name in pictures] == ["Path of mail for flow.example"] * 2
    assert all(name.endswith("Nothing on it is broken.") for name in pictures)
    buttons = {name for role, name in names if role == "button"}
    assert {"Sort by Status", "Sort by Domain", "Sort by Host", "Sort by Queue"} <= buttons
    assert ("searchbox", "Filter") in names
    assert ("heading", "The lab") in names
    tables = {name for role, name in names if role == "table"}
    assert "What applies to every domain of a host." in tables
    assert "Facts about flow.example on mx2.lab.example" in tables
    named = ("button", "link", "image", "table", "searchbox")
    assert [role for role, name in names if role in named and not name] == []


def test_report_draws_the_break_where_it_is(broken: dict[str, str]) -> None:
    seen = browser.look(broken["page"], STATUSES, BROKEN, picture=PICTURES / "broken.png")
    assert (seen.problems, seen.requests) == ([], [])
    assert seen.values[0] == ["is-error", "is-ok"]
    drawn = [(tag, colour) for tag, colour, _text in seen.values[1]]
    assert {("path", ERROR_COLOUR), ("use", ERROR_COLOUR), ("text", ERROR_COLOUR)} == set(drawn)
    words = " ".join(text for tag, _colour, text in seen.values[1] if tag == "text")
    assert words.startswith("its mail is sent to mx2.lab.example")
    assert f"- **Error** {words} (own_nexthop, local)" in broken["markdown"]


def test_report_says_the_same_in_markdown(broken: dict[str, str]) -> None:
    assert "### flow.example on mx2.lab.example" in broken["markdown"]
    assert "- **Error** its mail is sent to mx2.lab.example" in broken["markdown"]
    assert "  Remedy: name the host that keeps its mailboxes" in broken["markdown"]
    assert "| Error | lost.lab.example |" in broken["markdown"]


def test_report_has_hosts_that_cannot_be_reached(broken: dict[str, str]) -> None:
    row = "[...document.querySelectorAll('main > table')][1].tBodies[0].rows[0].textContent"
    seen = browser.look(broken["page"], row)
    assert "lost.lab.example" in seen.values[0]
    assert "Could not be read:" in seen.values[0]
    assert "1 host could not be read" in broken["said"]


def test_report_has_hosts_that_cannot_be_read() -> None:
    run = playbooks.play("mail_flow", REPORT, variables={"report_stats": True, "report_config_directory": "/srv/none"})
    assert run.code == 0, run.said
    assert "0 domains on 2 hosts" in run.said
    assert "2 hosts could not be read" in run.said


def test_report_has_hosts_of_which_the_domains_are_declared_wrongly() -> None:
    wrong = {"report_stats": True, "secondary_mx_domains": "flow.example"}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ANSIBLE_SHOW_CUSTOM_STATS", "true")
        run = playbooks.play("mail_flow", REPORT, variables=wrong)
    assert run.code == 0, run.said
    assert "2 hosts could not be read" in run.said
    assert "secondary_mx_domains is not a list of domains" in run.output


def test_report_compares_each_host_with_what_is_declared() -> None:
    other = {"primary_mx_domains": [{"name": "other.example", "mail_host": "mail.lab.example"}]}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ANSIBLE_SHOW_CUSTOM_STATS", "true")
        run = playbooks.play("mail_flow", REPORT, variables={"report_stats": True, **other})
    assert run.code == 0, run.said
    assert "### other.example on mx1.lab.example" in run.output
    assert "run the role primary_mx for it, or declare it with state: absent" in run.output
    assert "it is relayed, but no role declares it" in run.output
    # The secondary is not in the group of the role that declares it.
    assert "### other.example on mx2.lab.example" not in run.output


def test_report_is_returned_as_statistics(broken: dict[str, Any]) -> None:
    stats = broken["stats"]
    assert stats["mx_report_counts"] == {
        "hosts": 3,
        "unread": 1,
        "domains": 1,
        "errors": 1,
        "warnings": 0,
        "waiting": 0,
        "kept": 0,
    }
    assert "<title>Mail relays: 1 of 1 with errors</title>" in stats["mx_report_html"]
    assert "### flow.example on mx2.lab.example" in stats["mx_report_markdown"]


@pytest.mark.usefixtures("broken")
def test_report_breaks_no_name_that_has_room() -> None:
    """Names of usual length beside a column of first findings, of which the most are empty."""
    lines = """[...document.querySelectorAll('.grid td.long')]
      .filter(cell => cell.getBoundingClientRect().height > 1.6 * parseFloat(getComputedStyle(cell).lineHeight) + 12)
      .map(cell => cell.textContent)"""
    page = fleet.page(hosts=2, domains_each=10)
    for width in (1280, 1440):
        seen = browser.look(page, CLOSE_ALL, lines, "document.documentElement.scrollWidth", width=width)
        assert seen.values[1:] == [[], width]


def test_report_fits_a_phone_in_the_dark(broken: dict[str, str]) -> None:
    width, back = "document.documentElement.scrollWidth", "getComputedStyle(document.body).backgroundColor"
    seen = browser.look(
        broken["page"], OPEN_ALL, width, back, CUT_OFF, width=390, dark=True, picture=PICTURES / "phone.png"
    )
    assert seen.values[1:] == [390, "rgb(20, 23, 26)", []]
    assert seen.problems == []


def test_report_on_paper_shows_what_is_wrong_without_a_click(broken: dict[str, str]) -> None:
    width = "document.documentElement.scrollWidth"
    shown = "[...document.querySelectorAll('#domains .more')].map(more => more.getBoundingClientRect().height > 0)"
    hidden = "getComputedStyle(document.getElementById('filter')).display"
    seen = browser.look(broken["page"], CLOSE_ALL, shown, hidden, width, width=PAPER, paper=True)
    assert seen.values[1:] == [[True, False], "none", PAPER]


def test_report_of_a_fleet_stays_usable() -> None:
    page = fleet.page(hosts=100, domains_each=10)
    assert len(page.encode()) < LARGEST_PAGE
    find = """(() => { const words = document.getElementById('words'); words.value = '077 ERROR';
      words.dispatchEvent(new Event('input'));
      return [[...document.querySelectorAll('#domains tbody:not([hidden]) summary')].map(line => line.textContent),
        document.getElementById('shown').textContent.trim()]; })()"""
    sort = """(() => { const button = document.querySelectorAll('#domains th button')[1]; const first = () =>
      document.querySelector('#domains tbody summary').textContent; button.click(); const up = first(); button.click();
      return [up, first(), button.parentElement.getAttribute('aria-sort')]; })()"""
    unfold = """(async () => { const body = document.getElementById('d500');
      body.querySelector('summary').click(); await new Promise(done => setTimeout(done));
      await new Promise(requestAnimationFrame);
      body.hidden = false; return body.rows[1].getBoundingClientRect().height > 100; })()"""
    seen = browser.look(page, find, sort, unfold)
    assert (seen.problems, seen.requests) == ([], [])
    assert seen.values == [
        [["customer-077-000.example"], "1 of 1000"],
        ["customer-000-000.example", "customer-099-009.example", "descending"],
        True,
    ]
    assert seen.seconds[0] < SECONDS_TO_LOAD, seen.seconds
    assert seen.seconds[1] < SECONDS_TO_ACT, seen.seconds
