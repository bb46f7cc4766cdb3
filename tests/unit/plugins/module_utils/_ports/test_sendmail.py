# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""With a sendmail that keeps what it is given."""

from __future__ import annotations

import pathlib
import tempfile

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.sendmail import LocalSendmail


def command(tmp_path: pathlib.Path, end: str) -> str:
    path = tmp_path / "sendmail"
    path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/arguments\ncat > {tmp_path}/content\n{end}\n')
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(("end", "taken"), [("exit 0", True), ("exit 75", False)])
def test_message_is_handed_in_byte_for_byte(tmp_path: pathlib.Path, end: str, taken: bool) -> None:
    sendmail = LocalSendmail(command(tmp_path, end), "/etc/postfix-out")
    with tempfile.TemporaryFile() as content:
        content.write(b"nul\0 8bit \xe9\r\n.\nFrom x\n")
        assert sendmail.hand_in("", ["-a@x.example", '"b, c"@x.example', "\udce9@x.example"], content) is taken
    assert (tmp_path / "content").read_bytes() == b"nul\0 8bit \xe9\r\n.\nFrom x\n"
    assert (tmp_path / "arguments").read_bytes().split(b"\n")[:-1] == [
        b"-C",
        b"/etc/postfix-out",
        b"-G",
        b"-i",
        b"-f",
        b"",
        b"--",
        b"<-a@x.example>",
        b'<"b, c"@x.example>',
        b"<\xe9@x.example>",
    ]


def test_sendmail_that_does_not_end_is_an_error(tmp_path: pathlib.Path) -> None:
    path = command(tmp_path, "exec sleep 60")
    with tempfile.TemporaryFile() as content, pytest.raises(HostError) as caught:
        LocalSendmail(path, "/etc/postfix", 0.3).hand_in("a@x.example", ["b@x.example"], content)
    assert caught.value.message == (
        f"{path} did not take a message within 0.3 s; see in the mail log what postdrop lacks, such as room on the "
        "file system of the queue"
    )


def test_missing_sendmail_is_an_error(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "none")
    with tempfile.TemporaryFile() as content, pytest.raises(HostError) as caught:
        LocalSendmail(path, "/etc/postfix").hand_in("a@x.example", ["b@x.example"], content)
    assert caught.value.message == f"{path} can't be run: No such file or directory; correct sendmail_path"
