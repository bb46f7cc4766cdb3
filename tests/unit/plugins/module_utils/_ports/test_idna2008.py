# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
import types

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import idna2008


def test_label_that_idna2008_does_not_take_has_no_form(monkeypatch: pytest.MonkeyPatch) -> None:
    def alabel(label: str) -> bytes:
        if label == "♥":
            raise UnicodeError(label)
        return b"xn--bcher-kva"

    monkeypatch.setitem(sys.modules, "idna", types.SimpleNamespace(alabel=alabel))
    assert (idna2008.a_label("bücher"), idna2008.a_label("♥")) == ("xn--bcher-kva", None)


def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "idna", None)
    with pytest.raises(HostError) as caught:
        idna2008.a_label("bücher")
    assert caught.value.message == (
        "python3-idna was not found, and internationalised domains need it; install the package python3-idna"
    )
