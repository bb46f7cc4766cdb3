# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from ansible.playbook.play import Play

class Role:
    from_include: bool
    _uuid: str
    _play: Play

    def get_name(self, include_role_fqcn: bool = True) -> str: ...
    def get_parents(self) -> list[Role]: ...
    def get_direct_dependencies(self) -> list[Role]: ...
