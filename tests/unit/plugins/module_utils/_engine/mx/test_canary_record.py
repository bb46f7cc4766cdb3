# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.canary_record import (
    outcomes_path,
    read_outcomes,
    write_outcomes,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.canary import CanaryEvidence


def test_each_instance_has_a_record_of_its_own() -> None:
    assert outcomes_path("/etc/postfix/") == "/var/lib/mxrelay/canary-etc-postfix.json"
    assert outcomes_path("/etc/postfix-out", "/r") == "/r/canary-etc-postfix-out.json"


def test_outcomes_are_added_to_those_of_other_domains(tmp_path: Path) -> None:
    path = str(tmp_path / "new" / "canary.json")
    write_outcomes(path, {"x.example": CanaryEvidence("lost", "x", 100), "y.example": CanaryEvidence("held", "y", 100)})
    write_outcomes(path, {"x.example": CanaryEvidence("delivered", "z", 200)})
    assert read_outcomes(path, now=260.5) == {
        "x.example": CanaryEvidence("delivered", "z", 200, 60),
        "y.example": CanaryEvidence("held", "y", 100, 160),
    }
    assert (os.stat(path).st_mode & 0o777, os.stat(tmp_path / "new").st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize(
    "text", ["", "[]", "no json", '{"x": 1}', '{"x": {"outcome": "odd", "reason": "", "time": 1}}', "\udcff"]
)
def test_what_is_no_record_says_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "canary.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert read_outcomes(str(path)) == {}
    assert read_outcomes(str(tmp_path / "none")) == {}
