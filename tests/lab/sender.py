# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a lab host: several mail servers that hand mail in at once, each of which tries again until it is rid of it.

Standard input is JSON: `server`, `senders` (how many at once), `size` (of a message, in bytes), `seconds` (to try) and
`messages`, each a list of its id and its recipient. The sender of a message is its id at tester.test, so that a queue
and a bounce can be told apart by it. Standard output is a line of JSON for each try: `id`, `outcome` and `answer`.
"""

from __future__ import annotations

import json
import queue
import smtplib
import sys
import threading
import time
from typing import Any

MESSAGES_A_SESSION = 20
SECONDS_TO_CONNECT = 5
SECONDS_TO_ANSWER = 60
SECONDS_BETWEEN_TRIES = 0.2
ACCEPTED = "accepted"
REFUSED = "refused"
PUT_OFF = "put off"
# The connection was lost: with the message not sent, and with all of it sent and no answer.
CUT_OFF = "cut off"
IN_DOUBT = "in doubt"


class Sender(threading.Thread):
    """A mail server with a queue that it shares with the others."""

    def __init__(self, order: dict[str, Any], waiting: queue.SimpleQueue[list[str]], end: float) -> None:
        super().__init__()
        self.order = order
        self.waiting = waiting
        self.end = end
        self.link: smtplib.SMTP | None = None
        self.sent_in_session = 0

    def run(self) -> None:
        while True:
            try:
                name, recipient = self.waiting.get_nowait()
            except queue.Empty:
                self.hang_up()
                return
            self.rid_of(name, recipient)

    def rid_of(self, name: str, recipient: str) -> None:
        """Try until the message is accepted or refused, or the time is over."""
        while time.monotonic() < self.end:
            outcome, answer = self.attempt(name, recipient)
            print(json.dumps({"id": name, "outcome": outcome, "answer": answer}), flush=True)
            if outcome in (ACCEPTED, REFUSED):
                return
            self.hang_up()
            time.sleep(SECONDS_BETWEEN_TRIES)

    def attempt(self, name: str, recipient: str) -> tuple[str, str]:
        """Hand the message in once; return what came of it, and the answer or what broke the connection."""
        failure = CUT_OFF
        try:
            link = self.connected()
            for command in (f"MAIL FROM:<{name}@tester.test>", f"RCPT TO:<{recipient}>", "DATA"):
                code, text = link.docmd(command)
                if code >= 400:
                    link.rset()
                    return judged(code, text)
            link.send(content(name, recipient, self.order["size"]))
            failure = IN_DOUBT
            link.send(b".\r\n")
            return judged(*link.getreply())
        except smtplib.SMTPResponseException as refused:
            return PUT_OFF, f"{refused.smtp_code} {refused.smtp_error!r}"
        except OSError as error:
            return failure, str(error)

    def connected(self) -> smtplib.SMTP:
        """Return a session that has room for a message."""
        if self.sent_in_session == MESSAGES_A_SESSION:
            self.hang_up()
        if self.link is None:
            self.link = smtplib.SMTP(self.order["server"], 25, timeout=SECONDS_TO_CONNECT)
            assert self.link.sock, "a client that has connected has a socket"
            self.link.sock.settimeout(SECONDS_TO_ANSWER)
            self.link.ehlo("tester.lab.example")
        self.sent_in_session += 1
        return self.link

    def hang_up(self) -> None:
        if self.link is not None:
            self.link.close()
        self.link = None
        self.sent_in_session = 0


def judged(code: int, text: bytes) -> tuple[str, str]:
    outcome = ACCEPTED if code < 400 else PUT_OFF if code < 500 else REFUSED
    return outcome, f"{code} {text.decode('utf-8', 'replace')}"


def content(name: str, recipient: str, size: int) -> bytes:
    """Return a message of about this size."""
    head = (
        f"From: <{name}@tester.test>\r\nTo: <{recipient}>\r\nSubject: load\r\nMessage-ID: <{name}@tester.test>\r\n\r\n"
    )
    line = "load" * 15 + "\r\n"
    return (head + line * max(1, (size - len(head)) // len(line))).encode()


def main() -> None:
    order = json.load(sys.stdin)
    waiting: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    for message in order["messages"]:
        waiting.put(message)
    end = time.monotonic() + order["seconds"]
    senders = [Sender(order, waiting, end) for _number in range(order["senders"])]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()


if __name__ == "__main__":
    main()
