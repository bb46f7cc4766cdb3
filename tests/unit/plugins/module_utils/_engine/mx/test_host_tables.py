# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host import read_parameters
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host_tables import read_table, read_tables
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import read_settings
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import read_request
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_host_plans import (
    CLOSED,
    checks,
    converged,
    listed,
    plan,
)


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> FakeMxHost:
    return FakeMxHost(str(tmp_path), CLOSED)


@pytest.mark.parametrize("name", ["transport", "relay_recipients"])
def test_lost_index_is_repaired(host: FakeMxHost, name: str) -> None:
    converged(host)
    Path(host.path(name) + ".db").unlink()
    results = plan(host, listed())
    part = "transport" if name == "transport" else "recipients"
    assert (results[part]["repair"], results[part]["changed"], results["pending"]) == (True, True, True)


def test_repeated_row_is_tidied(host: FakeMxHost) -> None:
    converged(host)
    host.table("relay_recipients", "a@x.example x\npostmaster@x.example x\nA@x.example x\n")
    assert plan(host, listed())["recipients"]["changed"] is True


def test_type_that_a_package_adds_waits_for_it(host: FakeMxHost) -> None:
    host.broken_types.add("lmdb")
    results = plan(host, listed(), table_type="lmdb")
    assert (results["refusals"], results["ready"], results["packages"]) == ([], False, ["postfix-lmdb"])
    assert checks(plan(host, listed(), table_type="lmdb", after_install=True))[0] == ("", "table")
    assert checks(plan(host, listed(), table_type="lmdb", manage_package=False))[0] == ("", "table")


def test_type_that_works_nowhere_is_refused(host: FakeMxHost) -> None:
    host.broken_types.add("btree")
    refused = plan(host, listed(), table_type="btree")["refusals"]
    assert [(refusal["check"], refusal["remedy"]) for refusal in refused] == [("table", "use another type")]


def test_several_tables_need_a_directory(host: FakeMxHost) -> None:
    several = ", ".join(f"hash:{host.path(name)}" for name in ("one", "two"))
    host.write("main.cf", f"{CLOSED}transport_maps = {several}\n")
    refused = plan(host, listed())["refusals"]
    assert [refusal["remedy"] for refusal in refused] == ["set primary_mx_table_directory to say where its table is"]
    host.write("main.cf", f"{CLOSED}transport_maps = {several}, hash:{host.path('transport')}\n")
    assert plan(host, listed())["transport"]["path"] == host.path("transport")


def test_other_type_of_our_table_takes_the_place_of_the_old(host: FakeMxHost) -> None:
    converged(host)
    results = plan(host, listed(), table_type="lmdb")
    assert results["main_cf"]["add_items"]["transport_maps"] == [f"lmdb:{host.path('transport')}"]
    assert results["main_cf"]["remove_items"]["transport_maps"] == [f"hash:{host.path('transport')}"]


def test_directory_that_others_write_to_is_refused(host: FakeMxHost, tmp_path: Path) -> None:
    place = tmp_path / "tables"
    place.mkdir()
    place.chmod(0o777)
    refused = plan(host, listed(), table_directory=str(place))["refusals"]
    assert [(refusal["check"], refusal["cause"], refusal["remedy"]) for refusal in refused] == [
        (
            "table",
            f"{place}/{name}: {place} can be written to by everybody, who could make root change other files there",
            f"let root alone write to it (chmod go-w {place}), or use another directory",
        )
        for name in ("relay_recipients", "transport")
    ]


