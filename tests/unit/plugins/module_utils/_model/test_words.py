# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.words import some_of


def test_of_many_names_the_first_are_told() -> None:
    assert some_of(["a", "b"]) == "a, b"
    assert some_of(["a", "b", "c"], most=2) == "a, b and 1 more"
