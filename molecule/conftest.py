# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the assertions of every scenario share."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("lab.claims")
