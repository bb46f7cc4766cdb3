# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.mx import plan
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost


def test_plan_returns_no_list_of_domains_that_the_caller_has(tmp_path: Path) -> None:
    domains = [{"name": f"d{index}.example", "state": "absent"} for index in range(1000)]
    params = {"role": "secondary_mx", "domains": domains, "peer": None, "queue_lifetime": "5d"}
    results = plan(params, FakeMxHost(str(tmp_path)).postfix(), False).results
    assert results["invocation"] == {"module_args": {"role": "secondary_mx", "queue_lifetime": "5d"}}
    assert "d999.example" not in str(results)
