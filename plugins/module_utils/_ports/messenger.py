# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands messages in at an MX host, as any server of the Internet does it."""

from __future__ import annotations

import smtplib
import ssl
import time
from collections.abc import Sequence
from email.utils import formatdate
from typing import Protocol

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.canary.fate import Handed
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.canary.message import Canary
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.answers import Answer, accepts
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.opportunistic_tls import any_certificate

# Postscreen keeps a client waiting for 6 seconds that it sees for the first time.
ANSWER_SECONDS = 30.0


class Messenger(Protocol):
    """The port."""

    def hand_in(self, server: str, port: int, canaries: Sequence[Canary], seconds: float) -> list[Handed]:
        """Sends each message, and tells of each what was answered. What is not sent within `seconds` is not sent."""


class SmtpMessenger:
    """smtplib: one connection for all messages, a new one after each that failed."""

    def hand_in(self, server: str, port: int, canaries: Sequence[Canary], seconds: float) -> list[Handed]:
        deadline = time.monotonic() + seconds
        found: list[Handed] = []
        door = _Door(server, port)
        for canary in canaries:
            if time.monotonic() >= deadline:
                found.append(Handed(failure="there was no time left"))
            else:
                found.append(door.hand_in(canary))
        door.close()
        return found


class _Door:
    """The MX host, with a connection while one works. TLS is used as long as it works."""

    def __init__(self, server: str, port: int) -> None:
        self.server = server
        self.port = port
        self.link: smtplib.SMTP | None = None
        self.tls = ""
        self.plain = False

    def hand_in(self, canary: Canary) -> Handed:
        began = time.monotonic()
        answers: list[tuple[str, Answer]] = []
        failure = ""
        try:
            self._converse(canary, self.link or self._open(), answers)
        except smtplib.SMTPConnectError as refused:
            answers.append(("the connection", _answer((refused.smtp_code, refused.smtp_error))))
            self.close()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            failure = str(error) or type(error).__name__
            self.close()
        return Handed(tuple(answers), failure, round(time.monotonic() - began, 2), self.tls)

    def _open(self) -> smtplib.SMTP:
        link = smtplib.SMTP(self.server, self.port, timeout=ANSWER_SECONDS)
        self.link = link
        link.ehlo_or_helo_if_needed()
        self.tls = ""
        if link.has_extn("starttls") and not self.plain:
            try:
                link.starttls(context=any_certificate())
            except (OSError, smtplib.SMTPException):
                # As opportunistic senders do, where TLS does not work.
                self.plain = True
                self.close()
                return self._open()
            link.ehlo()
            self.tls = _version(link)
        return link

    def _converse(self, canary: Canary, link: smtplib.SMTP, answers: list[tuple[str, Answer]]) -> None:
        commands = (("MAIL", f"FROM:<{canary.sender}>"), ("RCPT", f"TO:<{canary.recipient}>"))
        for command, argument in commands:
            answers.append((command, _answer(link.docmd(command, argument))))
            if not accepts(answers[-1][1]):
                link.rset()
                return
        code, text = link.docmd("DATA")
        if code == 354:
            link.send(canary.text(formatdate()).encode() + b"\r\n.\r\n")
            code, text = link.getreply()
        answers.append(("DATA", _answer((code, text))))

    def close(self) -> None:
        if self.link is not None:
            try:
                self.link.quit()
            except (OSError, smtplib.SMTPException):
                self.link.close()
        self.link = None


def _version(link: smtplib.SMTP) -> str:
    return (link.sock.version() or "") if isinstance(link.sock, ssl.SSLSocket) else ""


def _answer(reply: tuple[int, bytes | str]) -> Answer:
    text = reply[1].decode("utf-8", "replace") if isinstance(reply[1], bytes) else reply[1]
    return reply[0], text.replace("\n", " ")
