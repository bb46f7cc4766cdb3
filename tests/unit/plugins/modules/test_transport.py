# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.mxrelay.postfix.plugins.modules import transport
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import ModuleRunner

X = {"pattern": "x.example", "nexthop": "mail.x.example", "subdomains": True}


@pytest.fixture(name="module")
def fixture_module(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> ModuleRunner:
    return ModuleRunner(transport, tmp_path, monkeypatch, capsys)


def test_entries_are_added_changed_and_kept(module: ModuleRunner) -> None:
    (module.directory / "transport").write_text("# ours\nother.example smtp:\nx.example :\n")
    module.host.postfix().build(f"hash:{module.directory}/transport")
    result = module(entries=[X, {"pattern": "y.example", "nexthop": "2001:db8::1", "port": 2525}])
    assert module.text("transport") == (
        "# ours\nother.example smtp:\nx.example relay:[mail.x.example]\n"
        ".x.example relay:[mail.x.example]\ny.example relay:[ipv6:2001:db8::1]:2525\n"
    )
    assert (result["added"], result["updated"], result["removed"], result["total"]) == (
        [".x.example", "y.example"],
        ["x.example"],
        [],
        4,
    )
    assert (result["diff"][0]["before"], result["diff"][0]["after"]) == (
        "x.example :\n",
        "x.example relay:[mail.x.example]\n.x.example relay:[mail.x.example]\n"
        "y.example relay:[ipv6:2001:db8::1]:2525\n",
    )
    assert module(entries=[X])["changed"] is False


def test_table_of_transport_maps_is_used(module: ModuleRunner) -> None:
    module.host.parameters["transport_maps"] = f"proxy:cdb:{module.directory}/routes"
    assert module(entries=[X])["reference"] == f"cdb:{module.directory}/routes"


def test_absent_entries_and_their_subdomain_rows_go(module: ModuleRunner) -> None:
    module(entries=[X, {"pattern": "y.example"}])
    result = module(entries=[{"pattern": "X.example", "subdomains": True}], state="absent")
    assert (result["removed"], module.text("transport")) == ([".x.example", "x.example"], "y.example relay:\n")


def test_purge_leaves_what_is_declared(module: ModuleRunner) -> None:
    module(entries=[X, {"pattern": "y.example"}])
    assert module(entries=[{"pattern": "y.example"}], purge=True, check_mode=True)["total"] == 1
    assert module(entries=[{"pattern": "y.example"}], purge=True)["removed"] == [".x.example", "x.example"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "missing required arguments: entries"),
        (
            {"entries": [{"pattern": "x.example", "nexthop": "host:25"}]},
            '"host:25" (entries[0].nexthop) is not a host name, an IP address or [host]:port; '
            "give the host alone and its port in the option port",
        ),
        (
            {"entries": [{"pattern": "x.example", "nexthop": ""}]},
            '"" (entries[0].nexthop) is empty; give the mail host, '
            "or leave out nexthop to use the domain's MX records",
        ),
        (
            {"entries": [X, {"pattern": "x.example"}]},
            '"x.example" (entries[1].pattern) is given twice with different values; give it once',
        ),
        (
            {"entries": [X], "state": "absent", "purge": True},
            "purge can't be used with state: absent; list the entries to keep with state: present",
        ),
        (
            {"entries": [], "purge": True},
            "purge with an empty list of entries would empty the table; list the entries to keep",
        ),
        (
            {"entries": [X], "type": "regexp"},
            '"regexp" (type) is not a type of local table that can be edited here; '
            "use one of hash, btree, lmdb, cdb, texthash",
        ),
    ],
)
def test_refusals(module: ModuleRunner, arguments: dict[str, object], message: str) -> None:
    assert module.refused(**arguments) == message
