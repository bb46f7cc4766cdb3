# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from lab import importer

# Shortened from what galaxy-importer prints.
CLEAN = """\
Importing with galaxy-importer 0.4.44
Getting doc strings via ansible-doc
Linting collection via ansible-lint 26.10.1...
...ansible-lint run complete
Collection loading complete
Importer processing completed successfully
"""


def test_clean_import_has_no_complaint() -> None:
    assert importer.complaints_in(CLEAN) == []


def test_each_warning_and_error_is_a_complaint() -> None:
    warning = "WARNING: roles/mx/tasks/main.yml:3: name[missing]: All tasks should be named."
    error = "ERROR: Timeout on call to ansible-lint"
    log = CLEAN.replace("...ansible-lint run", f"{warning}\n{error}\n...ansible-lint run")
    assert importer.complaints_in(log) == [warning, error]


def test_import_without_an_end_is_a_complaint() -> None:
    log = "Importing with galaxy-importer 0.4.44\nTraceback (most recent call last):\nKeyError: 'name'\n"
    assert importer.complaints_in(log) == ["galaxy-importer did not come to its end: [\"KeyError: 'name'\"]"]
    assert len(importer.complaints_in("")) == 1


def test_words_of_documents_are_no_complaint() -> None:
    assert importer.complaints_in(f"Loading module warning\nLoading filter ERRORS\n{CLEAN}") == []
