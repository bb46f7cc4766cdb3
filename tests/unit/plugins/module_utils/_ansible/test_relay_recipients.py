# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of an address from the option to the index, and that of a warning from the address to the result."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible import relay_recipients
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.relay_recipients import (
    edits_of,
    keep_relay_recipients,
    request_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables import followed
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import PathNeeded
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.followed import load
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.list_parts import ListParts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.task_name import digest_of, with_digests
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils._ansible.table_options import table_params
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost, contents

OPTIONS = ("recipients", "recipients_file", "domains", "_request", "_lists", "_parts")
UNHEARD = (
    "mail never names bücher.example in this form, since smtputf8_enable is no; "
    "give it as DNS has it, such as xn--bcher-kva.example, or set smtputf8_enable = yes"
)


def params(**given: Any) -> dict[str, Any]:
    options = dict.fromkeys(OPTIONS)
    others = {"remote_src": False, "value": "x", "show_recipients": False, "known_domains": False}
    return table_params(**{**options, **others, **given})


@pytest.fixture(name="host")
def fixture_host(tmp_path: pathlib.Path) -> FakeHost:
    return FakeHost(str(tmp_path))


def run(host: FakeHost, check_mode: bool = False, **given: Any) -> Outcome:
    return keep_relay_recipients(params(**given), host.postfix(), check_mode)


def test_address_of_the_option_comes_into_source_and_index(host: FakeHost, tmp_path: pathlib.Path) -> None:
    outcome = run(host, recipients=["Alice@x.example"])
    assert (outcome.changed, outcome.results["added"], outcome.results["removed"]) == (True, 1, 0)
    assert "added_recipients" not in outcome.results
    assert (tmp_path / "relay_recipients").read_text() == "alice@x.example x\n"
    assert (tmp_path / "relay_recipients.db").read_text() == "hash\nalice@x.example\tx\n"


def test_address_that_would_not_be_taken_now_can_be_removed(host: FakeHost, tmp_path: pathlib.Path) -> None:
    table = tmp_path / "relay_recipients"
    table.write_bytes(b"*@x.example x\n-a@x.example x\na@x.example x\n")
    listing = tmp_path / "list"
    listing.write_bytes(b"-a@x.example\n")
    for state in ("present", "absent"):
        given = {"recipients": ["*@x.example"], "recipients_file": [str(listing)], "remote_src": True, "state": state}
        if state == "present":
            with pytest.raises(InvalidInput, match="is a pattern"):
                run(host, **given)
        else:
            run(host, **given)
    assert table.read_bytes() == b"a@x.example x\n"


def test_addresses_are_in_the_result_only_if_asked_for(host: FakeHost) -> None:
    run(host, recipients=["bob@x.example"])
    outcome = run(host, recipients=["alice@x.example"], purge=True, show_recipients=True)
    assert outcome.results["added_recipients"] == ["alice@x.example"]
    assert outcome.results["removed_recipients"] == ["bob@x.example"]
    assert (outcome.diffs[0].before, outcome.diffs[0].after) == ("bob@x.example x\n", "alice@x.example x\n")


@pytest.mark.parametrize("check_mode", [True, False])
def test_domain_that_no_mail_names_is_warned_of_in_every_run(host: FakeHost, check_mode: bool) -> None:
    host.parameters["smtputf8_enable"] = "no"
    named = {"recipients": ["a@bücher.example", "b@bücher.example"], "_request": {"name": "one"}}
    assert run(host, check_mode, **named).warnings == [UNHEARD]
    again = run(host, check_mode, **named)
    assert (again.changed, again.warnings) == (check_mode, [UNHEARD])
    with pytest.raises(HostError):
        run(host, _request={"name": "one", "asks": True})


def test_warnings_of_the_source_come_before_those_of_the_addresses(host: FakeHost, tmp_path: pathlib.Path) -> None:
    host.parameters["smtputf8_enable"] = "no"
    (tmp_path / "relay_recipients").write_text("keyonly\n")
    assert run(host, recipients=["a@bücher.example"]).warnings == [
        f"{tmp_path}/relay_recipients: line 1: has a key without a value; Postfix ignores the entry",
        UNHEARD,
    ]


def test_edits_carry_their_warnings() -> None:
    given = params(recipients=["a@bücher.example"])
    assert edits_of(given, False) == Edits(set={"a@bücher.example": "x"}, warnings=(UNHEARD,))
    assert edits_of(params(recipients=["a@x.example"]), False) == Edits(set={"a@x.example": "x"})


def test_known_request_is_met_without_its_lists(host: FakeHost) -> None:
    run(host, recipients=["alice@x.example"], _request={"name": "one"})
    met = run(host, _request={"name": "one", "asks": True})
    assert (met.changed, met.results["total"], met.warnings) == (False, 1, [])
    with pytest.raises(HostError) as caught:
        run(host, _request={"name": "two", "asks": True})
    assert caught.value.message == "this host does not know the request by its name; give the lists as well"
    assert caught.value.details == {"request_unknown": True}


def test_list_is_made_of_the_table_and_of_what_it_lacks(host: FakeHost, tmp_path: pathlib.Path) -> None:
    lines = [f"user{number:04}@x.example\n" for number in range(1000)]
    run(host, recipients_file=["-"], remote_src=True, _lists="".join(lines))
    content = "".join([*lines[:500], "new@x.example\n", *lines[501:]]).encode()
    parts = ListParts.of(content)
    asked = {"recipients_file": [], "purge": True, "_parts": parts.packed()}
    asked["_request"] = {"name": "two", "asks": True}
    with pytest.raises(HostError) as caught:
        run(host, **asked)
    lacks = caught.value.details["list_lacks"]
    assert 0 < len(lacks) < len(parts.parts)
    sent = tmp_path / "sent"
    task = {"recipients_file": [str(sent)], "remote_src": True, "purge": True, "_parts": parts.packed()}
    task["_request"] = {"name": "two", "list": str(sent)}
    sent.write_bytes(parts.only(content, lacks))
    outcome = run(host, **task)
    assert (outcome.results["added"], outcome.results["removed"], outcome.results["total"]) == (1, 1, 1000)
    assert (tmp_path / "relay_recipients").read_bytes() == content.replace(b"\n", b" x\n")
    assert not sent.exists()
    assert not run(host, **asked).changed


def test_table_that_changes_while_a_list_is_sent_is_told(host: FakeHost, tmp_path: pathlib.Path) -> None:
    content = b"".join(b"user%04d@x.example\n" % number for number in range(1000))
    run(host, recipients_file=["-"], remote_src=True, _lists=content.decode())
    before = (tmp_path / "relay_recipients").read_bytes()
    (tmp_path / "sent").write_bytes(b"new@x.example\n")
    parts = ListParts.of(content)
    with pytest.raises(HostError) as caught:
        run(
            host,
            recipients_file=[str(tmp_path / "sent")],
            remote_src=True,
            _request={"name": "one", "list": str(tmp_path / "sent")},
            _parts=parts.packed(),
        )
    assert caught.value.message == f"{tmp_path}/relay_recipients: has changed while a list was sent; run again"
    assert caught.value.details == {"list_incomplete": True}
    assert (tmp_path / "relay_recipients").read_bytes() == before


def test_known_request_does_not_read_a_list_that_was_sent(host: FakeHost, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "list"
    named = {"recipients_file": [str(path)], "remote_src": True, "_request": {"name": "one", "list": str(path)}}
    path.write_text("alice@x.example\n")
    assert run(host, **named).changed
    path.write_text("what is no address\n")
    assert not run(host, **named).changed
    path.write_text("what is no address\n")
    named["_request"] = {"name": "two", "list": str(path)}
    with pytest.raises(InvalidInput, match="line 1 contains white space"):
        run(host, **named)


def test_list_that_is_missing_on_the_host_is_named(host: FakeHost, tmp_path: pathlib.Path) -> None:
    for name in ("one", ""):
        with pytest.raises(InvalidInput) as caught:
            run(host, recipients_file=[str(tmp_path / "list")], remote_src=True, _request={"name": name})
        assert caught.value.message == f"{tmp_path}/list (recipients_file) is not on the host; correct the path"


def test_lists_on_the_host_are_part_of_the_name(tmp_path: pathlib.Path) -> None:
    paths = [str(tmp_path / "task"), str(tmp_path / "domain")]
    for path in paths:
        pathlib.Path(path).write_text(f"a@{pathlib.Path(path).name}.example\n")
    told = {"name": "one"}
    domains = [{"name": "domain.example", "recipients_file": [paths[1]]}]
    request = request_of(params(recipients_file=[paths[0]], domains=domains, remote_src=True, _request=told), True)
    digests = {paths[0]: digest_of(b"a@task.example\n"), paths[1]: digest_of(b"a@domain.example\n")}
    assert request.name == with_digests("one", digests)


def test_list_that_changes_while_it_is_read_is_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "list"
    path.write_text("alice@x.example\n")
    told = {"name": "one"}
    request = request_of(params(recipients_file=[str(path)], remote_src=True, _request=told), True)
    path.write_text("alice@x.example\nbob@x.exam")
    with pytest.raises(HostError) as caught:
        request.make_edits()
    assert caught.value.message == f"{path} (recipients_file) is being written; run again when it is complete"


def test_list_sent_with_the_task_is_no_path() -> None:
    given = params(recipients_file=["-"], _lists="alice@x.example\n")
    assert edits_of(given, True).set == {"alice@x.example": "x"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"recipients_file": ["/list"]},
            "/list (recipients_file) is on the controller; give remote_src: true for a file of the host",
        ),
        (
            {"domains": [{"name": "x.example", "recipients": ["a@x.example"]}], "state": "absent"},
            "state: absent is for recipients; to remove a domain, give its item state: absent",
        ),
        (
            {"domains": [{"name": "x.example", "state": "absent"}], "purge": True},
            "purge with no present domain would empty the table; list the domains to keep",
        ),
        ({"recipients": ["a@x.example"], "value": ""}, '"" (value) is empty; give a value of at least one character'),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        edits_of(params(**given), True)
    assert caught.value.message == message


THEN, NOW = "2026-01-31T09:00:00Z", "2026-01-31T09:05:00Z"
AD = {"name": "ad", "type": "ldap", "host": "localhost"}
READ = {**AD, "read_at": THEN, "count": 2, "digest": "d1"}
FAILED = {**AD, "failed_at": NOW, "problem": "timed out"}


def domain(name: str = "x.example", **given: Any) -> dict[str, Any]:
    options = ("recipients", "recipients_file", "max_removals", "sources", "why")
    return {**dict.fromkeys(options), "name": name, "recipients_policy": "listed", "state": "present", **given}


def many(number: int, name: str = "x.example") -> list[str]:
    return [f"user{each:02}@{name}" for each in range(number)]


@pytest.fixture(name="now")
def fixture_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed, "now", lambda: NOW)


