# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask an MX host about recipients all the time, until standard input ends. It runs on the lab's tester by itself.

The first line of standard input is a JSON object: `server`, `askers`, how many ask at once, `pause`, the seconds
between two connections of one of them, `recipients`, for each kind its address, which each connection asks about,
`message_to`, the kinds to which in turn each tenth connection of an asker sends a message.

Standard output is a line `begun`, then one JSON object: `answers`, a list of when the connection began (seconds since
1970), the kind, the code and the text, `taken`, by the id of each message that was taken the kind, `lost`, how many
connections failed. The id is the local part of the message's sender and of its Message-ID.
"""

from __future__ import annotations

import itertools
import json
import smtplib
import sys
import threading
import time
import uuid
from typing import Any

SENDER_DOMAIN = "tester.test"
EACH = 10
# Answers to which nobody will look twice.
ORDINARY = (250, 550, 554)


class Asker(threading.Thread):
    """One of those who ask."""

    def __init__(self, order: dict[str, Any], ended: threading.Event) -> None:
        super().__init__()
        self.order = order
        self.ended = ended
        self.answers: list[tuple[float, str, int, str]] = []
        self.taken: dict[str, str] = {}
        self.lost = 0

    def run(self) -> None:
        kinds = itertools.cycle(self.order["message_to"])
        for number in itertools.count():
            if self.ended.wait(self.order["pause"]):
                return
            try:
                self._ask(next(kinds) if number % EACH == 0 and self.order["message_to"] else "")
            except (OSError, smtplib.SMTPException):
                self.lost += 1

    def _ask(self, message_to: str) -> None:
        began = time.time()
        unique = uuid.uuid4().hex
        with smtplib.SMTP(self.order["server"], timeout=60) as smtp:
            smtp.ehlo("tester.lab.example")
            smtp.docmd("MAIL", f"FROM:<{unique}@{SENDER_DOMAIN}>")
            for kind, address in self.order["recipients"].items():
                code, text = smtp.docmd("RCPT", f"TO:<{address}>")
                said = "" if code in ORDINARY else text.decode("utf-8", "replace")
                self.answers.append((began, kind, code, said))
            if message_to:
                self._send(smtp, unique, message_to)

    def _send(self, smtp: smtplib.SMTP, unique: str, kind: str) -> None:
        smtp.docmd("RSET")
        smtp.docmd("MAIL", f"FROM:<{unique}@{SENDER_DOMAIN}>")
        if smtp.docmd("RCPT", f"TO:<{self.order['recipients'][kind]}>")[0] != 250 or smtp.docmd("DATA")[0] != 354:
            return
        smtp.send(
            f"From: <{unique}@{SENDER_DOMAIN}>\r\nSubject: probe\r\nMessage-ID: <{unique}@{SENDER_DOMAIN}>\r\n\r\n.\r\n"
        )
        if smtp.getreply()[0] == 250:
            self.taken[unique] = kind


def main() -> None:
    order = json.loads(sys.stdin.readline())
    ended = threading.Event()
    askers = [Asker(order, ended) for _number in range(order["askers"])]
    for asker in askers:
        asker.start()
    print("begun", flush=True)
    sys.stdin.read()
    ended.set()
    for asker in askers:
        asker.join()
    told = {
        "answers": [answer for asker in askers for answer in asker.answers],
        "taken": {unique: kind for asker in askers for unique, kind in asker.taken.items()},
        "lost": sum(asker.lost for asker in askers),
    }
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
