# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.dovecot import read_dovecot_source
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.definition import source_definition
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import Reading
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result, Take


class Doveadm:
    """The command port on a host with Dovecot."""

    def __init__(self, listed: bytes = b"", result: Result | None = None) -> None:
        self.listed = listed
        self.result = result
        self.ran: list[tuple[list[str], float | None]] = []

    def run(self, argv: Sequence[str], data: bytes | None = None, silence: float | None = None) -> Result:
        raise AssertionError((argv, data, silence))

    def stream(self, argv: Sequence[str], take: Take, seconds: float | None = None) -> Result:
        self.ran.append((list(argv), seconds))
        if self.result is None:
            raise FileNotFoundError(argv[0])
        take(self.listed)
        return self.result


def read(commands: Doveadm, **options: Any) -> Reading:
    return read_dovecot_source(source_definition({"type": "dovecot", **options}), commands)


def test_users_are_recipients() -> None:
    doveadm = Doveadm(b"ann@x.example\nBob@x.example\ncarl\n", Result(0, "", ""))
    assert read(doveadm, default_domain="y.example", timeout=7) == Reading(
        ("ann@x.example", "bob@x.example", "carl@y.example")
    )
    assert doveadm.ran == [(["doveadm", "user", "*"], 7)]


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "doveadm was not found: there is no Dovecot on this host; correct the host"),
        (
            Result(75, "", "Error: userdb list: ann@x.example failed\nFatal: user listing failed\n"),
            "doveadm user failed (Error: userdb list: [a recipient] failed Fatal: user listing failed); "
            "see the log of Dovecot",
        ),
        (Result(0, "", "Error: one of two\n"), "doveadm user failed (Error: one of two); see the log of Dovecot"),
        (Result(1, "", ""), "doveadm user failed (status 1); see the log of Dovecot"),
        (Result(-9, "", ""), "doveadm user has not ended after 60 s; see the log of Dovecot, or raise timeout"),
    ],
)
def test_list_that_is_not_whole_is_not_believed(result: Result | None, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(Doveadm(b"ann@x.example\n", result))
    assert caught.value.message == message


def test_list_that_is_cut_is_not_believed() -> None:
    with pytest.raises(SourceError) as caught:
        read(Doveadm(b"ann@x.example\nbob@x.exam", Result(0, "", "")))
    assert caught.value.message.startswith("the list of doveadm user is cut: ")
