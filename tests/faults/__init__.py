# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks on the table engine of a real host. What `host` asserts tells what it compared, as a test's asserts do."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("faults.host")
