# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a server about a listed and an unlisted recipient, over new connections, until standard input ends.

Arguments: server, listed, unlisted. Standard output is one JSON object: how many RCPT commands were answered, the
longest time that one took, and every answer that was not the right one. It runs on the lab's tester by itself.
"""

from __future__ import annotations

import json
import select
import smtplib
import sys
import time


def main() -> None:
    server, listed, unlisted = sys.argv[1:]
    asked, slowest, wrong = 0, 0.0, []
    while not select.select([sys.stdin], [], [], 0)[0]:
        try:
            with smtplib.SMTP(server, timeout=60) as smtp:
                smtp.ehlo("tester.lab.example")
                smtp.docmd("MAIL", "FROM:<stranger@elsewhere.test>")
                for recipient, right in ((listed, 250), (unlisted, 550)):
                    began = time.monotonic()
                    code, said = smtp.docmd("RCPT", f"TO:<{recipient}>")
                    slowest = max(slowest, time.monotonic() - began)
                    asked += 1
                    if code != right:
                        wrong.append(f"{recipient}: {code} {said.decode('utf-8', 'replace')}")
        except (OSError, smtplib.SMTPException) as error:
            wrong.append(repr(error))
    json.dump({"asked": asked, "slowest": slowest, "wrong": wrong}, sys.stdout)


if __name__ == "__main__":
    main()
