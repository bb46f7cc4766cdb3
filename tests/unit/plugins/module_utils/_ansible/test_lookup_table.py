# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.lookup_table import (
    keep_lookup_table,
    secret_values,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils._ansible.table_options import table_params
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost

SESAME = [{"key": "[smtp.example]:587", "value": "relay:sesame"}]


@pytest.fixture(name="host")
def fixture_host(tmp_path: pathlib.Path) -> FakeHost:
    return FakeHost(str(tmp_path))


def run(host: FakeHost, **given: Any) -> Outcome:
    params = table_params(path=f"{host.config_directory}/table", **{"secret": False, **given})
    return keep_lookup_table(params, host.postfix(), False)


def test_entries_come_into_the_table_and_into_the_result(host: FakeHost, tmp_path: pathlib.Path) -> None:
    outcome = run(host, entries=[{"key": "a", "value": "x y"}])
    assert [outcome.results[name] for name in ("added", "removed", "updated")] == [["a"], [], []]
    assert outcome.diffs[0].after == "a x y\n"
    assert (tmp_path / "table").read_text() == "a x y\n"
    assert oct((tmp_path / "table").stat().st_mode & 0o777) == "0o640"


def test_type_decides_what_is_a_valid_key(host: FakeHost) -> None:
    assert run(host, entries=[{"key": "192.0.2.0/24", "value": "OK"}], type="cidr").results["added"] == ["192.0.2.0/24"]
    with pytest.raises(InvalidInput, match=r'^"192.0.2.0/24" \(entries\[0\].key\) would not be read back as a pattern'):
        run(host, entries=[{"key": "192.0.2.0/24", "value": "OK"}], type="regexp")


def test_new_table_of_secrets_is_private_and_its_diff_has_keys_alone(host: FakeHost, tmp_path: pathlib.Path) -> None:
    outcome = run(host, entries=SESAME, secret=True)
    assert outcome.diffs[0].after == "[smtp.example]:587 (new value)\n"
    assert [oct(path.stat().st_mode & 0o777) for path in sorted(tmp_path.glob("table*"))] == ["0o600", "0o600"]


def test_values_to_hide_are_those_of_secret_tables() -> None:
    entries = [*SESAME, {"key": "a", "value": None}]
    assert secret_values({"secret": True, "entries": entries}) == ["relay:sesame"]
    assert secret_values({"secret": False, "entries": entries}) == []
