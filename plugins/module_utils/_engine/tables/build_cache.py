# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory for building long Berkeley DB tables.

postmap gives Berkeley DB berkeley_db_create_buffer_size (16 MiB) of cache; an index that outgrows it is read and
written again for nearly every row. The parameter can only be set in main.cf, so a long table is built with a private
copy.
"""

from __future__ import annotations

import os

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file, write_new_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

PARAMETER = "berkeley_db_create_buffer_size"
# Of a source of this length the index still fits into postmap's own cache.
ENOUGH_BYTES = 4 << 20
MOST_BYTES = 256 << 20


def with_cache(postfix: Postfix, index: str, length: int, stage: str) -> Postfix:
    """The instance that is to build the index from a source of this length: itself, or one with more cache in `stage`.

    A size that main.cf sets is kept.
    """
    if not index.endswith(".db") or length <= ENOUGH_BYTES:
        return postfix
    main_cf = read_file(os.path.join(postfix.config_directory, "main.cf"))
    if main_cf is None or PARAMETER.encode() in main_cf:
        return postfix
    directory = os.path.join(stage, ".configuration")
    os.mkdir(directory, 0o700)
    path = os.path.join(directory, "main.cf")
    size = min(2 * length, MOST_BYTES)
    write_new_file(path, main_cf + f"\n{PARAMETER} = {size}\n".encode(), sync=False)
    # Postfix reads a file again and again until it is two seconds old.
    os.utime(path, (0, 0))
    return Postfix(postfix.commands, directory)