def noted(tmp_path: pathlib.Path) -> dict[str, Any]:
    return load((tmp_path / ".relay_recipients.sources").read_text())


def test_domain_that_would_lose_too_much_keeps_its_list_and_others_change(
    host: FakeHost, tmp_path: pathlib.Path
) -> None:
    run(host, domains=[domain(recipients=many(20)), domain("y.example", recipients=many(20, "y.example"))])
    cut = [
        domain(recipients=many(17), max_removals="10%"),
        domain("y.example", recipients=many(18, "y.example"), max_removals="10%"),
    ]
    why = "3 of its 20 addresses would be removed, more than max_removals (10%) allows"
    for check_mode in (True, False):
        outcome = run(host, check_mode, domains=cut, max_removals="0", _request={"name": "cut"})
        assert (outcome.changed, outcome.results["removed"], outcome.results["total"]) == (True, 2, 38)
        assert outcome.results["kept"] == {"x.example": {"why": why, "removals": 3, "of": 20}}
        assert outcome.warnings == [f"x.example: {why}; its list stays"]
    again = run(host, domains=cut, max_removals="0", _request={"name": "cut"})
    assert (again.changed, again.results["kept"]) == (False, {"x.example": {"why": why, "removals": 3, "of": 20}})
    with pytest.raises(HostError):
        run(host, domains=cut, _request={"name": "cut", "asks": True})
    cut[0]["max_removals"] = "100%"
    assert run(host, domains=cut).results["kept"] == {}
    assert len((tmp_path / "relay_recipients").read_text().splitlines()) == 35


