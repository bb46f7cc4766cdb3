# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""See the lab from outside: what a stranger's SMTP client is answered, and what lies in the mailboxes."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import testinfra
import testinfra.host

Answer = tuple[int, str]
Wanted = TypeVar("Wanted")
STRANGER = "stranger@elsewhere.test"
SECONDS_TO_ARRIVE = 60
CLIENT = pathlib.Path(__file__).parent / "images/send.py"
ZONE_FILE = "/etc/lab/dnsmasq.conf"


def container(host: str) -> str:
    """Return the name of a host's container: `mx1` and `mx1.lab.example` are the same host."""
    return f"{os.environ['MXRELAY_LAB']}-{host.split('.')[0]}"


def engine(*arguments: str, given: str | None = None) -> str:
    """Run the engine's command; return its standard output, raise with its errors where it fails."""
    result = subprocess.run(
        [os.environ["MXRELAY_LAB_ENGINE"], *arguments],
        input=given,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",  # not all mail is UTF-8
        check=False,
    )
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}: code {result.returncode}: {result.stderr}{result.stdout}")
    return result.stdout


def on(host: str, *command: str, given: str | None = None) -> str:
    """Run a command on a host; return its standard output, raise where it fails."""
    return engine("exec", "--interactive", container(host), *command, given=given)


def testinfra_host(host: str) -> testinfra.host.Host:
    """Return testinfra's view of a host: its packages, services and sockets."""
    return testinfra.get_host(f"{os.environ['MXRELAY_LAB_ENGINE']}://{container(host)}")


@dataclasses.dataclass(frozen=True)
class Conversation:
    """What the server said. A command that was not sent has no answer."""

    server: str | None
    tried: tuple[tuple[str, str | None], ...]
    mail: Answer | None
    rcpt: tuple[Answer, ...]
    data: Answer | None
    auth: Answer | None


def talk(
    recipients: str | Sequence[str],
    *,
    server: str | None = None,
    message: str | None = None,
    sender: str = STRANGER,
    port: int = 25,
    auth: tuple[str, str] | None = None,
    origin: str = "tester",
    helo: str = "",
) -> Conversation:
    """Talk to a server as a stranger; without one, to the best MX of the recipient's domain that can be reached."""
    order = {
        "server": server,
        "port": port,
        "sender": sender,
        "recipients": [recipients] if isinstance(recipients, str) else list(recipients),
        "message": message,
        "auth": auth,
        "helo": helo,
    }
    return talk_often([order], origin)[0]


def talk_often(orders: Sequence[Mapping[str, Any]], origin: str = "tester") -> list[Conversation]:
    """Make a connection for each order (its keys are described in images/send.py); return what each heard.

    Another origin than the tester needs python3-dnspython, as the roles install it.
    """
    program = ["/usr/local/lib/send.py"] if origin == "tester" else ["-c", CLIENT.read_text()]
    given = "".join(json.dumps(order) + "\n" for order in orders)
    return [
        Conversation(
            server=heard["server"],
            tried=tuple((name, error) for name, error in heard["tried"]),
            mail=_answer(heard["mail"]),
            rcpt=tuple((code, text) for code, text in heard["rcpt"]),
            data=_answer(heard["data"]),
            auth=_answer(heard["auth"]),
        )
        for heard in map(json.loads, on(origin, "python3", *program, given=given).splitlines())
    ]


def _answer(heard: list[Any] | None) -> Answer | None:
    return None if heard is None else (heard[0], heard[1])


def new_message(sender: str = STRANGER, subject: str = "a lab message") -> tuple[str, str]:
    """Return a message's unique id and its text."""
    unique = uuid.uuid4().hex
    text = f"From: <{sender}>\r\nSubject: {subject}\r\nMessage-ID: <{unique}@elsewhere.test>\r\n\r\n{unique}\r\n"
    return unique, text


def copies(unique: str, address: str) -> int:
    """Return how many copies of a message lie in a mailbox of the mail host."""
    user, _at, domain = address.partition("@")
    found = on(
        "mail", "sh", "-c", f"grep -rlF 'Message-ID: <{unique}@' /srv/mail/{domain}/{user}/new 2>/dev/null || true"
    )
    return len(found.split())


def arrived(unique: str, address: str) -> int:
    """Wait until a message lies in the mailbox; return how many copies do, 0 where the time is over."""
    return wait_for(lambda: copies(unique, address), SECONDS_TO_ARRIVE)


def flushed(host: str, unique: str, address: str) -> int:
    """Flush the host's queue until the message lies in the mailbox; return how many copies do.

    Once is not enough right after a change of transport: the queue manager believes its last answer for 30 seconds.
    """

    def look() -> int:
        on(host, "postqueue", "-f")
        return copies(unique, address)

    return wait_for(look, SECONDS_TO_ARRIVE)


def queued(host: str) -> list[dict[str, Any]]:
    """Return what waits in the host's queue, as postqueue tells it."""
    return [json.loads(line) for line in on(host, "postqueue", "-j").splitlines()]


def wait_for(look: Callable[[], Wanted], seconds: float) -> Wanted:
    """Look until the result is true or the time is over; return the last result."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if seen or time.monotonic() > end:
            return seen
        time.sleep(0.2)


def stop(host: str) -> None:
    """Take a host down, as a power failure would."""
    engine("kill", container(host))


def start(host: str) -> None:
    """Bring a host up again, and wait until its port 25 greets the tester."""
    engine("start", container(host))
    name = f"{host.split('.')[0]}.lab.example"
    if not wait_for(lambda: talk("postmaster@invalid.test", server=name).mail, SECONDS_TO_ARRIVE):
        raise RuntimeError(f"{name} does not greet on port 25 within {SECONDS_TO_ARRIVE} seconds")


def zone() -> str:
    """Return what the lab's DNS says, as dnsmasq reads it."""
    return on("dns", "cat", ZONE_FILE)


def publish(new: str) -> None:
    """Have the lab's DNS say this instead."""
    on("dns", "sh", "-c", f"cat > {ZONE_FILE}", given=new)
    engine("restart", "--time", "0", container("dns"))


def sunk(unique: str) -> bool:
    """Return whether the message arrived at the tester, who takes everything: where no mail of ours should go."""
    return on("tester", "sh", "-c", f"grep -cF 'Message-ID: <{unique}@' /srv/sunk || true").strip() not in ("", "0")
