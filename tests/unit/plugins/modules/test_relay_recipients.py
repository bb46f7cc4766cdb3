# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.mxrelay.postfix.plugins.modules import relay_recipients
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import ModuleRunner

X = {"name": "x.example", "recipients": ["alice@x.example", "Bob@x.example"]}


@pytest.fixture(name="module")
def fixture_module(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> ModuleRunner:
    return ModuleRunner(relay_recipients, tmp_path, monkeypatch, capsys)


def test_domains_become_exactly_their_lists(module: ModuleRunner) -> None:
    (module.directory / "relay_recipients").write_text("# ours\nold@x.example x\nz@z.example OK\n@y.example x\n")
    module.host.postfix().build(f"hash:{module.directory}/relay_recipients")
    result = module(
        domains=[X, {"name": "y.example", "state": "absent"}, {"name": "w.example", "recipients_policy": "any"}]
    )
    assert module.text("relay_recipients") == (
        "# ours\nz@z.example OK\n@w.example x\nalice@x.example x\nbob@x.example x\n"
    )
    keys = ("changed", "path", "type", "reference", "added", "removed", "total", "index_rebuilt")
    assert {key: result[key] for key in keys} == {
        "changed": True,
        "path": f"{module.directory}/relay_recipients",
        "type": "hash",
        "reference": f"hash:{module.directory}/relay_recipients",
        "added": 3,
        "removed": 2,
        "total": 4,
        "index_rebuilt": True,
    }
    again = module(domains=[X])
    assert (again["changed"], again["index_rebuilt"], again["diff"]) == (False, False, [])


def test_addresses_are_in_no_result_diff_or_log(module: ModuleRunner) -> None:
    (module.directory / "list").write_text("alice@x.example\n")
    result = module(domains=[{"name": "x.example", "recipients_file": f"{module.directory}/list"}], remote_src=True)
    assert result["diff"] == [
        {
            "before_header": f"{module.directory}/relay_recipients",
            "after_header": f"{module.directory}/relay_recipients",
            "before": "0 entries\n",
            "after": "1 entries (1 added, 0 removed, 0 with another value)\n",
        }
    ]
    assert "alice" not in str(result)
    assert "alice" not in str(module.logged)
    assert "alice" not in str(module(domains=[X], check_mode=True))
    assert "alice" not in str(module.logged)


def test_addresses_are_shown_when_asked_for(module: ModuleRunner) -> None:
    (module.directory / "list").write_text("alice@x.example\n")
    result = module(recipients_file=[f"{module.directory}/list"], remote_src=True, show_recipients=True)
    assert (result["added_recipients"], result["removed_recipients"]) == (["alice@x.example"], [])
    assert result["diff"][0]["after"] == "alice@x.example x\n"


def test_single_recipients_come_and_go(module: ModuleRunner) -> None:
    assert module(recipients=["a@x.example", "b@y.example"], value="OK")["added"] == 2
    assert module(recipients=["A@x.example"], state="absent", backup=True)["removed"] == 1
    assert module.text("relay_recipients") == "b@y.example OK\n"
    assert module(recipients=["a@x.example"], state="absent")["changed"] is False


def test_purge_leaves_what_is_declared(module: ModuleRunner) -> None:
    module(recipients=["a@x.example", "b@y.example"])
    assert module(domains=[X], purge=True)["removed"] == 2
    assert module.text("relay_recipients") == "alice@x.example x\nbob@x.example x\n"


def test_check_mode_writes_nothing(module: ModuleRunner) -> None:
    result = module(domains=[X], check_mode=True)
    assert (result["changed"], result["added"], result["index_rebuilt"]) == (True, 2, True)
    assert list(module.directory.iterdir()) == []


def test_repaired_index_is_seen_in_the_diff(module: ModuleRunner) -> None:
    module(domains=[X])
    (module.directory / "relay_recipients.db").unlink()
    result = module(domains=[X])
    assert (result["changed"], result["index_rebuilt"], result["added"]) == (True, True, 0)
    assert (result["diff"][0]["before"], result["diff"][0]["after"]) == ("index: missing\n", "index: current\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "one of the following is required: domains, recipients, recipients_file"),
        (
            {"recipients": ["a@x.example"], "domains": [X]},
            "parameters are mutually exclusive: domains|recipients",
        ),
        ({"recipients": ["a@x.example"], "value": ""}, '"" (value) is empty; give a value of at least one character'),
        (
            {"recipients": ["a@x.example"], "type": "ldap"},
            '"ldap" (type) is not a type of local table that can be edited here; '
            "use one of hash, btree, lmdb, cdb, texthash",
        ),
        (
            {"recipients_file": ["/list"]},
            "/list (recipients_file) is on the controller; give remote_src: true for a file of the host",
        ),
        (
            {"recipients_file": ["/no/list"], "remote_src": True},
            "/no/list (recipients_file) is not on the host; correct the path",
        ),
        (
            {"domains": [X], "state": "absent"},
            "state: absent is for recipients; to remove a domain, give its item state: absent",
        ),
        (
            {"domains": [{"name": "x.example", "state": "absent"}], "purge": True},
            "purge with no present domain would empty the table; list the domains to keep",
        ),
        (
            {"domains": [{"name": "x.example"}]},
            "domains[0] (x.example) has no recipients, so all its mail would be refused; list them, "
            "or give it recipients_policy: any, or state: absent to remove its entries",
        ),
        (
            {"recipients": ["a@x.example"], "max_removals": "some"},
            '"some" (max_removals) is not a number or a percentage; write it as 10 or as "10%"',
        ),
    ],
)
def test_refusals(module: ModuleRunner, arguments: dict[str, object], message: str) -> None:
    assert module.refused(**arguments) == message


