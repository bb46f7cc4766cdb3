# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from ansible.playbook.role import Role

class Play:
    def get_roles(self) -> list[Role]: ...
