# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx import standby as engine
from ansible_collections.mxrelay.postfix.plugins.modules import mx_standby
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start


@pytest.mark.parametrize(("domains", "changed", "state"), [(["x.example"], True, "present"), ([], False, "absent")])
def test_check_mode_tells_what_would_change(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, domains: list[str], changed: bool, state: str
) -> None:
    monkeypatch.setattr(engine, "UNITS", str(tmp_path))
    host = FakeMxHost(str(tmp_path))
    result = start(mx_standby, host, True, config_directory=host.config_directory, domains=domains)
    assert (result["changed"], result["standby"]) == (changed, state)


def test_name_that_is_no_domain_fails(start: Start, tmp_path: Path) -> None:
    host = FakeMxHost(str(tmp_path))
    result = start(mx_standby, host, True, config_directory=host.config_directory, domains=["a b"])
    assert "domains[0]" in result["msg"]
