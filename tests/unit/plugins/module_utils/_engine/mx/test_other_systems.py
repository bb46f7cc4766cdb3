# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is planned and found on systems that are not run here, with Postfix as installed: see family_hosts.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx import standby
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.info import inform
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeNetwork, FakeProber
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.family_hosts import (
    SYSTEMS,
    FamilyHost,
    System,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_host_plans import checks, listed, plan

ROLES = ("secondary_mx", "primary_mx")
BY_NAME = {system.name: system for system in SYSTEMS}
RED_HAT = [BY_NAME[name] for name in ("el8", "el9", "el10")]
ELSEWHERE = [BY_NAME[name] for name in ("opensuse", "alpine")]
# The type that a new table gets.
TYPES = {"el8": "hash", "el9": "hash", "el10": "lmdb", "opensuse": "lmdb", "alpine": "lmdb"}
PERMITTING = "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination"

every_system = pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: str(system.name))
each_role = pytest.mark.parametrize("role", ROLES)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the first instance is configured, so that its service is `postfix`."""
    (tmp_path / "postfix").mkdir()
    return tmp_path / "postfix"


def network(lacking: str = "") -> FakeNetwork:
    """One that knows what every host does."""
    found = FakeNetwork(lacking=lacking)
    found.names["localhost"] = ("127.0.0.1",)
    return found


def domain(role: str) -> dict[str, Any]:
    return listed(mail_host=None) if role == "secondary_mx" else listed()


@each_role
@every_system
def test_mx_is_planned_with_one_variable_at_most(
    directory: Path, monkeypatch: pytest.MonkeyPatch, system: System, role: str
) -> None:
    host = FamilyHost(directory, system, monkeypatch)
    variables = {"inet_interfaces": "all"} if system in RED_HAT else {}
    results = plan(host, domain(role), role=role, **variables)
    assert (results["refusals"], results["ready"], results["packages"]) == ([], True, [])
    # Of these levels no parameter is missing, and relay_domains has no member that would become lost.
    assert results["main_cf"]["parameters"]["smtpd_relay_restrictions"] == PERMITTING
    assert ("inet_interfaces" in results["main_cf"]["parameters"]) is (system in RED_HAT)
    entries = [] if role == "secondary_mx" else [{"pattern": "x.example", "result": "relay:[mail.example]"}]
    assert results["transport"]["entries"] == entries
    kind = TYPES[system.name]
    tables = {"relay_recipient_maps": "relay_recipients", "transport_maps": "transport"}
    assert results["main_cf"]["add_items"] == {
        "relay_domains": ["x.example"],
        **{
            name: [f"{kind}:{directory / table}"]
            for name, table in tables.items()
            if table == "relay_recipients" or entries
        },
    }


@each_role
@pytest.mark.parametrize("system", RED_HAT, ids=lambda system: str(system.name))
def test_default_of_red_hat_to_listen_to_nobody_else_is_refused_with_the_variable_that_helps(
    directory: Path, monkeypatch: pytest.MonkeyPatch, system: System, role: str
) -> None:
    host = FamilyHost(directory, system, monkeypatch)
    results = plan(host, domain(role), network=network(), role=role)
    assert checks(results) == [("", "inet_interfaces")]
    (refusal,) = results["refusals"]
    assert "*_inet_interfaces" in refusal["remedy"]
    found = inform({"domains": ["x.example"]}, host.postfix(), network(), FakeProber()).results["findings"]
    assert "inet_interfaces" in {finding["check"] for finding in found if finding["severity"] == "error"}


@every_system
def test_no_plan_names_a_type_that_the_system_cannot_build(
    directory: Path, monkeypatch: pytest.MonkeyPatch, system: System
) -> None:
    host = FamilyHost(directory, system, monkeypatch)
    text = json.dumps(plan(host, listed(), inet_interfaces="all"))
    assert [kind for kind in ("hash", "btree", "lmdb", "cdb") if f"{kind}:" in text] == [TYPES[system.name]]


@every_system
def test_type_that_a_package_adds_is_installed_and_any_other_refused(
    directory: Path, monkeypatch: pytest.MonkeyPatch, system: System
) -> None:
    host = FamilyHost(directory, system, monkeypatch)
    results = plan(host, listed(), inet_interfaces="all", table_type="cdb")
    if system in ELSEWHERE:
        assert (checks(results), results["packages"]) == ([("", "table")], [])
        assert results["refusals"][0]["remedy"] == "use another type"
        return
    assert (results["refusals"], results["packages"], results["ready"]) == ([], ["postfix-cdb"], False)
    host.install("postfix-cdb")
    after = plan(host, listed(), inet_interfaces="all", table_type="cdb", after_install=True)
    assert (after["refusals"], after["packages"], after["ready"]) == ([], [], True)


@pytest.mark.parametrize("name", ["el10", "opensuse", "alpine"])
def test_table_of_a_type_that_is_gone_is_refused_before_anything_changes(
    directory: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    host = FamilyHost(directory, BY_NAME[name], monkeypatch, f"transport_maps = hash:{directory / 'transport'}\n")
    host.write("transport", "x.example relay:[mail.example]\n")
    results = plan(host, listed(), inet_interfaces="all")
    assert checks(results) == [("", "table")]
    assert results["refusals"][0]["cause"].startswith("tables of type hash don't work on this host")


@pytest.mark.parametrize(
    ("name", "packages"),
    [
        ("el8", ["postfix", "python3-dns"]),
        ("el9", ["postfix", "python3-dns"]),
        ("el10", ["postfix", "python3-dns"]),
        ("opensuse", ["postfix", "python3-dnspython"]),
        ("alpine", ["postfix", "py3-dnspython"]),
    ],
)
def test_new_host_gets_the_packages_of_its_system(
    directory: Path, monkeypatch: pytest.MonkeyPatch, name: str, packages: list[str]
) -> None:
    host = FamilyHost(directory, BY_NAME[name], monkeypatch)
    host.installed = False
    results = plan(host, listed(), network=network(packages[-1]))
    assert (results["packages"], results["refusals"]) == (packages, [])


@every_system
def test_recipients_are_verified_only_where_the_answers_can_be_kept(
    directory: Path, monkeypatch: pytest.MonkeyPatch, system: System
) -> None:
    host = FamilyHost(directory, system, monkeypatch)
    item = {"name": "x.example", "mail_host": "mail.example", "recipients_policy": "verify"}
    results = plan(host, item, inet_interfaces="all")
    # RHEL 10 builds no btree, and does not say where else they are to be kept.
    assert checks(results) == ([("x.example", "verify_cache")] if system.name == "el10" else [])


@pytest.mark.parametrize(("running", "runlevel", "changed"), [(True, "default", False), (False, "", True)])
def test_openrc_starts_postfix_once_and_for_good(
    directory: Path, monkeypatch: pytest.MonkeyPatch, running: bool, runlevel: str, changed: bool
) -> None:
    host = FamilyHost(directory, BY_NAME["alpine"], monkeypatch)
    host.running = running
    if runlevel:
        (host.runlevels / runlevel / "postfix").symlink_to("/etc/init.d/postfix")
    service = plan(host, listed())["service"]
    assert (service["name"], service["command"], service["changed"]) == ("postfix", [], changed)
    assert (service["active"], service["enabled"]) == (running, bool(runlevel))


@every_system
def test_second_instance_is_started_by_postfix_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: System
) -> None:
    (tmp_path / "postfix-out").mkdir()
    host = FamilyHost(tmp_path / "postfix-out", system, monkeypatch)
    # None of them has a template of units for other instances.
    host.unit = "LoadState=not-found\nActiveState=inactive\nUnitFileState=\n"
    service = plan(host, listed(), inet_interfaces="all")["service"]
    assert service["command"] == ["/usr/sbin/postfix", "-c", str(tmp_path / "postfix-out")]


@every_system
@pytest.mark.parametrize("enforcing", [True, False])
def test_standby_is_refused_where_it_would_not_be_asked(
    directory: Path, monkeypatch: pytest.MonkeyPatch, system: System, enforcing: bool
) -> None:
    monkeypatch.setattr(standby, "is_enforcing", lambda: enforcing)
    monkeypatch.setattr(standby, "runs_systemd", lambda: not system.openrc)
    host = FamilyHost(directory, system, monkeypatch)
    results = plan(host, listed(mail_host=None, standby=True), role="secondary_mx", inet_interfaces="all")
    assert checks(results) == ([("x.example", "standby")] if enforcing or system.openrc else [])


def test_library_that_ansible_does_not_find_after_its_installation_is_told_once(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On RHEL 8 the package is for Python 3.6, and Ansible runs by another one."""
    host = FamilyHost(directory, BY_NAME["el8"], monkeypatch)
    monkeypatch.setattr("sys.executable", "/usr/bin/python3.12")
    wanted: dict[str, Any] = {"inet_interfaces": "all", "network": network("python3-dns")}
    before, after = plan(host, listed(), **wanted), plan(host, listed(), after_install=True, **wanted)
    assert (before["packages"], before["warnings"]) == (["python3-dns"], [])
    assert (after["packages"], after["warnings"]) == (
        [],
        [
            "no DNS checks were made because /usr/bin/python3.12, by which Ansible runs here, does not find what "
            "python3-dns has installed; install dnspython for it with pip, or have ansible_python_interpreter name "
            "the system's Python"
        ],
    )


def test_every_system_names_its_source() -> None:
    assert [system.name for system in SYSTEMS if not system.source] == []
