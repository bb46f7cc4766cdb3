# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import FILES, checks_of, every_check
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    CHECKS,
    SUBJECTS,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import DNS, LOCAL, REMOTE

# The files of the folder that have no checks in them.
FRAME = {"accepted", "__init__", "every", "registry", "result"}


def test_every_file_of_checks_is_imported() -> None:
    folder = Path(str(FILES[0].__file__)).parent
    assert {path.stem for path in folder.glob("*.py")} - FRAME == {file.__name__.rpartition(".")[2] for file in FILES}


def test_every_registered_check_has_a_known_subject_and_scope() -> None:
    assert {check.name for check in every_check()} == set(CHECKS)
    assert [subject for subject in SUBJECTS if not checks_of(subject)] == []
    assert {check.scope for check in every_check()} == {LOCAL, DNS, REMOTE}
