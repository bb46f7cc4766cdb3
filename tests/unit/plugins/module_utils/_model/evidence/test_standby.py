# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.standby import (
    ANSWER,
    PUT_OFF,
    STATUS,
    is_put_off,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import standby_service

SAID = f"4.3.2 <bob@x.example>: Recipient address rejected: {ANSWER}"


@pytest.mark.parametrize(
    ("answer", "put_off"),
    [
        ((450, SAID), True),
        ((550, SAID), False),
        ((450, SAID.replace("4.3.2", "4.7.1")), False),
        ((450, "4.3.2 Service currently unavailable"), False),
    ],
)
def test_answer_of_a_standby_is_known_by_its_words(answer: tuple[int, str], put_off: bool) -> None:
    assert is_put_off(answer) is put_off


def test_program_speaks_these_words() -> None:
    assert (standby_service.PUT_OFF, standby_service.STATUS) == (PUT_OFF, STATUS)
