# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible import mx_info
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost


@pytest.mark.parametrize(("server", "asked"), [("", "the host"), ("mx.example", "as a stranger")])
def test_asks_as_a_stranger_only_where_a_server_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str, asked: str
) -> None:
    def answer(text: str) -> Any:
        return lambda *_arguments: Outcome(results={"asked": text})

    monkeypatch.setattr(mx_info, "inform", answer("the host"))
    monkeypatch.setattr(mx_info, "as_stranger", answer("as a stranger"))
    params = {"probe_server": server, "resolver": []}
    assert mx_info.info(params, FakeMxHost(str(tmp_path)).postfix(), True).results == {"asked": asked}
