# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all unit tests need, by pytest alone and by ansible-test, which runs each group of them by itself.

The lab is imported as its own commands import it: with the folder of all tests on the path. Hypothesis generates the
same examples in each run, without a limit of time, also where nobody gives it options.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Iterator

import hypothesis
import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import files, os_release, selinux

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
hypothesis.settings.load_profile("ci")


@pytest.fixture(scope="session", autouse=True)
def _own_lock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Runs of the tests take a lock of their own, not the one of this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "LOCK_FILE", str(tmp_path_factory.mktemp("lock") / "run.lock"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _own_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The tests are of Debian without SELinux, whatever this machine is."""
    release = tmp_path_factory.mktemp("release") / "os-release"
    release.write_text("ID=debian\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os_release, "OS_RELEASE", str(release))
        patch.setattr(selinux, "ENFORCE", str(release.parent / "enforce"))
        yield
