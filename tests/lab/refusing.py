# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a lab host: `serve` is a mail host that refuses as the local part says, `send` a stranger that hands mail in.

`serve DIRECTORY PORT:SIZE...` refuses in each way until DIRECTORY/accept exists, and keeps there what it takes: a file
for each message, with the commands before its content. `send PORT` reads JSON: `messages`, each with `sender`,
`recipients`, `options` and `content` (Latin-1), and prints the last answer of each. `taken DIRECTORY` prints a line of
JSON for each message that was taken: its `commands`, `name` (of its Message-Id) and a `digest` of all but Received.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import re
import smtplib
import socketserver
import sys
import threading
from typing import Any

# What a local part, or that of the sender, begins with, and the answer until everything is accepted.
AT_MAIL = {"mail": "550 5.7.23 refused by the policy of <somebody@far.example>"}
AT_RCPT = {"rcpt": "550-5.7.1 <somebody@far.example> is refused\r\n550 5.7.1 by policy", "gray": "450 4.2.0 greylisted"}
AT_END = {"data": "554 5.7.1 Spam message rejected"}


def serve(directory: str, *places: str) -> None:
    for place in places:
        port, size = (int(number) for number in place.split(":"))

        class Handler(MailHost):
            limit = size
            taken = pathlib.Path(directory)

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        server = socketserver.ThreadingTCPServer(("127.0.0.1", port), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever).start()


class MailHost(socketserver.StreamRequestHandler):
    """One session."""

    limit = 0
    taken = pathlib.Path()
    lock = threading.Lock()

    def handle(self) -> None:
        self._say("220 mail.far.example ESMTP")
        sender = ""
        recipients: list[str] = []
        for line in self.rfile:
            text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
            verb = text[:4].upper()
            if verb == "EHLO":
                utf8 = "250-SMTPUTF8\r\n" if self._accepts() else ""
                self._say(f"250-mail.far.example\r\n250-SIZE {self.limit}\r\n{utf8}250 8BITMIME")
            elif verb == "MAIL":
                sender, recipients = text, []
                self._say(self._refusal(AT_MAIL, text) or "250 2.1.0 Ok")
            elif verb == "RCPT":
                refusal = self._refusal(AT_RCPT, text)
                recipients += [] if refusal else [text]
                self._say(refusal or "250 2.1.5 Ok")
            elif verb == "DATA":
                self._say("354 go on")
                content = self._content()
                refusal = next(filter(None, (self._refusal(AT_END, each) for each in recipients)), "")
                if not refusal:
                    self._keep([sender, *recipients], content)
                self._say(refusal or "250 2.0.0 Ok")
            elif verb == "QUIT":
                self._say("221 2.0.0 Bye")
                return
            else:
                self._say("250 2.0.0 Ok")

    def _accepts(self) -> bool:
        return (self.taken / "accept").exists()

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode("utf-8", "surrogateescape") + b"\r\n")

    def _refusal(self, answers: dict[str, str], command: str) -> str:
        if self._accepts():
            return ""
        local_part = command.partition("<")[2].strip('"')
        return next((answer for start, answer in answers.items() if local_part.startswith(start)), "")

    def _content(self) -> bytes:
        found = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            found.append(line[1:] if line.startswith(b".") else line)
        return b"".join(found)

    def _keep(self, commands: list[str], content: bytes) -> None:
        with self.lock:
            path = self.taken / f"message-{len(os.listdir(self.taken)):04}"
            head = "".join(f"{command}\n" for command in commands).encode("utf-8", "surrogateescape")
            path.with_suffix(".new").write_bytes(head + b"\n" + content)
            path.with_suffix(".new").rename(path)


def send(port: str) -> None:
    for message in json.load(sys.stdin)["messages"]:
        print(_send(int(port), message))


def _send(port: int, message: dict[str, Any]) -> str:
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as link:
        link.command_encoding = "utf-8"
        link.ehlo("client.stranger.example")
        options = "".join(f" {option}" for option in message.get("options", []))
        answers = [link.docmd(f"MAIL FROM:<{message['sender']}>{options}")]
        answers += [link.docmd(f"RCPT TO:<{recipient}>") for recipient in message["recipients"]]
        answers.append(link.docmd("DATA"))
        link.send(message["content"].encode("latin-1") + b".\r\n")
        answers.append(link.getreply())
    refused = [f"{code} {text.decode()}" for code, text in answers if code >= 400]
    return refused[0] if refused else f"{answers[-1][0]} {answers[-1][1].decode()}"


def taken(directory: str) -> None:
    for path in sorted(pathlib.Path(directory).glob("message-????")):
        commands, _blank, content = path.read_bytes().partition(b"\n\n")
        header, blank, body = content.partition(b"\r\n\r\n")
        header = re.sub(rb"(?m)^Received: .*\r\n(?:[ \t].*\r\n)*", b"", header)
        named = re.search(rb"(?m)^Message-Id: <([^@]*)@", content)
        print(
            json.dumps(
                {
                    "commands": commands.decode("utf-8", "replace").split("\n"),
                    "name": named.group(1).decode() if named else "",
                    "digest": hashlib.sha256(header + blank + body).hexdigest(),
                    "report": b"report-type=delivery-status" in header,
                }
            )
        )


def main(command: str, *arguments: str) -> None:
    if command == "serve":
        serve(*arguments)
    elif command == "send":
        send(*arguments)
    else:
        taken(*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
