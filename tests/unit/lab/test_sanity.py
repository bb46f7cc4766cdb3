# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

from lab.sanity import interpreters_first


def test_shims_give_way_to_the_interpreters_behind_them(tmp_path: Path) -> None:
    real = tmp_path / "versions/3.12.4/bin"
    real.mkdir(parents=True)
    assert interpreters_first(f"{tmp_path / 'shims'}:/usr/bin") == f"/usr/bin:{real}"


def test_path_without_shims_stays_as_it_is() -> None:
    assert interpreters_first("/usr/local/bin:/usr/bin") == "/usr/local/bin:/usr/bin"
