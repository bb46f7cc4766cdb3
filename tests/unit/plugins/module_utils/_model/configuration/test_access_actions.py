# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.access_actions import is_action


@pytest.mark.parametrize(
    "value",
    [
        "OK",
        "ok",
        "1",
        "REJECT",
        "reject no longer here",
        "550 5.1.1 gone",
        "450",
        "DUNNO",
        "FILTER smtp:[127.0.0.1]:10024",
        "ours",
        "reject_unlisted_recipient, reject_unverified_recipient",
    ],
)
def test_value_is_an_action(value: str) -> None:
    assert is_action(value, ["ours"], "3.10.13")


@pytest.mark.parametrize("value", ["x", "yes", "ours, theirs", "valid", "", "alice@elsewhere.example"])
def test_value_is_none(value: str) -> None:
    assert not is_action(value, ["ours"], "3.10.13")
