# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from typing import Any

from ansible.playbook.role import Role

class Task:
    _role: Role | None
    args: dict[str, Any]
    async_val: int
    check_mode: bool
    delegate_to: str | None

    def get_search_path(self) -> list[str]: ...
