# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import selinux


@pytest.mark.parametrize(("text", "enforcing"), [("1", True), ("1\n", True), ("0", False), ("", False), (None, False)])
def test_kernel_tells_whether_it_enforces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, enforcing: bool
) -> None:
    if text is not None:
        (tmp_path / "enforce").write_text(text)
    monkeypatch.setattr(selinux, "ENFORCE", str(tmp_path / "enforce"))
    assert selinux.is_enforcing() is enforcing
