# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tests are part of a run."""

from __future__ import annotations

import os

# The rule engine, which takes a while to start, is there with --long alone.
collect_ignore = [] if os.environ.get("MXRELAY_LAB_EDA") else ["test_hook.py"]
