# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.policy import (
    default_action,
    endpoint_of,
)


@pytest.mark.parametrize(
    ("argument", "endpoint", "action"),
    [
        ("unix:private/policy", "unix:private/policy", "451 usual"),
        ("{ inet:127.0.0.1:10023, timeout=3s }", "inet:127.0.0.1:10023", "451 usual"),
        ("{inet:127.0.0.1:10023,default_action=DUNNO}", "inet:127.0.0.1:10023", "DUNNO"),
        ("{ unix:p, default_action=DUNNO, timeout=3s }", "unix:p", "DUNNO"),
        ("{ unix:p default_action=DUNNO timeout=3s }", "unix:p", "DUNNO"),
        ("{ unix:p, { default_action = 450 later } }", "unix:p", "450 later"),
        ("{ unix:p, {default_action=450 later, a=b} , timeout=3s }", "unix:p", "450 later, a=b"),
        ("{ unix:p, default_action=450, default_action=DUNNO }", "unix:p", "DUNNO"),
        ("{ unix:p, policy_context=default_action }", "unix:p", "451 usual"),
        ("{ unix:p, default_action= }", "unix:p", "451 usual"),
        ("{}", "", "451 usual"),
        # A brace was forgotten.
        ("{unix:p", "{unix:p", "451 usual"),
        ("unix:p}", "unix:p}", "451 usual"),
    ],
)
def test_place_of_a_policy_service_and_what_happens_without_it(argument: str, endpoint: str, action: str) -> None:
    assert (endpoint_of(argument), default_action(argument, "451 usual")) == (endpoint, action)
