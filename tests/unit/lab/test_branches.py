# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab import branches, traced
from lab.branches import Branches

# Line 4 goes to 5 or to 6.
MODULE = "import sys\n\n\nif len(sys.argv) > 1:\n    print(sys.argv[1])\nprint(len(sys.argv))\n"
PLACE = "ansible_collections/mxrelay/postfix/plugins/modules/counted.py"
BY_UNIT = {
    "filter/one.py": Branches(4, frozenset({(3, 4)})),
    "modules/two.py": Branches(8, frozenset({(5, 6), (7, -1)})),
    "modules/none.py": Branches(0, frozenset()),
}
BY_LABS = {
    "filter/one.py": Branches(4, frozenset({(3, 5)})),
    "modules/two.py": Branches(8, frozenset({(5, 8), (7, -1)})),
    "modules/none.py": Branches(0, frozenset()),
}


def test_page_has_each_folder_by_unit_tests_by_labs_and_together() -> None:
    assert branches.page(BY_UNIT, BY_LABS) == (
        "| folder | branches | unit tests | labs | together |\n"
        "|---|---|---|---|---|\n"
        "| `filter` | 4 | 75.0 % | 75.0 % | 100.0 % |\n"
        "| `modules` | 8 | 75.0 % | 75.0 % | 87.5 % |\n"
        "| all | 12 | 75.0 % | 75.0 % | 91.6 % |\n"
        "\n"
        "Not taken, from line to line (`end`: the end of a function):\n"
        "\n"
        "- `modules/two.py`: 7 → end\n"
    )


def test_page_without_labs_has_no_column_of_them() -> None:
    told = branches.page({"filter/one.py": Branches(4, frozenset())}, None)
    assert told.splitlines() == [
        "| folder | branches | unit tests |",
        "|---|---|---|",
        "| `filter` | 4 | 100.0 % |",
        "| all | 4 | 100.0 % |",
        "",
        "Not taken, from line to line (`end`: the end of a function):",
        "",
        "- nothing",
    ]


def test_share_is_never_rounded_up() -> None:
    assert branches.percent(99.99) == "99.9 %"


def test_report_is_read_by_path_below_plugins() -> None:
    told = {"summary": {"num_branches": 6}, "missing_branches": [[4, 5], [9, -2]]}
    assert branches.read({"files": {"plugins/_model/mx/plan.py": told}}) == {
        "_model/mx/plan.py": Branches(6, frozenset({(4, 5), (9, -2)}))
    }


def test_what_any_process_runs_is_mapped_to_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has run this file from a checkout, and one that has imported it from an archive, as modules are sent."""
    root, data = tmp_path / "root", tmp_path / "measured"
    (root / "plugins/modules").mkdir(parents=True)
    (root / "plugins/modules/counted.py").write_text(MODULE)
    (root / "plugins/modules/idle.py").write_text(MODULE)
    copied = tmp_path / "copy" / PLACE
    copied.parent.mkdir(parents=True)
    copied.write_text(MODULE)
    archive = tmp_path / "payload.zip"
    subprocess.run(
        [sys.executable, "-m", "zipfile", "-c", str(archive), "ansible_collections"], cwd=tmp_path / "copy", check=True
    )
    data.mkdir()
    (tmp_path / "coveragerc").write_text(traced.configuration(str(data)))
    (tmp_path / "sitecustomize.py").write_text(traced.HERE)
    environment = {
        **os.environ,
        "COVERAGE_PROCESS_START": str(tmp_path / "coveragerc"),
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{archive}",
    }
    sent = "import ansible_collections.mxrelay.postfix.plugins.modules.counted"
    monkeypatch.setattr(branches, "ROOT", root)
    for command in ([str(copied)], ["-c", sent]):
        subprocess.run([sys.executable, *command], env=environment, check=True)
    assert branches.measured(data) == {
        "modules/counted.py": Branches(2, frozenset({(4, 5)})),
        "modules/idle.py": Branches(2, frozenset({(4, 5), (4, 6)})),
    }
    subprocess.run([sys.executable, str(copied), "more"], env=environment, check=True)
    assert branches.measured(data)["modules/counted.py"] == Branches(2, frozenset())
