# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What every module of the collection has in common."""

    DOCUMENTATION = r"""
options:
  config_directory:
    description:
      - The configuration directory of the Postfix instance, as in C(postconf -c).
    type: path
    default: /etc/postfix
"""

    ACTION_GROUP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/mxrelay.postfix.postfix) in C(module_defaults) to set defaults for all modules at once.
    support: full
    membership:
      - mxrelay.postfix.postfix
"""

    ATTRIBUTES = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return what it would change, without changing anything.
    support: full
  diff_mode:
    description: Returns details of what has changed, or in check mode would change.
    support: full
  platform:
    description: Target systems supported.
    platforms: posix
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Only reads, so check mode and a real run do the same.
    support: full
  diff_mode:
    description: Changes nothing, so there is nothing to show.
    support: N/A
  platform:
    description: Target systems supported.
    platforms: posix
    support: full
  idempotent:
    description: Changes nothing.
    support: full
"""