def test_tables_of_a_directory_are_found_there(host: FakeMxHost, tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    results = plan(host, listed(), table_directory=str(tmp_path / "tables"))
    assert results["transport"]["path"] == str(tmp_path / "tables" / "transport")
    assert results["recipients"]["path"] == str(tmp_path / "tables" / "relay_recipients")


def moved(host: FakeMxHost, tmp_path: Path, rows: str = "", record: bool = True) -> str:
    """A converged host whose tables are to be in another directory from now on, which is returned."""
    converged(host)
    if rows:
        host.table("relay_recipients", rows)
    if record:
        for name in ("relay_recipients", "transport"):
            path = tmp_path / f".{name}.mxrelay"
            path.write_text('{"type": "hash", "utf8": true, "source": "", "index": ""}')
            path.chmod(0o600)
    (tmp_path / "tables").mkdir()
    return str(tmp_path / "tables")


def test_tables_that_moved_take_the_place_of_the_old(host: FakeMxHost, tmp_path: Path) -> None:
    directory = moved(host, tmp_path)
    other = {**listed(), "mail_host": "other.example"}
    results = plan(host, other, table_directory=directory)
    assert results["refusals"] == []
    assert results["main_cf"]["add_items"] == {
        "relay_recipient_maps": [f"hash:{directory}/relay_recipients"],
        "transport_maps": [f"hash:{directory}/transport"],
    }
    assert results["main_cf"]["remove_items"] == {
        "relay_recipient_maps": [f"hash:{host.path('relay_recipients')}"],
        "transport_maps": [f"hash:{host.path('transport')}"],
    }
    assert f"takes the place of hash:{host.path('transport')}; remove the files" in results["warnings"][1]


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside one of others"])
def test_rows_of_a_table_that_moved_lead_nowhere_if_none_is_left(
    host: FakeMxHost, tmp_path: Path, beside: bool
) -> None:
    directory = moved(host, tmp_path)
    old = f"hash:{host.path('transport')}"
    if beside:
        host.table("theirs", "other.example relay:[mail.other.example]\n")
        main_cf = Path(host.path("main.cf")).read_text()
        host.write("main.cf", main_cf.replace(old, f"{old}, hash:{host.path('theirs')}"))
    results = plan(host, {**listed(), "mail_host": None}, role="secondary_mx", table_directory=directory)
    assert results["refusals"] == []
    assert "transport_maps" not in results["main_cf"]["add_items"]
    assert results["main_cf"]["remove_items"].get("transport_maps") == ([old] if beside else None)
    assert ("transport_maps" in results["main_cf"]["absent"]) is not beside


def test_old_table_with_rows_of_others_stays_and_is_told(host: FakeMxHost, tmp_path: Path) -> None:
    directory = moved(host, tmp_path, "a@x.example x\nb@other.example x\n@sub.other.example x\n")
    results = plan(host, listed(), table_directory=directory)
    assert "relay_recipient_maps" not in results["main_cf"]["remove_items"]
    assert results["warnings"][0] == (
        f"hash:{host.path('relay_recipients')} stays in relay_recipient_maps beside "
        f"hash:{directory}/relay_recipients, since it has rows of other.example, sub.other.example, "
        "which this role does not declare"
    )


def test_rows_kept_by_others_stay_in_the_old_table(host: FakeMxHost, tmp_path: Path) -> None:
    directory = moved(host, tmp_path)
    external = {"name": "x.example", "mail_host": "mail.example", "recipients_policy": "external"}
    results = plan(host, external, table_directory=directory)
    assert "relay_recipient_maps" not in results["main_cf"]["remove_items"]


def test_table_without_our_record_is_somebody_elses(host: FakeMxHost, tmp_path: Path) -> None:
    directory = moved(host, tmp_path, record=False)
    results = plan(host, listed(), table_directory=directory)
    assert results["main_cf"]["remove_items"] == {}


@pytest.mark.parametrize(("manage", "missing", "refused"), [(True, "lmdb", ""), (False, "", "table")])
def test_type_whose_package_is_missing_is_no_reason_against_a_table_that_is_there(
    tmp_path: pathlib.Path, manage: bool, missing: str, refused: str
) -> None:
    (tmp_path / "relay_recipients").write_text("a@x.example x\n")
    fake = FakeHost(str(tmp_path))
    fake.parameters["relay_recipient_maps"] = f"hash:{tmp_path}/relay_recipients"
    fake.broken_types = {"lmdb"}
    postfix = fake.postfix()
    request = read_request({"role": "secondary_mx", "table_type": "lmdb", "manage_package": manage})
    settings = read_settings(postfix, ["relay_recipient_maps"])
    read = read_table(postfix, request, settings, "relay_recipient_maps", "relay_recipients")
    assert read.table is None
    assert read.missing_type == missing
    assert (read.refusal.check if read.refusal else "") == refused


@pytest.mark.parametrize("parameter", ["relay_recipient_maps", "transport_maps"])
def test_table_that_something_else_uses_needs_a_directory(host: FakeMxHost, parameter: str) -> None:
    shared = f"hash:{host.path('shared')}"
    host.write("main.cf", f"{CLOSED}{parameter} = {shared}\nvirtual_alias_maps = {shared}\n")
    refused = plan(host, listed())["refusals"]
    assert [(refusal["check"], refusal["cause"], refusal["remedy"]) for refusal in refused][:1] == [
        (
            "table",
            f"{parameter} names {shared}, which virtual_alias_maps uses too, so a new entry would misdirect mail",
            "set primary_mx_table_directory to say where its table is",
        )
    ]


PARTS = {"recipients": "relay_recipient_maps", "transport": "transport_maps"}


@pytest.fixture(name="generated")
def _generated(tmp_path: Path) -> FakeMxHost:
    """A host whose tables another program writes, outside the configuration directory."""
    (tmp_path / "etc").mkdir()
    host = FakeMxHost(str(tmp_path / "etc"))
    names = "".join(f"{parameter} = hash:{tmp_path}/{part}\n" for part, parameter in PARTS.items())
    host.write("main.cf", CLOSED + names)
    host.table("../recipients", "b@y.example x\n")
    host.table("../transport", "y.example relay:[y.example]\n")
    return host


@pytest.mark.parametrize("part", PARTS)
def test_table_that_another_program_writes_gets_a_neighbour(generated: FakeMxHost, tmp_path: Path, part: str) -> None:
    results = plan(generated, listed(), undeclared_domains="any")
    name = generated.path("transport" if part == "transport" else "relay_recipients")
    assert results["refusals"] == []
    assert results[part]["path"] == name
    assert results["main_cf"]["add_items"][PARTS[part]] == [f"hash:{name}"]
    assert PARTS[part] not in results["main_cf"]["remove_items"]
    assert (
        f"hash:{tmp_path}/{part} is not edited, because it is outside {tmp_path}/etc; the rows of this role are in "
        f"hash:{name} beside it"
    ) in results["warnings"]


def test_neighbour_that_needs_no_rows_is_not_told_of(generated: FakeMxHost, tmp_path: Path) -> None:
    generated.write("main.cf", f"{CLOSED}transport_maps = hash:{tmp_path}/transport regexp:{tmp_path}/patterns\n")
    gone = {"name": "x.example", "state": "absent", "force": True}
    assert plan(generated, gone)["warnings"] == []


def test_rows_of_earlier_runs_in_a_table_of_others_are_told(generated: FakeMxHost, tmp_path: Path) -> None:
    record = tmp_path / ".transport.mxrelay"
    record.write_text('{"type": "hash", "utf8": true, "source": "", "index": ""}')
    record.chmod(0o600)
    generated.table("../transport", "x.example relay:[mail.example]\n")
    results = plan(generated, listed())
    assert results["refusals"] == []
    assert results["transport"]["entries"] == [{"pattern": "x.example", "result": "relay:[mail.example]"}]
    told = [warning for warning in results["warnings"] if "those of earlier runs stay" in warning]
    assert len(told) == 1 and told[0].startswith(f"hash:{tmp_path}/transport ")


def test_neighbour_is_found_again(generated: FakeMxHost, tmp_path: Path) -> None:
    generated.write(
        "main.cf",
        f"{CLOSED}relay_domains = x.example\n"
        f"relay_recipient_maps = hash:{tmp_path}/recipients hash:{generated.path('relay_recipients')}\n"
        f"transport_maps = hash:{tmp_path}/transport hash:{generated.path('transport')}\n",
    )
    generated.table("relay_recipients", "a@x.example x\npostmaster@x.example x\n")
    generated.table("transport", "x.example relay:[mail.example]\n")
    results = plan(generated, listed())
    assert (results["refusals"], results["pending"], results["warnings"]) == ([], False, [])


def test_neighbour_has_another_name_where_that_is_taken(generated: FakeMxHost, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs").chmod(0o777)
    (tmp_path / "theirs" / "transport").touch()
    Path(generated.path("transport")).symlink_to(tmp_path / "theirs" / "transport")
    assert plan(generated, listed())["transport"]["path"] == generated.path("mxrelay_transport")
    taken = f"hash:{generated.path('transport')} hash:{generated.path('mxrelay_transport')}"
    generated.write("main.cf", f"{CLOSED}transport_maps = {taken}\n")
    generated.table("mxrelay_transport", "x.example relay:[mail.example]\n")
    assert plan(generated, listed())["transport"]["changed"] is False


def test_table_directory_says_whose_a_table_is(generated: FakeMxHost, tmp_path: Path) -> None:
    results = plan(generated, listed(), table_directory=str(tmp_path))
    assert results["transport"]["path"] == f"{tmp_path}/transport"


def test_other_refusal_of_a_table_keeps_its_remedy(host: FakeMxHost) -> None:
    refused = plan(host, listed(), table_type="ldap")["refusals"]
    assert {refusal["remedy"] for refusal in refused} == {"use one of hash, btree, lmdb, cdb, texthash"}


def test_every_table_of_ours_is_read_with_its_rows(host: FakeMxHost) -> None:
    converged(host)
    host.table("relay_recipients", "a@x.example x\nb@sub.x.example x\nA@x.example x\n@y.example x\n")
    host.table("relay_verify", "x.example reject_unverified_recipient\n")
    pattern = "/@[^@]+\\.x\\.example$/"
    host.write("relay_recipients_subdomains", f"{pattern} x\n")
    check = f"check_recipient_access hash:{host.path('relay_verify')}"
    postfix = host.postfix()
    reader = MapReader(postfix)
    request = read_request({"role": "primary_mx", "domains": [listed(subdomains=True)]})
    state = read_parameters(postfix, reader)
    values = {**state.values, "smtpd_recipient_restrictions": check}
    read = read_tables(postfix, request, replace(state, values=values), reader)
    assert (read.refusals, read.missing_types, read.notes) == ([], [], [])
    known = read.known
    assert [
        (Path(table.path).name, table.type, table.exists, bool(table.member), table.rows)
        for table in (known.recipients, known.transport, known.verify, known.subdomains)
        if table
    ] == [
        ("relay_recipients", "hash", True, True, {}),
        ("transport", "hash", True, True, {"x.example": "relay:[mail.example]"}),
        ("relay_verify", "hash", True, True, {"x.example": "reject_unverified_recipient"}),
        ("relay_recipients_subdomains", "regexp", True, False, {pattern: "x"}),
    ]
    rows = known.recipient_rows
    # Of the subdomain too, since the domain's list is for it as well.
    assert {name: (found.count, found.wildcard, found.tidy) for name, found in rows.items()} == {
        "x.example": (2, False, False),
        "y.example": (0, True, True),
    }
