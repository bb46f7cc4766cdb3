# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.front_door import Screening, read_screening


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, Screening()),
        ({}, Screening()),
        ("", Screening()),
        # A bare `off` of YAML.
        ({"mode": False}, Screening("off")),
        ({"mode": "off", "dnsbl_sites": None}, Screening("off")),
        ({"mode": "log"}, Screening("log")),
        (
            {"mode": "enforce", "dnsbl_sites": ["bl.example*2", "bl.test=127.0.0.[2..4;9]*-1", "bl.example*2"]},
            Screening("enforce", ("bl.example*2", "bl.test=127.0.0.[2..4;9]*-1")),
        ),
        (
            {"mode": "log", "dnsbl_sites": "a.example, b.example=127.0.0.2\nc.example"},
            Screening("log", ("a.example", "b.example=127.0.0.2", "c.example")),
        ),
    ],
)
def test_setting_is_read(given: Any, expected: Screening) -> None:
    assert read_screening(given) == expected


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("log", "not a mapping of mode and dnsbl_sites"),
        ({"mode": "log", "sites": []}, "not a mapping of mode and dnsbl_sites"),
        ({"mode": "on"}, 'has the mode "on"; use one of off, log, enforce'),
        ({"dnsbl_sites": ["bl.example"]}, 'has the mode ""'),
        ({"mode": "log", "dnsbl_sites": ["bl.example*x"]}, 'DNSBL site "bl.example*x"'),
        ({"mode": "log", "dnsbl_sites": ["bl.example=127.0.0.[2"]}, 'DNSBL site "bl.example=127.0.0.[2"'),
        ({"mode": "log", "dnsbl_sites": ["bl"]}, 'DNSBL site "bl"'),
        ({"mode": "log", "dnsbl_sites": [7]}, 'DNSBL site "7"'),
    ],
)
def test_what_postscreen_could_not_read_is_refused(given: Any, words: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        read_screening(given)
    assert words in raised.value.message
