# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.listeners import (
    refuse_taken_ports,
    taken_ports,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

SMTP = "smtp inet n - y - - smtpd\n"


class OnePostfix(Postfix):
    """Postfix whose main.cf has these values; its queue directory is `queue`."""

    def __init__(self, queue: Path) -> None:
        self.values = {"inet_interfaces": "loopback-only", "inet_protocols": "ipv4", "queue_directory": str(queue)}
        self.asked = 0

    def parameters(self, names: Sequence[str] = (), options: Sequence[str] = ()) -> dict[str, str]:
        assert (len(names), options) == (4, ["-x"])
        self.asked += 1
        return self.values


@pytest.fixture(name="postfix")
def _postfix(tmp_path: Path) -> OnePostfix:
    return OnePostfix(tmp_path)


@pytest.fixture(name="port")
def _port() -> Iterator[int]:
    """A port at which this process listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def line(port: object) -> str:
    return f"{port} inet n - y - - smtpd\n"


def causes(postfix: OnePostfix, before: str, after: str, **planned: str) -> list[str]:
    return [taken.cause for taken in taken_ports(postfix, before, after, "master.cf", planned)]


def is_master(postfix: OnePostfix, process: int) -> None:
    pid = Path(postfix.values["queue_directory"]) / "pid" / "master.pid"
    pid.parent.mkdir()
    pid.write_text(f"{process:>10}\n", encoding="ascii")


def test_port_that_is_taken_is_told_with_its_holder(postfix: OnePostfix, port: int) -> None:
    (cause,) = causes(postfix, SMTP, SMTP + line(port))
    assert cause.startswith(f"{port}/inet of master.cf can't listen at 127.0.0.1:{port}: ")
    assert cause.endswith(f" (process {os.getpid()}) listens there, so a reload would end Postfix")


def test_refusal_names_place_cause_and_remedy(postfix: OnePostfix, port: int) -> None:
    with pytest.raises(Refused) as caught:
        refuse_taken_ports(postfix, SMTP, SMTP + line(port), "/etc/postfix/master.cf")
    start, end = (
        "/etc/postfix/master.cf: ",
        "; give the service another port, or free this one first; nothing was changed",
    )
    assert caught.value.message.startswith(start) and caught.value.message.endswith(end)


@pytest.mark.parametrize("after", [SMTP, SMTP + "relay unix - - y - - smtp\n", "smtp inet n - y - 1 postscreen\n", ""])
def test_without_a_new_service_nothing_is_asked(postfix: OnePostfix, after: str) -> None:
    assert (causes(postfix, SMTP, after), postfix.asked) == ([], 0)


def test_service_that_is_there_already_may_have_its_port(postfix: OnePostfix, port: int) -> None:
    assert causes(postfix, line(port), line(port).replace("smtpd", "postscreen")) == []


def test_disabled_service_needs_no_port(postfix: OnePostfix, port: int) -> None:
    postfix.values["master_service_disable"] = f"{port}.inet"
    assert causes(postfix, SMTP, SMTP + line(port)) == []


def test_interfaces_that_main_cf_is_to_have_count(postfix: OnePostfix, port: int) -> None:
    assert causes(postfix, SMTP, SMTP + line(port), inet_interfaces="127.0.0.2") == []
    assert len(causes(postfix, SMTP, SMTP + line(port), inet_interfaces="all")) == 1


def test_port_of_the_running_master_may_come_back_before_a_reload(postfix: OnePostfix, port: int) -> None:
    is_master(postfix, os.getpid())
    assert causes(postfix, SMTP, SMTP + line(port)) == []
    postfix.values["queue_directory"] = "/nonexistent"
    assert len(causes(postfix, SMTP, SMTP + line(port))) == 1


@pytest.mark.parametrize("shared", [False, True])
def test_port_of_the_running_master_moves_to_another_service_only_if_it_is_shared(
    postfix: OnePostfix, shared: bool
) -> None:
    is_master(postfix, os.getpid())
    with socket.create_server(("127.0.0.1", 0), reuse_port=shared) as server:
        port = server.getsockname()[1]
        assert len(causes(postfix, line(port), line(f"127.0.0.1:{port}"))) == (0 if shared else 1)


def test_port_that_another_program_would_share_is_taken(postfix: OnePostfix) -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as server:
        assert len(causes(postfix, SMTP, SMTP + line(server.getsockname()[1]))) == 1


def test_service_by_the_number_of_its_name_is_the_same(postfix: OnePostfix) -> None:
    postfix.values["inet_interfaces"] = "192.0.2.1"
    assert causes(postfix, SMTP, line(25)) == []
    assert len(causes(postfix, SMTP, line(26))) == 1