def test_several_tables_ask_for_the_path(module: ModuleRunner) -> None:
    module.host.parameters["relay_recipient_maps"] = "hash:/a, cdb:/b"
    assert module.refused(recipients=["a@x.example"]) == (
        "relay_recipient_maps names several tables (hash:/a, cdb:/b); give the option path to say which"
    )


def test_missing_postfix_is_named(module: ModuleRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(argv: list[str], _data: bytes | None, _silence: float | None) -> None:
        raise FileNotFoundError(argv[0])

    monkeypatch.setattr(module.host, "run", missing)
    assert module.refused(recipients=["a@x.example"]) == (
        "postconf was not found: Postfix is not installed on this host; install the package postfix"
    )


def test_request_that_is_known_by_its_name_needs_no_list(module: ModuleRunner) -> None:
    asked = {"recipients_file": [], "_request": {"name": "one", "asks": True}}
    result = module(**asked)
    assert (result["failed"], result["request_unknown"]) == (True, True)
    assert result["msg"] == "this host does not know the request by its name; give the lists as well"
    assert module(domains=[X], _request={"name": "one"})["changed"]
    result = module(**asked)
    assert (result["changed"], result["total"]) == (False, 2)


def test_list_that_travels_with_the_task_is_not_shown(module: ModuleRunner) -> None:
    task = {
        "recipients_file": ["-"],
        "remote_src": True,
        "_lists": "alice@x.example\n",
        "_request": {"name": "one"},
    }
    result = module(**task)
    assert (result["added"], module.text("relay_recipients")) == (1, "alice@x.example x\n")
    assert "alice" not in str(result)
    assert not module(**task)["changed"]


def test_list_on_the_host_is_part_of_the_name(module: ModuleRunner) -> None:
    path = module.directory / "list"
    path.write_text("alice@x.example\n")
    task = {
        "recipients_file": [str(path)],
        "remote_src": True,
        "purge": True,
        "_request": {"name": "one"},
    }
    assert module(**task)["added"] == 1
    assert not module(**task)["changed"]
    path.write_text("bob@x.example\n")
    assert (module(**task)["added"], module.text("relay_recipients")) == (1, "bob@x.example x\n")
    path.unlink()
    assert module(**task)["msg"] == f"{path} (recipients_file) is not on the host; correct the path"


def test_list_that_was_put_on_the_host_for_it_does_not_stay(module: ModuleRunner) -> None:
    path = module.directory / "sent"
    path.write_text("alice@x.example\nbob@x.example\n")
    items = [{"name": "x.example", "recipients_file": [str(path)]}]
    task = {"domains": items, "remote_src": True, "_request": {"name": "one", "list": str(path)}}
    # Not even where the task then fails.
    assert "max_removals" in module(**{**task, "max_removals": "x"})["msg"]
    assert not path.exists()
    path.write_text("alice@x.example\nbob@x.example\n")
    assert module(**task)["added"] == 2
    assert not path.exists()


@pytest.mark.parametrize("check_mode", [True, False])
def test_list_of_a_killed_run_is_removed_unless_in_check_mode(module: ModuleRunner, check_mode: bool) -> None:
    left = module.directory / "ansible-tmp-1" / ("recipients-" + "0" * 64)
    left.parent.mkdir()
    left.write_text("alice@x.example\n")
    os.utime(left, (0, 0))
    request = {"name": "one", "asks": True, "remote_tmp": str(module.directory)}
    module(check_mode, recipients_file=[], _request=request)
    assert left.exists() is check_mode


def test_list_that_follows_sources_is_guarded_and_noted(module: ModuleRunner) -> None:
    source = {"name": "ad", "type": "ldap", "host": "localhost", "read_at": "2026-01-31T09:00:00Z", "count": 3}
    listed = {"name": "x.example", "recipients": [f"u{each}@x.example" for each in range(3)], "sources": [source]}
    assert module(domains=[listed])["kept"] == {}
    result = module(domains=[{**listed, "recipients": ["u0@x.example"], "max_removals": "10%"}])
    assert (result["changed"], result["kept"]["x.example"]["of"]) == (False, 3)
    kept = module(domains=[{"name": "x.example", "recipients_policy": "kept", "why": "it failed", "sources": [source]}])
    assert kept["kept"] == {"x.example": {"why": "it failed", "removals": 0, "of": 0}}
    assert '"read_at": "2026-01-31T09:00:00Z"' in module.text(".relay_recipients.sources")
    assert module(domains=[X, {"name": "w.example", "recipients": ["a@w.example"]}], known_domains=True)[
        "left_out"
    ] == ["w.example"]
