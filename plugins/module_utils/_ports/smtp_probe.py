# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talks SMTP as far as RCPT: never a message, always RSET and QUIT, and for no longer than was agreed."""

from __future__ import annotations

import smtplib
import time
from typing import Protocol, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import Answer, Talk

PORT = 25
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 15.0
# The sender of bounces, so nobody is written to and no sender policy is asked.
SENDER = ""


class Prober(Protocol):
    """The port."""

    def talk(self, server: str, port: int, helo: str, recipients: Sequence[str], deadline: float) -> Talk:
        """One conversation: greeting, EHLO, MAIL, RCPT for each recipient, RSET, QUIT.

        Recipients that are not ASCII are named only to a server that offers SMTPUTF8.
        `deadline` is the monotonic time at which it is over. Whatever goes wrong is told in the result.
        """


class SmtpProber:
    """smtplib, a connection for each conversation."""

    def talk(self, server: str, port: int, helo: str, recipients: Sequence[str], deadline: float) -> Talk:
        left = deadline - time.monotonic()
        if left <= 0:
            return Talk(server, "there was no time left")
        link = smtplib.SMTP(local_hostname=helo or None, timeout=min(CONNECT_SECONDS, left))
        banner: Answer | None = None
        try:
            banner = _answer(link.connect(server, port))
            if link.sock is not None:
                link.sock.settimeout(min(ANSWER_SECONDS, max(0.1, deadline - time.monotonic())))
            return self._converse(link, server, banner, recipients, deadline)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            return Talk(server, str(error) or type(error).__name__, banner)
        finally:
            link.close()

    def _converse(
        self, link: smtplib.SMTP, server: str, banner: Answer, recipients: Sequence[str], deadline: float
    ) -> Talk:
        if banner[0] >= 400:
            return Talk(server, "", banner)
        link.ehlo_or_helo_if_needed()
        extensions = dict(link.esmtp_features)
        speakable = [recipient for recipient in recipients if recipient.isascii() or "smtputf8" in extensions]
        international = not "".join(speakable).isascii()
        if international:
            link.command_encoding = "utf-8"
        mail = _answer(link.docmd("MAIL", f"FROM:<{SENDER}>" + (" SMTPUTF8" if international else "")))
        answers: dict[str, Answer] = {}
        if mail[0] < 400:
            for recipient in speakable:
                if time.monotonic() >= deadline:
                    break
                answers[recipient] = _answer(link.docmd("RCPT", f"TO:<{recipient}>"))
            link.docmd("RSET")
        link.quit()
        return Talk(server, "", banner, extensions, mail, answers)


def _answer(reply: tuple[int, bytes]) -> Answer:
    return reply[0], reply[1].decode("utf-8", "replace").replace("\n", " ")
