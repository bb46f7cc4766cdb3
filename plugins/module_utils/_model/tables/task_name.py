# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name of a whole request, by which a host that has carried it out knows that there is nothing to do.

The controller makes the name from everything that decides what the table is to hold: the options, the bytes of the
lists, and the code that reads them. Lists that are on the host are added there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

# The path that stands for a list which travels with the task.
SENT = "-"


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def with_digests(name: object, digests: Mapping[str, str]) -> str:
    """A name of the same request with these files, by path, as part of it. `name` is anything that JSON can hold."""
    return digest_of(json.dumps([name, dict(digests)], sort_keys=True, default=str).encode())
