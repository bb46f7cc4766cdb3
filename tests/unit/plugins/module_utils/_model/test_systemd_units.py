# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.systemd_units import HARDENED, instance_suffix


@pytest.mark.parametrize(
    ("directory", "suffix"),
    [("/etc/postfix", ""), ("/etc/postfix/", ""), ("/etc/postfix-out", "-postfix-out"), ("/etc/two.x", "-two_x")],
)
def test_units_of_the_first_instance_have_no_suffix(directory: str, suffix: str) -> None:
    assert instance_suffix(directory) == suffix


def test_every_line_of_what_is_taken_is_a_setting() -> None:
    assert [line for line in HARDENED.splitlines() if line.count("=") != 1] == []
