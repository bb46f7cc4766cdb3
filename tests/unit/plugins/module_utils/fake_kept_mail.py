# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with held messages, as Postfix's commands print real ones that were captured on Postfix 3.5 and 3.10."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import IO

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result, Take
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

CAPTURED = pathlib.Path(__file__).parent / "_model" / "kept"
RELEASES = ("bullseye", "trixie")
# Those that are reports, by what became of the message.
REPORTS = (
    "data", "delayed", "expired", "headers", "mail", "mixed", "null", "quoted", "rcpt", "redirected", "several", "size",
    "utf8",
)  # fmt: skip


def captured(name: str, release: str = "trixie") -> bytes:
    """What `postcat -q` printed of the held message, whose content has one byte that is not UTF-8."""
    return (CAPTURED / release / name).read_bytes().replace("body é".encode(), b"body \xe9")


def id_of(printed: bytes) -> str:
    return printed.partition(b" *")[0].rpartition(b"/")[2].decode()


class FakeKeptMail:
    """The command port, over a queue directory with one file for each held message."""

    def __init__(self, queue_directory: pathlib.Path, *names: str, release: str = "trixie") -> None:
        self.queue_directory = queue_directory
        self.hold = queue_directory / "hold"
        self.hold.mkdir(parents=True)
        self.senders: dict[str, str] = {}
        # authorized_submit_users, None where Postfix does not know it.
        self.submitters: str | None = "static:anyone"
        self.asked: list[list[str]] = []
        # Is called before each command about a message.
        self.meanwhile: Callable[[list[str]], None] = lambda _command: None
        self.ids = {name: self.put(captured(name, release)) for name in names}

    def put(self, printed: bytes, sender: str = "MAILER-DAEMON") -> str:
        queue_id = id_of(printed)
        (self.hold / queue_id).write_bytes(printed)
        os.utime(self.hold / queue_id, (1795964000, 1795964000))
        self.senders[queue_id] = "double-bounce@mx.lab.example" if b"\nsender: double" in printed else sender
        return queue_id

    def left(self) -> list[str]:
        return sorted(name for name, queue_id in self.ids.items() if (self.hold / queue_id).exists())

    def run(
        self, argv: Sequence[str], _data: bytes | None = None, _silence: float | None = None, **_other: float
    ) -> Result:
        command = [argv[0], *argv[3:]]
        if command == ["postconf", "-h", "mail_version"]:
            return Result(0, "3.10.13\n", "")
        if command[:2] == ["postconf", "-x"]:
            known = {
                "double_bounce_sender": "double-bounce",
                "queue_directory": str(self.queue_directory),
                "sendmail_path": "/usr/sbin/sendmail",
            }
            if self.submitters is not None:
                known["authorized_submit_users"] = self.submitters
            return Result(0, "".join(f"{name} = {known[name]}\n" for name in command[2:] if name in known), "")
        if command == ["postqueue", "-j"]:
            return Result(0, "".join(self._listed(path) for path in sorted(self.hold.iterdir())), "")
        assert command[0] == "postsuper", command
        return self._postsuper(*command[1:])

    def _listed(self, path: pathlib.Path) -> str:
        entry = {
            "queue_name": "hold",
            "queue_id": path.name,
            "arrival_time": int(path.stat().st_mtime),
            "message_size": 100,
            "sender": self.senders[path.name],
            "recipients": [{"address": "somebody@stranger.example"}],
        }
        return json.dumps(entry) + "\n"

    def _postsuper(self, option: str, queue_id: str, queue: str) -> Result:
        assert queue == "hold"
        self.meanwhile([option, queue_id])
        self.asked.append([option, queue_id])
        try:
            (self.hold / queue_id).unlink()
        except FileNotFoundError:
            return Result(0, "", "postsuper: Deleted: 0 messages\n")
        what = {"-d": f"{queue_id}: removed\npostsuper: Deleted", "-H": f"{queue_id}: released\npostsuper: Released"}
        return Result(0, "", f"postsuper: {what[option]}: 1 message\n")

    def stream(self, argv: Sequence[str], take: Take, seconds: float | None = None) -> Result:
        assert seconds is None
        option, queue_id = argv[3:]
        assert argv[0] == "postcat"
        self.meanwhile([option, queue_id])
        try:
            printed = (self.hold / queue_id).read_bytes()
        except FileNotFoundError:
            return Result(1, "", f"postcat: fatal: open queue file {queue_id}: No such file or directory\n")
        if option == "-bhq":
            printed = printed.partition(b"*** MESSAGE CONTENTS ")[2].partition(b"\n")[2]
            printed = printed.rpartition(b"*** HEADER EXTRACTED ")[0]
        # In small pieces, so that whatever is looked for is cut somewhere.
        for place in range(0, len(printed), 7):
            take(printed[place : place + 7])
        return Result(0, "", "")

    def postfix(self) -> Postfix:
        return Postfix(self)


class FakeSendmail:
    """The port: keeps what it is given, as long as it takes it."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, list[str], bytes]] = []
        self.takes = True
        self.meanwhile: Callable[[], None] = lambda: None

    def hand_in(self, sender: str, recipients: Sequence[str], content: IO[bytes]) -> bool:
        self.meanwhile()
        content.seek(0)
        if self.takes:
            self.taken.append((sender, list(recipients), content.read()))
        return self.takes
