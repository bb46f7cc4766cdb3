# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import sys
import types

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import os_release
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.libraries import library


def test_library_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    there = types.SimpleNamespace()
    monkeypatch.setitem(sys.modules, "ldap3", there)
    assert library("ldap3") is there


def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setitem(sys.modules, "ldap3", None)
    release = tmp_path / "os-release"
    release.write_text("ID=alpine\n")
    monkeypatch.setattr(os_release, "OS_RELEASE", str(release))
    with pytest.raises(SourceError) as caught:
        library("ldap3")
    assert caught.value.details == {"lacks": "py3-ldap3"}
    assert caught.value.message == (
        "py3-ldap3 was not found, and this source needs it; install the package py3-ldap3, "
        "or ldap3 with pip where Ansible has a Python of its own"
    )