def test_limit_of_the_task_is_for_domains_without_one(host: FakeHost) -> None:
    run(host, domains=[domain(recipients=many(20)), domain("y.example", recipients=many(20, "y.example"))])
    cut = [domain(recipients=many(1), max_removals="100%"), domain("y.example", recipients=many(18, "y.example"))]
    assert run(host, domains=cut, max_removals="2").results["removed"] == 21
    run(host, domains=[domain(recipients=many(20)), domain("y.example", recipients=many(20, "y.example"))])
    with pytest.raises(Refused, match=": 2 of 40 entries would be removed, more than max_removals .1. allows"):
        run(host, domains=cut, max_removals="1")


def test_domain_that_is_kept_stays_and_says_why(host: FakeHost, tmp_path: pathlib.Path) -> None:
    run(host, domains=[domain(recipients=many(3)), domain("y.example", recipients=["a@y.example"])])
    kept = domain("X.example", recipients_policy="kept", why="the source ad timed out")
    outcome = run(host, domains=[kept, domain("z.example", recipients=["a@z.example"])], purge=True)
    assert outcome.results["kept"] == {"x.example": {"why": "the source ad timed out", "removals": 0, "of": 0}}
    assert outcome.warnings == []
    rows = [f"{key} x" for key in (*many(3), "a@z.example")]
    assert (tmp_path / "relay_recipients").read_text().splitlines() == rows


