# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packages that a host lacks for what the roles do. What they are called where is in families.py."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.families import DNSPYTHON, SystemFamily

POSTFIX = "postfix"


def missing_packages(family: SystemFamily, postfix: bool, table_types: Iterable[str], dnspython: bool) -> list[str]:
    """What to install: Postfix itself, table types that do not work yet, dnspython."""
    wanted = [POSTFIX] if postfix else []
    wanted += [family.types[table_type] for table_type in table_types if table_type in family.types]
    return [*wanted, family.libraries[DNSPYTHON]] if dnspython else wanted
