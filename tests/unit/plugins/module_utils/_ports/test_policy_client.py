# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import policy_client as module
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.policy_client import (
    ask_policy_service,
    socket_owner,
)


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Iterator[str]:
    """A service that answers with what it was asked, and says nothing to the request `silence`."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()

        def serve() -> None:
            link, _address = listener.accept()
            with link:
                asked = link.recv(4096)
                if b"silence" not in asked:
                    link.sendall(b"action=DUNNO\n")
                    link.sendall(asked)
                else:
                    link.recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield str(tmp_path / "s")


def test_attributes_of_the_answer_come_back(place: str) -> None:
    asked = {"request": "x", "recipient": "a=b@x.example"}
    assert ask_policy_service(place, asked) == {"action": "DUNNO", **asked}
    assert socket_owner(place) == os.geteuid()


def test_silence_is_an_error(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLICY_SECONDS_TO_ANSWER", 0.2)
    with pytest.raises(HostError, match="/s: no answer within 0.2 s$"):
        ask_policy_service(place, {"request": "silence"})


def test_missing_socket_is_an_error(tmp_path: Path) -> None:
    for ask in (lambda: ask_policy_service(str(tmp_path / "no"), {}), lambda: socket_owner(str(tmp_path / "no"))):
        with pytest.raises(HostError, match="/no: No such file or directory"):
            ask()
