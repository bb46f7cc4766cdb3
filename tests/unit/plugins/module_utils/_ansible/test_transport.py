# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.transport import keep_transport
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils._ansible.table_options import table_params
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost

X = {"pattern": "x.example", "nexthop": "mail.x.example"}
BOOKS = {"pattern": "bücher.example", "result": "smtp:[mail.x.example]"}


@pytest.fixture(name="host")
def fixture_host(tmp_path: pathlib.Path) -> FakeHost:
    return FakeHost(str(tmp_path))


def run(host: FakeHost, check_mode: bool = False, **given: Any) -> Outcome:
    return keep_transport(table_params(**given), host.postfix(), check_mode)


def test_rows_come_into_the_table_of_transport_maps_and_into_the_result(host: FakeHost, tmp_path: pathlib.Path) -> None:
    host.parameters["transport_maps"] = f"cdb:{tmp_path}/routes"
    outcome = run(host, entries=[X])
    assert (outcome.changed, outcome.results["reference"]) == (True, f"cdb:{tmp_path}/routes")
    assert [outcome.results[name] for name in ("added", "removed", "updated")] == [["x.example"], [], []]
    assert outcome.diffs[0].after == "x.example relay:[mail.x.example]\n"
    assert (tmp_path / "routes").read_text() == "x.example relay:[mail.x.example]\n"
    assert run(host, entries=[{**X, "nexthop": "elsewhere.example"}]).results["updated"] == ["x.example"]


def test_rows_to_remove_need_no_result(host: FakeHost, tmp_path: pathlib.Path) -> None:
    run(host, entries=[X])
    assert run(host, entries=[{"pattern": "x.example"}], state="absent").results["removed"] == ["x.example"]
    assert (tmp_path / "transport").read_text() == ""


@pytest.mark.parametrize("check_mode", [True, False])
def test_domain_that_no_mail_names_is_warned_of(host: FakeHost, check_mode: bool) -> None:
    host.parameters["smtputf8_enable"] = "no"
    assert run(host, check_mode, entries=[BOOKS, X]).warnings == [
        "mail never names bücher.example in this form, since smtputf8_enable is no; "
        "give it as DNS has it, such as xn--bcher-kva.example, or set smtputf8_enable = yes"
    ]
    assert run(host, check_mode, entries=[X]).warnings == []
