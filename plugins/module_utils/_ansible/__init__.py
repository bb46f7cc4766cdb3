# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible sees of the modules. It is imported before everything else of ours."""

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.archive import compile_once

compile_once()
