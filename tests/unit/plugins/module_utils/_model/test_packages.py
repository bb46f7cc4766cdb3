# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.families import (
    ALPINE,
    DEBIAN,
    RED_HAT,
    SUSE,
    SystemFamily,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.packages import missing_packages


@pytest.mark.parametrize(
    ("family", "postfix", "types", "dnspython", "expected"),
    [
        (DEBIAN, True, [""], True, ["postfix", "python3-dnspython"]),
        (DEBIAN, True, ["lmdb"], False, ["postfix", "postfix-lmdb"]),
        (DEBIAN, False, ["cdb"], False, ["postfix-cdb"]),
        (DEBIAN, True, ["hash"], False, ["postfix"]),
        (DEBIAN, False, [], False, []),
        (RED_HAT, True, ["lmdb", "cdb"], True, ["postfix", "postfix-lmdb", "postfix-cdb", "python3-dns"]),
        (SUSE, True, ["lmdb", "cdb"], True, ["postfix", "python3-dnspython"]),
        (ALPINE, True, ["lmdb", "pcre"], True, ["postfix", "postfix-pcre", "py3-dnspython"]),
    ],
)
def test_packages_are_those_that_are_missing(
    family: SystemFamily, postfix: bool, types: list[str], dnspython: bool, expected: list[str]
) -> None:
    assert missing_packages(family, postfix, types, dnspython) == expected
