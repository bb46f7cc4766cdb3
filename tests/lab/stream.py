# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send mail to a server without a pause, until standard input ends. It runs on the lab's tester by itself.

Arguments: server, listed, unlisted, seconds between two connections. Each connection asks about the unlisted recipient
and sends a message to the listed one. One more begins its message with the first of them, and ends it with the input.
Standard output is a line `begun`, then one JSON object: `codes`, the answers about both recipients in the order of
connections, `taken`, the Message-IDs of messages that were taken, and `slow`, the answer to the long one.
"""

from __future__ import annotations

import json
import select
import smtplib
import sys
import uuid

SENDER = "stranger@elsewhere.test"


class Sender:
    """One connection, which has said who it is."""

    def __init__(self, server: str) -> None:
        self.smtp = smtplib.SMTP(server, timeout=60)
        self.smtp.ehlo("tester.lab.example")
        self.smtp.docmd("MAIL", f"FROM:<{SENDER}>")
        self.unique = uuid.uuid4().hex

    def code(self, recipient: str) -> int:
        return self.smtp.docmd("RCPT", f"TO:<{recipient}>")[0]

    def begin(self) -> None:
        self.smtp.docmd("DATA")
        self.smtp.send(f"From: <{SENDER}>\r\nSubject: stream\r\nMessage-ID: <{self.unique}@elsewhere.test>\r\n\r\n")

    def end(self) -> int:
        self.smtp.send(f"{self.unique}\r\n.\r\n")
        return self.smtp.getreply()[0]


def main() -> None:
    server, listed, unlisted, pause = sys.argv[1:]
    slow = Sender(server)
    slow_code = slow.code(listed)
    slow.begin()
    codes, taken = [], []
    print("begun", flush=True)
    while not select.select([sys.stdin], [], [], float(pause))[0]:
        sender = Sender(server)
        codes.append([sender.code(unlisted), sender.code(listed)])
        if codes[-1][1] == 250:
            sender.begin()
            if sender.end() == 250:
                taken.append(sender.unique)
        sender.smtp.close()
    slow_end = slow.end() if slow_code == 250 else slow_code
    if slow_end == 250:
        taken.append(slow.unique)
    json.dump({"codes": codes, "taken": taken, "slow": slow_end}, sys.stdout)


if __name__ == "__main__":
    main()
