# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change on the mail host is live on the MX within a minute, by way of its hook, EDA and the playbook."""

from __future__ import annotations

import os
import pathlib
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lab import hosts, playbooks, sources
from lab.activation import TOKEN, activation

HOOKS = playbooks.MOLECULE.parent / "extensions/hooks"
SYNC = "mxrelay.postfix.sync_recipients"
NEW = "hooked@mailbox.example"
CREATED = sources.Saying(
    f"cd /etc/postfix; echo {NEW} user1@mailbox.example >> virtual; postmap virtual",
    "cd /etc/postfix; sed -i '/^hooked@/d' virtual; postmap virtual",
    "mailbox.example",
)


def put(name: str, path: str, text: str) -> None:
    hosts.on(sources.HOST, "sh", "-ec", f"umask 077; cat > {path}/{name}", given=text)


@contextmanager
def installed(webhook: str) -> Iterator[None]:
    """The hook as docs/sync.md says, in this block: this host's files, address and token in it."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in HOOKS.iterdir()}
    units = [name for name in texts if not name.endswith(".curl")]
    for name in units:
        put(name, "/etc/systemd/system", texts[name].replace("=/etc/postfix/vmailbox", "=/etc/postfix/mailboxes"))
    told = texts["mxrelay-recipients.curl"].replace("https://eda.example:5000/", webhook).replace("TOKEN", TOKEN)
    put("mxrelay-recipients.curl", "/etc", told)
    hosts.on(sources.HOST, "systemctl", "enable", "--now", "mxrelay-recipients.path")
    try:
        yield
    finally:
        hosts.on(sources.HOST, "systemctl", "disable", "--now", "mxrelay-recipients.path")
        hosts.on(sources.HOST, "systemctl", "stop", "mxrelay-recipients.service")
        hosts.on(sources.HOST, "sh", "-ec", "rm /etc/mxrelay-recipients.curl /etc/systemd/system/mxrelay-recipients.*")


def sync() -> playbooks.Run:
    """The job, for the one domain and MX host that the test is about."""
    variables = {"sync_recipients_domains": ["mailbox.example"]}
    return playbooks.play("sync", SYNC, variables=variables, limit="mx1.lab.example")


def answer() -> str:
    ((_address, said),) = sources.answers("mx1", [NEW])
    return said


def test_change_on_the_mail_host_is_live_within_a_minute(tmp_path: pathlib.Path) -> None:
    hosts.on(sources.HOST, "apt-get", "install", "--yes", "curl")
    with (
        activation(tmp_path, "recipients", mxrelay_listen="0.0.0.0") as running,
        installed(f"http://{os.environ['MXRELAY_LAB_NET']}.1:{running.port}/"),
    ):
        before, began = answer(), time.monotonic()
        with sources.saying(CREATED):
            started = running.templates(1)
            launched = time.monotonic() - began
            run = sync()
            after, seconds = answer(), time.monotonic() - began
    print(f"the job was started after {launched:.1f} s, and the address was accepted after {seconds:.1f} s")
    again = sync()
    assert (started, run.code, again.code) == (["sync_recipients"], 0, 0), run.said + again.said
    assert (before, after, answer()) == ("550 5.1.1", "250 2.1.5", "550 5.1.1")
    assert seconds < 60