def test_domains_without_entries_are_left_out_if_they_are_to_be_known(host: FakeHost, tmp_path: pathlib.Path) -> None:
    run(host, domains=[domain(recipients=["a@x.example"])])
    both = [domain(recipients=["b@x.example"]), domain("y.example", recipients=["a@y.example"])]
    outcome = run(host, domains=both, known_domains=True, _request={"name": "one"})
    assert (outcome.results["left_out"], outcome.results["kept"], outcome.warnings) == (["y.example"], {}, [])
    assert (tmp_path / "relay_recipients").read_text() == "b@x.example x\n"
    assert run(host, domains=both, known_domains=True, _request={"name": "one"}).results["left_out"] == ["y.example"]


@pytest.mark.usefixtures("now")
def test_what_was_read_is_noted_with_the_table_and_is_no_change(host: FakeHost, tmp_path: pathlib.Path) -> None:
    note = tmp_path / ".relay_recipients.sources"
    first = domain(recipients=["a@x.example", "b@x.example"], sources=[READ])
    run(host, True, domains=[first])
    assert not note.exists()
    run(host, domains=[first], _request={"name": "one"})
    assert note.stat().st_mode & 0o777 == 0o600
    (source,) = noted(tmp_path)["x.example"].sources
    assert (source.name, source.read_at, source.count, source.digest) == ("ad", THEN, 2, "d1")
    before = contents(str(tmp_path))
    del before[note.name]
    asked = {**domain(sources=[{**READ, "read_at": NOW}]), "recipients": None}
    outcome = run(host, domains=[asked], _request={"name": "one", "asks": True})
    assert (outcome.changed, outcome.warnings, outcome.results["kept"]) == (False, [], {})
    assert noted(tmp_path)["x.example"].sources[0].read_at == NOW
    after = contents(str(tmp_path))
    del after[note.name]
    assert after == before


