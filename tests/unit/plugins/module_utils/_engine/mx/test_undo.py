# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.change import (
    ConfigurationPlan,
    MainCfRequest,
    MasterCfRequest,
    plan_main_cf,
    plan_master_cf,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx import undo as module
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.record import (
    DIRECTORY,
    forget,
    own_record,
    standing,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.undo import (
    Undone,
    conclude,
    remember,
    undo,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.followed import read_followed
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import MainCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import MasterCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import PREFIX
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MxPlan, RecipientsItem
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_digest import rows_digest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.undo import undo_recipients
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.followed import FollowedDomain, dump
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import idna2008
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import contents
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import (
    DEFAULTS,
    MASTER_CF,
    FakeMxHost,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_host_plans import (
    converged,
    listed,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_host_plans import plan as plan_for

TRANSPORT = "# kept\na.example relay:[one]\ngone.example relay:[two]\n"
MAIN_CF = "# ours\nrelay_domains = a.example\nmyhostname = mx.example\n"


@pytest.fixture
def host(tmp_path: Path) -> FakeMxHost:
    made = FakeMxHost(str(tmp_path), MAIN_CF)
    made.table("transport", TRANSPORT)
    return made


def plan(host: FakeMxHost, **parts: Any) -> dict[str, Any]:
    """A plan for x.example with a new mail host of a.example, without gone.example."""
    nowhere = {"path": "", "type": "", "entries": []}
    return {
        "transport": {
            "path": host.path("transport"),
            "type": "hash",
            "entries": [
                {"pattern": "a.example", "result": "relay:[new]"},
                {"pattern": "x.example", "result": "relay:[x]"},
            ],
        },
        "recipients": {"path": host.path("relay_recipients"), "type": "hash", "domains": [X]},
        "subdomains": nowhere,
        "verify": nowhere,
        "removal": {"transport": [{"pattern": "gone.example"}], "recipients": [], "subdomains": [], "verify": []},
        "main_cf": {
            "parameters": {"maximal_queue_lifetime": "9d"},
            "absent": [],
            "add_items": {"relay_domains": ["x.example"]},
            "remove_items": {},
        },
        "master_cf": {"services": [{"name": "relay", "type": "unix", "overrides": {"smtp_tls_security_level": "may"}}]},
        **parts,
    }


X = {
    "name": "x.example",
    "recipients_policy": "any",
    "state": "present",
    "postmaster": False,
    "subdomains": False,
    "digest": "",
    "lists_postmaster": False,
    "abuse": False,
    "lists_abuse": False,
}


def carry_out(host: FakeMxHost) -> None:
    host.table("transport", "# kept\na.example relay:[new]\nx.example relay:[x]\n")
    host.table("relay_recipients", "@x.example x\n")
    host.write("main.cf", MAIN_CF.replace("a.example", "a.example, x.example") + "maximal_queue_lifetime = 9d\n")
    with open(host.path("master.cf"), "a", encoding="utf-8") as stream:
        stream.write("  -o smtp_tls_security_level=may\n")


def read(host: FakeMxHost, name: str) -> str:
    with open(host.path(name), encoding="utf-8") as stream:
        return stream.read()


def test_nothing_is_remembered_where_others_write_nor_of_what_is_no_file(host: FakeMxHost) -> None:
    os.chmod(host.config_directory, 0o777)
    with pytest.raises(HostError, match="can be written to by everybody"):
        remember(host.postfix(), MxPlan.from_result(plan(host)))
    (problem,) = undo(host.postfix(), MxPlan.from_result(plan(host)), "a record").problems
    assert "can be written to by everybody" in problem
    os.chmod(host.config_directory, 0o700)
    os.unlink(host.path("transport"))
    os.mkfifo(host.path("transport"))
    with pytest.raises(HostError, match="is a fifo, not a regular file; correct the path$"):
        remember(host.postfix(), MxPlan.from_result(plan(host)))


def test_plan_is_taken_back_and_what_others_did_stays(host: FakeMxHost) -> None:
    postfix = host.postfix()
    master_cf = read(host, "master.cf")
    record, _outdated = remember(postfix, MxPlan.from_result(plan(host)))
    assert (os.stat(host.path(DIRECTORY)).st_mode & 0o777) == 0o700
    carry_out(host)
    host.write("main.cf", read(host, "main.cf").replace("mx.example", "theirs.example"))
    done = undo(postfix, MxPlan.from_result(plan(host)), record)
    assert (done.touched, done.problems, done.restart_needed) == ([], [], False)
    assert read(host, "main.cf") == MAIN_CF.replace("mx.example", "theirs.example")
    assert read(host, "master.cf") == master_cf
    assert read(host, "transport") == TRANSPORT
    left = {"main.cf", "master.cf", "transport", "transport.db", ".transport.mxrelay"}
    assert set(os.listdir(host.config_directory)) == left
    assert done.undone == [
        "main.cf: relay_domains is as before",
        "main.cf: maximal_queue_lifetime is as before",
        "master.cf: smtp_tls_security_level of relay/unix is as before",
        f"{host.path('transport')}: its rows are as before",
        f"{host.path('relay_recipients')}: its rows are as before",
    ]


def test_nothing_is_taken_back_where_somebody_touched_the_same(host: FakeMxHost) -> None:
    postfix = host.postfix()
    record, _outdated = remember(postfix, MxPlan.from_result(plan(host)))
    carry_out(host)
    host.table("transport", "a.example relay:[theirs]\nx.example relay:[x]\n")
    before = contents(host.config_directory)
    done = undo(postfix, MxPlan.from_result(plan(host)), record)
    assert done.touched == [f"{host.path('transport')}: a.example"]
    assert done.undone == []
    assert contents(host.config_directory) == before


NOTE = ".relay_recipients.sources"


@pytest.mark.parametrize("before", [None, {}, {"x.example": FollowedDomain("x.example", listed_at="then")}])
def test_note_of_sources_is_taken_back_with_the_rows(
    host: FakeMxHost, before: dict[str, FollowedDomain] | None
) -> None:
    if before is not None:
        host.write(NOTE, dump(before))
    record, _outdated = remember(host.postfix(), MxPlan.from_result(plan(host)))
    carry_out(host)
    host.write(NOTE, dump({"x.example": FollowedDomain("x.example", listed_at="now")}))
    assert undo(host.postfix(), MxPlan.from_result(plan(host)), record).problems == []
    assert os.path.exists(host.path(NOTE)) == (before is not None)
    assert read_followed(host.path("relay_recipients")) == (before or {})


def test_note_stays_with_rows_that_stay(host: FakeMxHost) -> None:
    record, _outdated = remember(host.postfix(), MxPlan.from_result(plan(host)))
    carry_out(host)
    host.table("relay_recipients", "@x.example theirs\n")
    host.write(NOTE, dump({"x.example": FollowedDomain("x.example")}))
    assert undo(host.postfix(), MxPlan.from_result(plan(host)), record).touched
    assert os.path.exists(host.path(NOTE))


def test_row_of_others_keeps_a_new_table(host: FakeMxHost) -> None:
    postfix = host.postfix()
    record, _outdated = remember(postfix, MxPlan.from_result(plan(host)))
    carry_out(host)
    host.table("relay_recipients", "@x.example x\nz@z.example x\n")
    assert undo(postfix, MxPlan.from_result(plan(host)), record).problems == []
    assert read(host, "relay_recipients") == "z@z.example x\n"


def test_run_that_changed_nothing_leaves_nothing_to_take_back(host: FakeMxHost) -> None:
    postfix = host.postfix()
    before = contents(host.config_directory)
    record, _outdated = remember(postfix, MxPlan.from_result(plan(host)))
    done = undo(postfix, MxPlan.from_result(plan(host)), record)
    assert (done.undone, done.touched, done.problems) == ([], [], [])
    assert contents(host.config_directory) == before


def test_run_without_a_record_has_nothing_to_take_back(host: FakeMxHost) -> None:
    carry_out(host)
    before = contents(host.config_directory)
    assert undo(host.postfix(), MxPlan.from_result(plan(host)), "") == Undone()
    assert contents(host.config_directory) == before


def test_record_of_another_run_is_not_taken_for_the_own(host: FakeMxHost) -> None:
    theirs, _outdated = remember(host.postfix(), MxPlan.from_result(plan(host)))
    carry_out(host)
    before = contents(host.config_directory)
    done = undo(host.postfix(), MxPlan.from_result(plan(host)), "ours")
    assert done == Undone(problems=[f"{host.path(DIRECTORY)} no longer has the files from before this run"])
    assert contents(host.config_directory) == before
    assert own_record(host.postfix(), theirs) is not None


def test_plan_is_outdated_once_another_run_has_come_in_between(host: FakeMxHost) -> None:
    postfix = host.postfix()
    mark = standing(postfix).mark
    record, outdated = remember(postfix, MxPlan.from_result(plan(host, mark=mark)))
    assert outdated is False
    forget(postfix, record)
    record, outdated = remember(postfix, MxPlan.from_result(plan(host, mark=mark)))
    assert outdated is True
    again = plan(host, recipients={"path": "", "type": "", "domains": []})
    assert remember(postfix, MxPlan.from_result(again), record) == (record, False)
    assert sorted(os.listdir(host.path(DIRECTORY))) == ["0", "1", "2", "record.json"]


def test_files_that_nobody_else_touched_get_their_bytes_back(host: FakeMxHost) -> None:
    main_cf = "# ours\nrelay_domains =\n    # why\n    a.example\n# below\nmyhostname = mx.example\n\n"
    transport = "# first\na.example\trelay:[one]\n\n# of gone\ngone.example   relay:[two]\n# last\n"
    host.write("main.cf", main_cf)
    host.table("transport", transport)
    for name in ("main.cf", "transport"):
        os.chmod(host.path(name), 0o600)
    postfix = host.postfix()
    record, _outdated = remember(postfix, MxPlan.from_result(plan(host)))
    host.table("transport", "# first\na.example relay:[new]\n# of gone\n# last\nx.example relay:[x]\n")
    changed = "# ours\nrelay_domains =\n    a.example,\n    x.example\n    # why\n# below\nmyhostname = mx.example\n\n"
    host.write("main.cf", changed + "maximal_queue_lifetime = 9d\n")
    assert undo(postfix, MxPlan.from_result(plan(host)), record).problems == []
    assert read(host, "main.cf") == main_cf
    assert read(host, "transport") == transport
    assert [os.stat(host.path(name)).st_mode & 0o777 for name in ("main.cf", "transport")] == [0o600, 0o600]


def test_new_rows_stay_until_main_cf_has_let_go_of_them(host: FakeMxHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that main.cf still names never lacks a row that one of the two states of it relies on."""
    seen: list[list[str]] = []
    apply = module.apply_configuration

    def look(postfix: Postfix, change: ConfigurationPlan, restores: bool = False) -> ConfigurationPlan:
        seen.append(sorted(line.split()[0] for line in read(host, "transport").splitlines() if line[0] != "#"))
        return apply(postfix, change, restores)

    monkeypatch.setattr(module, "apply_configuration", look)
    postfix = host.postfix()
    record, _outdated = remember(postfix, MxPlan.from_result(plan(host)))
    carry_out(host)
    undo(postfix, MxPlan.from_result(plan(host)), record)
    assert seen == [["a.example", "gone.example", "x.example"]] * 2
    assert read(host, "transport") == TRANSPORT


def test_comment_of_somebody_else_stays(host: FakeMxHost) -> None:
    postfix = host.postfix()
    record, _outdated = remember(postfix, MxPlan.from_result(plan(host)))
    carry_out(host)
    host.write("main.cf", "# theirs\n" + read(host, "main.cf"))
    host.table("transport", "# theirs\n" + read(host, "transport"))
    assert undo(postfix, MxPlan.from_result(plan(host)), record).problems == []
    assert read(host, "main.cf") == "# theirs\n" + MAIN_CF
    assert sorted(read(host, "transport").splitlines()) == sorted(["# theirs", *TRANSPORT.splitlines()])


def test_service_of_somebody_else_stays(host: FakeMxHost) -> None:
    postfix = host.postfix()
    master_cf = read(host, "master.cf")
    record, _outdated = remember(postfix, MxPlan.from_result(plan(host)))
    carry_out(host)
    host.write("master.cf", read(host, "master.cf") + "theirs unix n - n - - smtp\n")
    assert undo(postfix, MxPlan.from_result(plan(host)), record).problems == []
    assert read(host, "master.cf") == master_cf + "theirs unix n - n - - smtp\n"


def test_postfix_that_stopped_during_the_run_is_to_be_restarted(host: FakeMxHost) -> None:
    postfix = host.postfix()
    record, _outdated = remember(postfix, MxPlan.from_result(plan(host)))
    host.running = False
    assert undo(postfix, MxPlan.from_result(plan(host)), record) == Undone(restart_needed=True)


def test_postfix_that_did_not_run_before_is_left_alone(host: FakeMxHost) -> None:
    host.running = False
    postfix = host.postfix()
    record, _outdated = remember(postfix, MxPlan.from_result(plan(host)))
    assert undo(postfix, MxPlan.from_result(plan(host)), record) == Undone()


def test_what_cannot_be_taken_back_is_told_and_its_files_are_kept(host: FakeMxHost) -> None:
    postfix = host.postfix()
    record, _outdated = remember(postfix, MxPlan.from_result(plan(host)))
    carry_out(host)
    host.write("master.cf", "broken\n")
    done = undo(postfix, MxPlan.from_result(plan(host)), record)
    assert (done.undone, done.kept) == ([], True)
    assert [problem.partition(":")[0] for problem in done.problems] == [f"{host.path('master.cf')}, line 1"]
    # It no longer keeps others from running.
    assert standing(postfix).left_behind is True


def test_rows_that_main_cf_may_still_need_are_not_said_to_be_as_before(
    host: FakeMxHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    postfix = host.postfix()
    record, _outdated = remember(postfix, MxPlan.from_result(plan(host)))
    carry_out(host)

    def fail(_postfix: Postfix, _plan: ConfigurationPlan) -> ConfigurationPlan:
        raise HostError("main.cf is immutable")

    monkeypatch.setattr(module, "apply_configuration", fail)
    done = undo(postfix, MxPlan.from_result(plan(host)), record)
    assert (done.undone, done.kept) == ([], True)
    new_rows = [f"{host.path(name)}: its new rows stay" for name in ("transport", "relay_recipients")]
    assert done.problems == ["main.cf is immutable", *new_rows]
    rows = [line.split()[0] for line in read(host, "transport").splitlines()]
    assert sorted(rows) == ["#", "a.example", "gone.example", "x.example"]


def test_many_domains_are_compared_in_one_pass() -> None:
    """Each row is looked at a few times, however many domains there are."""
    looked = 0

    class Counting(str):
        def rpartition(self, separator: str) -> tuple[str, str, str]:
            nonlocal looked
            looked += 1
            return super().rpartition(separator)

    items = [RecipientsItem(name=f"d{number}.example", policy="any") for number in range(100)]
    before = {Counting(f"{number}@{item.name}"): "x" for item in items for number in range(10)}
    now = {f"@{item.name}": "x" for item in items}
    found = undo_recipients(before, now, items)
    assert (found.set, sorted(found.remove), found.touched) == (before, sorted(now), [])
    assert 0 < looked <= 3 * len(before)


def test_change_of_protocols_asks_for_a_restart(host: FakeMxHost) -> None:
    postfix = host.postfix()
    main_cf = {"parameters": {"inet_protocols": "ipv4"}, "absent": [], "add_items": {}, "remove_items": {}}
    wanted = plan(host, main_cf=main_cf)
    record, _outdated = remember(postfix, MxPlan.from_result(wanted))
    host.write("main.cf", MAIN_CF + "inet_protocols = ipv4\n")
    done = undo(postfix, MxPlan.from_result(wanted), record)
    assert done.restart_needed is True
    assert read(host, "main.cf") == MAIN_CF


INTERNATIONAL = ("bücher.example", "xn--bcher-kva.example")


def international(host: FakeMxHost) -> dict[str, Any]:
    """A plan that names one form of a domain, of which the modules write both."""
    name = INTERNATIONAL[0]
    item = {**X, "name": name, "recipients_policy": "listed", "digest": rows_digest({f"{x}@{name}": "x" for x in "ac"})}
    nowhere: dict[str, Any] = {"path": "", "type": "", "entries": []}
    return plan(
        host,
        transport={"path": host.path("transport"), "type": "hash", "entries": []},
        recipients={"path": host.path("relay_recipients"), "type": "hash", "domains": [item]},
        removal={"transport": [{"pattern": name}], "recipients": [], "subdomains": [], "verify": []},
        subdomains=nowhere,
        verify=nowhere,
    )


@pytest.fixture
def idna(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idna2008, "has_idna", lambda: True)
    monkeypatch.setattr(idna2008, "a_label", lambda label: PREFIX + label.encode("punycode").decode())


def in_both_forms(*addresses: str) -> str:
    return "".join(f"{local_part}@{name} x\n" for name in INTERNATIONAL for local_part in addresses)


@pytest.mark.usefixtures("idna")
def test_both_forms_of_a_domain_are_taken_back(host: FakeMxHost) -> None:
    postfix = host.postfix()
    rows = "".join(f"{name} relay:[one]\n" for name in INTERNATIONAL)
    host.table("transport", rows)
    host.table("relay_recipients", in_both_forms("a", "b"))
    record, _outdated = remember(postfix, MxPlan.from_result(international(host)))
    host.table("transport", "")
    host.table("relay_recipients", in_both_forms("a", "c"))
    done = undo(postfix, MxPlan.from_result(international(host)), record)
    assert (done.touched, done.problems) == ([], [])
    assert sorted(read(host, "transport").splitlines()) == sorted(rows.splitlines())
    assert sorted(read(host, "relay_recipients").splitlines()) == sorted(in_both_forms("a", "b").splitlines())


@pytest.mark.usefixtures("idna")
def test_other_form_that_somebody_touched_is_told(host: FakeMxHost) -> None:
    postfix = host.postfix()
    host.table("relay_recipients", in_both_forms("a", "b"))
    record, _outdated = remember(postfix, MxPlan.from_result(international(host)))
    theirs = in_both_forms("a", "c") + f"theirs@{INTERNATIONAL[1]} x\n"
    host.table("relay_recipients", theirs)
    done = undo(postfix, MxPlan.from_result(international(host)), record)
    assert done.touched == [f"{host.path('relay_recipients')}: {INTERNATIONAL[1]}"]
    assert read(host, "relay_recipients") == theirs


def test_host_without_python3_idna_has_one_form_to_take_back(host: FakeMxHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idna2008, "has_idna", lambda: False)
    monkeypatch.setattr(idna2008, "a_label", None)
    postfix = host.postfix()
    host.table("relay_recipients", f"b@{INTERNATIONAL[0]} x\n")
    record, _outdated = remember(postfix, MxPlan.from_result(international(host)))
    host.table("relay_recipients", "".join(f"{local_part}@{INTERNATIONAL[0]} x\n" for local_part in "ac"))
    assert undo(postfix, MxPlan.from_result(international(host)), record).problems == []
    assert read(host, "relay_recipients") == f"b@{INTERNATIONAL[0]} x\n"


@pytest.mark.parametrize(("level", "members"), [("0", "$mydestination, x.example"), ("3.9", "x.example")])
def test_list_that_was_not_set_is_not_set_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str, members: str
) -> None:
    default = "${{$compatibility_level} <level {2} ? {$mydestination} : {}}"
    monkeypatch.setitem(DEFAULTS, "relay_domains", default)
    before = f"compatibility_level = {level}\n"
    host = FakeMxHost(str(tmp_path), before)
    postfix = host.postfix()
    wanted = plan(host, recipients={"path": "", "type": "", "domains": []})
    record, _outdated = remember(postfix, MxPlan.from_result(wanted))
    host.write("main.cf", f"{before}relay_domains = {members}\n")
    assert undo(postfix, MxPlan.from_result(wanted), record).undone == ["main.cf: relay_domains is as before"]
    assert read(host, "main.cf") == before


@pytest.mark.parametrize("theirs", ["", "other     unix  -       -       n       -       -       smtp\n"])
def test_service_that_the_run_has_added_goes_again(host: FakeMxHost, theirs: str) -> None:
    postfix = host.postfix()
    smtpd, relay = MASTER_CF.splitlines(keepends=True)
    host.write("master.cf", smtpd)
    service = {"name": "relay", "type": "unix", "command": "smtp", "overrides": {"smtp_fallback_relay": ""}}
    planned = MxPlan.from_result(plan(host, master_cf={"services": [service], "changed": True}))
    record, _outdated = remember(postfix, planned)
    host.write("master.cf", smtpd + relay + "  -o smtp_fallback_relay=\n" + theirs)
    done = undo(postfix, planned, record)
    assert (done.touched, done.problems) == ([], [])
    assert read(host, "master.cf") == smtpd + theirs


def test_service_that_the_run_was_to_add_and_others_have_made_stays(host: FakeMxHost) -> None:
    postfix = host.postfix()
    smtpd, relay = MASTER_CF.splitlines(keepends=True)
    host.write("master.cf", smtpd)
    service = {"name": "relay", "type": "unix", "command": "smtp", "overrides": {}}
    planned = MxPlan.from_result(plan(host, master_cf={"services": [service], "changed": True}))
    record, _outdated = remember(postfix, planned)
    host.write("master.cf", smtpd + relay.replace("smtp\n", "lmtp\n"))
    assert undo(postfix, planned, record).touched == ["master.cf: the entry of relay/unix"]


@pytest.mark.parametrize(("before", "now"), [(True, True), (False, False), (False, True)])
def test_run_that_got_through_is_forgotten(host: FakeMxHost, before: bool, now: bool) -> None:
    host.running = before
    postfix = host.postfix()
    record, _outdated = remember(postfix, MxPlan.from_result(plan(host)))
    host.running = now
    assert conclude(postfix, record) is True
    assert not os.path.exists(host.path(DIRECTORY))
    assert conclude(postfix, record) is False


def test_run_that_ended_postfix_has_not_got_through_and_is_taken_back(host: FakeMxHost) -> None:
    host.running = True
    postfix = host.postfix()
    record, _outdated = remember(postfix, MxPlan.from_result(plan(host)))
    carry_out(host)
    host.running = False
    with pytest.raises(HostError) as caught:
        conclude(postfix, record)
    assert caught.value.message == (
        "Postfix was running before this run, and is not any more; its master's log says why it ended"
    )
    done = undo(postfix, MxPlan.from_result(plan(host)), record)
    assert (done.touched, done.problems, done.restart_needed) == ([], [], True)
    assert read(host, "master.cf") == MASTER_CF


def test_reload_of_the_run_is_awaited(host: FakeMxHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """A master that does not survive its reload still runs for a second."""
    host.running = True
    postfix, asked = host.postfix(), []

    def survives(_postfix: Postfix, manager: int) -> bool:
        asked.append(manager)
        return False

    monkeypatch.setattr(module, "queue_manager", lambda directory: 50 if directory == "/nowhere" else 0)
    monkeypatch.setattr(module, "survives_reload", survives)
    record, _outdated = remember(postfix, MxPlan.from_result(plan(host)))
    with pytest.raises(HostError, match="is not any more"):
        conclude(postfix, record, reloaded=True)
    assert asked == [50]
    assert conclude(postfix, record) is True
    assert asked == [50]


SCREENED = [
    {"name": "smtpd", "type": "pass", "command": "smtpd", "overrides": {"a": "1"}, "renamed_from": "smtp/inet"},
    {"name": "smtp", "type": "inet", "command": "postscreen", "process_limit": "1", "overrides": {"a": None, "b": "2"}},
    {"name": "tlsproxy", "type": "unix", "command": "tlsproxy", "process_limit": "0", "overrides": {}},
]


@pytest.mark.parametrize("theirs", ["", "other     unix  -       -       n       -       -       smtp\n"])
def test_server_comes_out_from_behind_postscreen_again(host: FakeMxHost, theirs: str) -> None:
    postfix = host.postfix()
    smtpd, relay = MASTER_CF.splitlines(keepends=True)
    before = "# door\n" + smtpd + "\t-o a=1\n" + relay
    host.write("master.cf", before)
    planned = MxPlan.from_result(plan(host, master_cf={"services": SCREENED, "changed": True}))
    record, _outdated = remember(postfix, planned)
    change = plan_master_cf(postfix, MasterCfRequest(planned.master_cf.requests))
    host.write("master.cf", change.after + theirs)
    done = undo(postfix, planned, record)
    assert (done.touched, done.problems) == ([], [])
    if not theirs:
        assert read(host, "master.cf") == before
    services = {service.key: service for service in MasterCf(read(host, "master.cf")).effective}
    assert services["smtp/inet"].command == "smtpd"
    assert services["smtp/inet"].process_limit == "-"
    assert services["smtp/inet"].overrides == {"a": "1"}
    assert {"smtpd/pass", "tlsproxy/unix"}.isdisjoint(services)


def test_standby_service_is_taken_back(host: FakeMxHost, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, bytes | None]] = []

    def restore(_postfix: Postfix, _queue: str, _owner: str, before: dict[str, bytes | None]) -> bool:
        given.append(before)
        return True

    monkeypatch.setattr(module, "restore_standby", restore)
    standing = MxPlan.from_result({"standby": {"domains": ["x.example"], "changed": True}})
    host.write("mxrelay-standby.json", "{}")
    record, _outdated = remember(host.postfix(), standing)
    assert undo(host.postfix(), standing, record).undone == ["the standby service is as before"]
    assert given[0][host.path("mxrelay-standby.json")] == b"{}"
    assert given[0][host.path("mxrelay-standby.py")] is None
    record, _outdated = remember(host.postfix(), MxPlan())
    assert undo(host.postfix(), MxPlan(), record).undone == []


def test_standby_service_that_can_not_be_taken_back_is_a_problem(
    host: FakeMxHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restore(*_given: object) -> bool:
        raise HostError("systemctl failed")

    monkeypatch.setattr(module, "restore_standby", restore)
    standing = MxPlan.from_result({"standby": {"domains": ["x.example"], "changed": True}})
    record, _outdated = remember(host.postfix(), standing)
    assert undo(host.postfix(), standing, record).problems == ["systemctl failed"]


def test_record_of_a_raise_that_a_run_has_forgotten_comes_back(host: FakeMxHost) -> None:
    """As main.cf, which has the raise again then."""
    over = MxPlan.from_result(
        {"raise_over": True, "main_cf": {"parameters": {"maximal_queue_lifetime": "5d"}, "changed": True}}
    )
    raised = MAIN_CF + "maximal_queue_lifetime = 10d\n"
    host.write("main.cf", raised)
    host.write(".mxrelay-outage", "a record")
    record, _outdated = remember(host.postfix(), over)
    host.write("main.cf", raised.replace("10d", "5d"))
    os.unlink(host.path(".mxrelay-outage"))
    assert undo(host.postfix(), over, record).undone == [
        "main.cf: maximal_queue_lifetime is as before",
        "the record of the raised maximal_queue_lifetime is back",
    ]
    assert (read(host, "main.cf"), read(host, ".mxrelay-outage")) == (raised, "a record")


def test_record_of_a_raise_stays_away_where_somebody_touched_the_lifetime(host: FakeMxHost) -> None:
    over = MxPlan.from_result(
        {"raise_over": True, "main_cf": {"parameters": {"maximal_queue_lifetime": "5d"}, "changed": True}}
    )
    host.write("main.cf", MAIN_CF + "maximal_queue_lifetime = 10d\n")
    host.write(".mxrelay-outage", "a record")
    record, _outdated = remember(host.postfix(), over)
    host.write("main.cf", MAIN_CF + "maximal_queue_lifetime = 7d\n")
    os.unlink(host.path(".mxrelay-outage"))
    assert undo(host.postfix(), over, record).touched == ["main.cf: maximal_queue_lifetime"]
    assert not os.path.exists(host.path(".mxrelay-outage"))


ETRN = {
    "smtpd_restriction_classes": "",
    "smtpd_etrn_restrictions": "",
    "fast_flush_domains": "$relay_domains",
}
ASKING = {**listed(), "etrn_from": ["192.0.2.10"]}
# What somebody else does to main.cf meanwhile, as the text that is replaced and that which replaces it.
NOBODY = ("", "")
OTHER_PARAMETER = ("# kept\n", "# kept\nmessage_size_limit = 1\n")
OTHER_CLASS = ("smtpd_restriction_classes = mxrelay_etrn", "smtpd_restriction_classes = theirs, mxrelay_etrn")


@pytest.mark.parametrize("theirs", [NOBODY, OTHER_PARAMETER, OTHER_CLASS])
@pytest.mark.parametrize("there", [True, False])
def test_etrn_of_a_domain_is_taken_back(
    host: FakeMxHost, monkeypatch: pytest.MonkeyPatch, theirs: tuple[str, str], there: bool
) -> None:
    """As it comes, and as it goes with the last domain that has it."""
    for name, value in ETRN.items():
        monkeypatch.setitem(DEFAULTS, name, value)
    converged(host)
    host.write(
        "main.cf", "# kept\nsmtpd_etrn_restrictions =\n    permit_mynetworks,\n    reject\n" + read(host, "main.cf")
    )
    if there:
        carry_out_main_cf(host, planned_for(host, ASKING))
    before = read(host, "main.cf")
    planned = planned_for(host, listed() if there else ASKING)
    record, _outdated = remember(host.postfix(), planned)
    carry_out_main_cf(host, planned)
    assert ("mxrelay_etrn" in read(host, "main.cf")) == (not there)
    host.write("main.cf", read(host, "main.cf").replace(*theirs, 1))
    done = undo(host.postfix(), planned, record)
    assert (done.touched, done.problems) == ([], [])
    after = read(host, "main.cf")
    assert ("mxrelay_etrn" in after) == there
    if theirs == NOBODY:
        assert after == before
    elif theirs == OTHER_CLASS and not there:
        assert MainCf(after).values == {**MainCf(before).values, "smtpd_restriction_classes": "theirs"}
    elif theirs == OTHER_PARAMETER:
        assert MainCf(after).values == {**MainCf(before).values, "message_size_limit": "1"}


def planned_for(host: FakeMxHost, item: dict[str, Any]) -> MxPlan:
    results = plan_for(host, item)
    return MxPlan.from_result({name: part for name, part in results.items() if name != "warnings"})


def carry_out_main_cf(host: FakeMxHost, planned: MxPlan) -> None:
    change = planned.main_cf
    request = MainCfRequest(change.parameters, change.absent, change.add_items, change.remove_items)
    host.write("main.cf", plan_main_cf(host.postfix(), request).after)
