# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest

from lab.branches import DOCUMENT, WORD
from lab.pages import between, write_between

PAGE = """# Figures

<!-- ./run one writes what follows -->
old
<!-- until here -->
Between.
<!-- ./run two writes what follows -->
old
<!-- until here -->
"""


def test_word_writes_its_own_part_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    write_between(page, "./run one", "new\n")
    assert page.read_text() == PAGE.replace("old", "\nnew", 1)


def test_page_without_a_place_for_the_word_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^there is no place for what \./run three writes$"):
        between(PAGE, "./run three", "new")


def test_coverage_has_its_place() -> None:
    assert between(DOCUMENT.read_text(), WORD, "new\n").count("\nnew\n") == 1
