# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.undo import DIRECTORY, forget, remember, undo
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import PREFIX
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MxPlan
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_digest import rows_digest
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import idna2008
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import contents
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import DEFAULTS, FakeMxHost

MAIN_CF = "# ours\nrelay_domains = a.example\nmyhostname = mx.example\n"


@pytest.fixture
def host(tmp_path: Path) -> FakeMxHost:
    made = FakeMxHost(str(tmp_path), MAIN_CF)
    made.table("transport", "# kept\na.example relay:[one]\ngone.example relay:[two]\n")
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
    with pytest.raises(HostError, match="can be written to by everybody"):
        undo(host.postfix(), MxPlan.from_result(plan(host)))
    os.chmod(host.config_directory, 0o700)
    os.unlink(host.path("transport"))
    os.mkfifo(host.path("transport"))
    with pytest.raises(HostError, match="is a fifo, not a regular file; correct the path$"):
        remember(host.postfix(), MxPlan.from_result(plan(host)))


def test_plan_is_taken_back_and_what_others_did_stays(host: FakeMxHost) -> None:
    postfix = host.postfix()
    master_cf = read(host, "master.cf")
    remember(postfix, MxPlan.from_result(plan(host)))
    assert (os.stat(host.path(DIRECTORY)).st_mode & 0o777) == 0o700
    carry_out(host)
    host.write("main.cf", read(host, "main.cf").replace("mx.example", "theirs.example"))
    done = undo(postfix, MxPlan.from_result(plan(host)))
    assert (done.touched, done.problems, done.restart_needed) == ([], [], False)
    assert read(host, "main.cf") == MAIN_CF.replace("mx.example", "theirs.example")
    assert read(host, "master.cf") == master_cf
    assert read(host, "transport") == "# kept\na.example relay:[one]\ngone.example relay:[two]\n"
    left = {"main.cf", "master.cf", "transport", "transport.db", ".transport.mxrelay"}
    assert set(os.listdir(host.config_directory)) == left
    assert done.undone == [
        f"{host.path('transport')}: its rows are as before",
        "main.cf: relay_domains is as before",
        "main.cf: maximal_queue_lifetime is as before",
        "master.cf: smtp_tls_security_level of relay/unix is as before",
        f"{host.path('relay_recipients')}: its rows are as before",
    ]


def test_nothing_is_taken_back_where_somebody_touched_the_same(host: FakeMxHost) -> None:
    postfix = host.postfix()
    remember(postfix, MxPlan.from_result(plan(host)))
    carry_out(host)
    host.table("transport", "a.example relay:[theirs]\nx.example relay:[x]\n")
    before = contents(host.config_directory)
    done = undo(postfix, MxPlan.from_result(plan(host)))
    assert done.touched == [f"{host.path('transport')}: a.example"]
    assert done.undone == []
    assert contents(host.config_directory) == before


def test_row_of_others_keeps_a_new_table(host: FakeMxHost) -> None:
    postfix = host.postfix()
    remember(postfix, MxPlan.from_result(plan(host)))
    carry_out(host)
    host.table("relay_recipients", "@x.example x\nz@z.example x\n")
    assert undo(postfix, MxPlan.from_result(plan(host))).problems == []
    assert read(host, "relay_recipients") == "z@z.example x\n"


def test_run_that_changed_nothing_leaves_nothing_to_take_back(host: FakeMxHost) -> None:
    postfix = host.postfix()
    before = contents(host.config_directory)
    remember(postfix, MxPlan.from_result(plan(host)))
    done = undo(postfix, MxPlan.from_result(plan(host)))
    assert (done.undone, done.touched, done.problems) == ([], [], [])
    assert contents(host.config_directory) == before


def test_without_a_memory_nothing_is_done(host: FakeMxHost) -> None:
    carry_out(host)
    before = contents(host.config_directory)
    assert undo(host.postfix(), MxPlan.from_result(plan(host))).undone == []
    assert contents(host.config_directory) == before


def test_memory_of_an_earlier_run_is_replaced_and_forgotten(host: FakeMxHost) -> None:
    postfix = host.postfix()
    remember(postfix, MxPlan.from_result(plan(host)))
    remember(postfix, MxPlan.from_result(plan(host, recipients={"path": "", "type": "", "domains": []})))
    assert sorted(os.listdir(host.path(DIRECTORY))) == ["0", "1", "2", "files.json"]
    assert forget(postfix) is True
    assert forget(postfix) is False


def test_change_of_protocols_asks_for_a_restart(host: FakeMxHost) -> None:
    postfix = host.postfix()
    main_cf = {"parameters": {"inet_protocols": "ipv4"}, "absent": [], "add_items": {}, "remove_items": {}}
    wanted = plan(host, main_cf=main_cf)
    remember(postfix, MxPlan.from_result(wanted))
    host.write("main.cf", MAIN_CF + "inet_protocols = ipv4\n")
    done = undo(postfix, MxPlan.from_result(wanted))
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
    remember(postfix, MxPlan.from_result(international(host)))
    host.table("transport", "")
    host.table("relay_recipients", in_both_forms("a", "c"))
    done = undo(postfix, MxPlan.from_result(international(host)))
    assert (done.touched, done.problems) == ([], [])
    assert sorted(read(host, "transport").splitlines()) == sorted(rows.splitlines())
    assert sorted(read(host, "relay_recipients").splitlines()) == sorted(in_both_forms("a", "b").splitlines())


@pytest.mark.usefixtures("idna")
def test_other_form_that_somebody_touched_is_told(host: FakeMxHost) -> None:
    postfix = host.postfix()
    host.table("relay_recipients", in_both_forms("a", "b"))
    remember(postfix, MxPlan.from_result(international(host)))
    theirs = in_both_forms("a", "c") + f"theirs@{INTERNATIONAL[1]} x\n"
    host.table("relay_recipients", theirs)
    done = undo(postfix, MxPlan.from_result(international(host)))
    assert done.touched == [f"{host.path('relay_recipients')}: {INTERNATIONAL[1]}"]
    assert read(host, "relay_recipients") == theirs


def test_host_without_python3_idna_has_one_form_to_take_back(host: FakeMxHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idna2008, "has_idna", lambda: False)
    monkeypatch.setattr(idna2008, "a_label", None)
    postfix = host.postfix()
    host.table("relay_recipients", f"b@{INTERNATIONAL[0]} x\n")
    remember(postfix, MxPlan.from_result(international(host)))
    host.table("relay_recipients", "".join(f"{local_part}@{INTERNATIONAL[0]} x\n" for local_part in "ac"))
    assert undo(postfix, MxPlan.from_result(international(host))).problems == []
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
    remember(postfix, MxPlan.from_result(wanted))
    host.write("main.cf", f"{before}relay_domains = {members}\n")
    assert undo(postfix, MxPlan.from_result(wanted)).undone == ["main.cf: relay_domains is as before"]
    assert read(host, "main.cf") == before
