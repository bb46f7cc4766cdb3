# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import files


@pytest.fixture(scope="session", autouse=True)
def _own_lock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Runs of the tests take a lock of their own, not the one of this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "LOCK_FILE", str(tmp_path_factory.mktemp("lock") / "run.lock"))
        yield
