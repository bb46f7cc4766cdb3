# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible import recipients_info as layer
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.recipients_info import (
    SOURCE_SPEC,
    recipients_info,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff, Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.definition import (
    COMMON,
    OPTIONS,
    SECRETS,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost

LIST = "b@x.example\na@y.example\na@x.example\n@z.example\n"
AT = "2026-01-31T09:00:00Z"


@pytest.fixture(autouse=True)
def _at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer, "now", lambda: AT)


def run(tmp_path: Path, check_mode: bool = False, text: str = LIST, **params: Any) -> Outcome:
    (tmp_path / "list").write_text(text)
    given = {
        "source": {"type": "file", "path": str(tmp_path / "list")},
        "domains": [],
        "dest": None,
        "show_recipients": False,
        "tell_failure": False,
        "_collect": None,
        **params,
    }
    return recipients_info(given, FakeMxHost(str(tmp_path)).postfix(), check_mode)


def test_every_option_of_a_source_can_be_given() -> None:
    options = {name for several in (COMMON, *OPTIONS.values()) for name in several} - {"host"}
    assert set(SOURCE_SPEC) == options
    assert {name for name, spec in SOURCE_SPEC.items() if spec.get("no_log")} == set(SECRETS)


def test_domains_are_told_without_addresses(tmp_path: Path) -> None:
    outcome = run(tmp_path)
    assert (outcome.changed, outcome.diffs) == (False, [])
    counts = {name: (domain["count"], domain["complete"]) for name, domain in outcome.results["domains"].items()}
    assert counts == {"x.example": (2, True), "y.example": (1, True), "z.example": (0, False)}
    assert {name: outcome.results[name] for name in ("count", "invalid", "complete", "read_at", "problem")} == {
        "count": 3,
        "invalid": 0,
        "complete": False,
        "read_at": AT,
        "problem": "",
    }
    assert "@x.example" not in str(outcome)


def test_declared_domains_may_be_a_text(tmp_path: Path) -> None:
    outcome = run(tmp_path, domains=["X.example\nno.example"], show_recipients=True)
    assert {name: domain["count"] for name, domain in outcome.results["domains"].items()} == {
        "x.example": 2,
        "no.example": 0,
    }
    assert outcome.results["undeclared"] == {"y.example": 1, "z.example": 0}
    assert outcome.results["recipients"] == ["b@x.example", "a@x.example"]


@pytest.mark.parametrize("show", [False, True])
def test_addresses_are_written_for_this_user_alone(tmp_path: Path, show: bool) -> None:
    dest = tmp_path / "dest"
    content = "b@x.example\na@x.example\n"
    after = content if show else "2 addresses\n"
    first = run(tmp_path, domains=["x.example"], dest=str(dest), show_recipients=show)
    assert (first.changed, first.diffs) == (True, [Diff(str(dest), "", after)])
    assert (dest.read_text(), dest.stat().st_mode & 0o777) == (content, 0o600)
    inode = dest.stat().st_ino
    second = run(tmp_path, domains=["x.example"], dest=str(dest), show_recipients=show)
    assert (second.changed, second.diffs, dest.stat().st_ino) == (False, [], inode)
    os.chmod(dest, 0o644)
    assert run(tmp_path, domains=["x.example"], dest=str(dest)).changed is True
    assert dest.stat().st_mode & 0o777 == 0o600
    third = run(tmp_path, text="b@x.example\n", dest=str(dest), show_recipients=show)
    before = content if show else "2 addresses\n"
    assert third.diffs == [Diff(str(dest), before, "b@x.example\n" if show else "1 addresses\n")]


def test_nothing_is_written_in_check_mode(tmp_path: Path) -> None:
    outcome = run(tmp_path, check_mode=True, dest=str(tmp_path / "dest"))
    assert (outcome.changed, (tmp_path / "dest").exists()) == (True, False)


def test_read_that_fails_fails_the_task_or_is_told(tmp_path: Path) -> None:
    (tmp_path / "dest").write_text("a@x.example\n")
    cut = {"text": "a@x.example\nb@x.exa", "domains": ["x.example"], "dest": str(tmp_path / "dest")}
    with pytest.raises(SourceError) as caught:
        run(tmp_path, **cut)
    outcome = run(tmp_path, tell_failure=True, **cut)
    problem = caught.value.message
    assert problem.startswith(f"{tmp_path}/list is cut")
    assert (outcome.changed, outcome.results["problem"], outcome.results["complete"]) == (False, problem, False)
    assert outcome.results["domains"]["x.example"]["why_incomplete"] == problem
    assert (tmp_path / "dest").read_text() == "a@x.example\n"


def test_wrong_definition_always_fails(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="^source has no path"):
        run(tmp_path, source={"type": "file", "path": None}, tell_failure=True)


@pytest.mark.parametrize("check_mode", [True, False])
def test_controller_gets_all_addresses_by_domain(tmp_path: Path, check_mode: bool) -> None:
    left = tmp_path / ("recipients-" + "0a" * 32)
    outcome = run(
        tmp_path, check_mode, domains=["x.example"], _collect={"path": str(left), "remote_tmp": str(tmp_path)}
    )
    assert outcome == Outcome(results={"problem": ""})
    summary, *addresses = left.read_text().splitlines()
    assert addresses == ["b@x.example", "a@x.example", "a@y.example"]
    found = json.loads(summary)
    assert {name: domain["count"] for name, domain in found["domains"].items()} == {
        "x.example": 2,
        "y.example": 1,
        "z.example": 0,
    }
    assert left.stat().st_mode & 0o777 == 0o600


def test_what_killed_runs_left_is_removed(tmp_path: Path) -> None:
    old = tmp_path / "ansible-tmp-1" / ("recipients-" + "0a" * 32)
    old.parent.mkdir()
    old.write_text("a@x.example\n")
    os.utime(old, (0, 0))
    run(tmp_path, _collect={"path": str(tmp_path / "left"), "remote_tmp": str(tmp_path)})
    assert not old.parent.exists()