@pytest.mark.usefixtures("now")
def test_addresses_that_went_are_noted_also_when_the_next_request_is_known(
    host: FakeHost, tmp_path: pathlib.Path
) -> None:
    run(host, domains=[domain(recipients=["a@x.example", "b@x.example"], sources=[READ])])
    fewer = domain(recipients=["a@x.example"], sources=[READ])
    run(host, domains=[fewer], _request={"name": "fewer"})
    assert noted(tmp_path)["x.example"].vanished == ("b@x.example",)
    run(host, domains=[domain(sources=[READ])], _request={"name": "fewer", "asks": True})
    assert noted(tmp_path)["x.example"].vanished == ("b@x.example",)
    run(host, recipients=["b@x.example"])
    run(host, domains=[domain(recipients=["a@x.example", "b@x.example"], sources=[READ])])
    assert noted(tmp_path)["x.example"].vanished == ()


@pytest.mark.usefixtures("now")
def test_failed_read_is_noted_while_the_list_stays(host: FakeHost, tmp_path: pathlib.Path) -> None:
    run(host, domains=[domain(recipients=["a@x.example"], sources=[READ])])
    kept = domain(recipients_policy="kept", why="ad timed out", sources=[FAILED])
    for request in ({"name": "kept"}, {"name": "kept", "asks": True}):
        (tmp_path / ".relay_recipients.mxrelay").write_text(
            (tmp_path / ".relay_recipients.mxrelay").read_text().replace('"requests": []', '"requests": ["kept"]')
        )
        outcome = run(host, domains=[kept], _request=request)
        assert outcome.results["kept"]["x.example"]["why"] == "ad timed out"
        found = noted(tmp_path)["x.example"]
        assert (found.kept, found.sources[0].problem, found.sources[0].read_at) == ("ad timed out", "timed out", THEN)


def test_known_request_does_not_hide_that_a_domain_follows_no_more(host: FakeHost, tmp_path: pathlib.Path) -> None:
    follows = domain(recipients=["a@x.example"], sources=[READ])
    plain = domain(recipients=["a@x.example"])
    run(host, domains=[plain], _request={"name": "plain"})
    assert not (tmp_path / ".relay_recipients.sources").exists()
    run(host, domains=[follows], _request={"name": "follows"})
    assert list(noted(tmp_path)) == ["x.example"]
    with pytest.raises(HostError):
        run(host, recipients_file=[], _request={"name": "plain", "asks": True})
    run(host, domains=[plain], _request={"name": "plain"})
    assert noted(tmp_path) == {}


def test_note_that_can_not_be_written_is_a_warning(
    host: FakeHost, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: str, *_others: object) -> None:
        raise HostError(f"{path}: can't be replaced: No space left on device; nothing was changed")

    monkeypatch.setattr(followed, "put_private_file", full)
    outcome = run(host, domains=[domain(recipients=["a@x.example"], sources=[READ])])
    assert outcome.changed
    assert outcome.warnings == [
        f"what was read of sources is not noted: {tmp_path}/.relay_recipients.sources: can't be replaced: "
        "No space left on device; nothing was changed"
    ]


def test_of_several_tables_ours_is_taken(
    host: FakeHost, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours, pattern = (f"{tmp_path}/{name}" for name in ("mailman", "ours", "patterns"))
    host.parameters["relay_recipient_maps"] = f"hash:{theirs}, hash:{ours}, regexp:{pattern}"
    foreign = {theirs}
    monkeypatch.setattr(
        relay_recipients, "not_ours", lambda path, _directory: "it belongs to list" if path in foreign else ""
    )
    assert run(host, recipients=["a@x.example"]).results["path"] == ours
    foreign.add(ours)
    for others in ({theirs, ours, pattern}, set()):
        foreign.clear()
        foreign.update(others)
        with pytest.raises(PathNeeded, match="names several tables"):
            run(host, recipients=["a@x.example"])
