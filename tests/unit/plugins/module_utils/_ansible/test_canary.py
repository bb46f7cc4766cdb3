# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible import canary as ansible
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_canary_host import (
    FakeCanaryHost,
    FakeMessenger,
)

TAKEN = (250, "2.0.0 Ok: queued as C657F1CE2F4")


@pytest.fixture
def params(tmp_path: Path) -> dict[str, Any]:
    """Of a plan, whose log is the file of Postfix itself."""
    (tmp_path / "maillog").write_text("")
    return {name: option.get("default") for name, option in ansible.CANARY_SPEC.items()}


def test_states_follow_each_other(tmp_path: Path, params: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    host = FakeCanaryHost(str(tmp_path), f"relay_domains = x.example\nmaillog_file = {tmp_path}/maillog\n")
    messenger = FakeMessenger(x=TAKEN)
    monkeypatch.setattr(ansible, "SmtpMessenger", lambda: messenger)

    def run(state: str, check_mode: bool = False, **more: Any) -> dict[str, Any]:
        return ansible.run_canary({**params, "state": state, **more}, host.postfix(), check_mode).results

    plan = run("planned")["plan"]
    assert plan["logs"][0]["log"] == f"{tmp_path}/maillog"
    assert run("sent", check_mode=True, plan=plan, server="mx") == {"handed": {}}
    assert messenger.sent == []
    handed = run("sent", plan=plan, server="mx")["handed"]
    text = (
        "to=<postmaster@x.example>, relay=mail[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)"
    )
    (tmp_path / "maillog").write_text(f"Nov 28 mx postfix/smtp[1]: C657F1CE2F4: {text}\n")
    found = run("followed", plan=plan, handed=handed)
    assert found["outcomes"]["x.example"]["outcome"] == "delivered"
    assert run("finished", check_mode=True, outcomes=found["outcomes"])["removed"] == []
