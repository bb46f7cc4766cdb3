# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parameters that the three table modules share, as Ansible gives them."""

from __future__ import annotations

import grp
import os
import pwd
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.tables import TABLE_SPEC


def table_params(**given: Any) -> dict[str, Any]:
    """The parameters of TABLE_SPEC at their defaults, and those given. Files belong to whoever runs the tests."""
    defaults = {name: option.get("default") for name, option in TABLE_SPEC.items()}
    me = {"owner": pwd.getpwuid(os.geteuid()).pw_name, "group": grp.getgrgid(os.getegid()).gr_name}
    return {**defaults, **me, **given}
