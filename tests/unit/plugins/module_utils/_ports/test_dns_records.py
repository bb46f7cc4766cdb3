# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import dns_records
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.dns_records import ask

dns_flags = pytest.importorskip("dns.flags")
dns_message = pytest.importorskip("dns.message")
dns_rrset = pytest.importorskip("dns.rrset")

QUESTION = ("x.example", "MX")
Serve = Callable[[bool], None]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """A name server that truncates its answer over UDP, and answers over TCP or hangs up there."""
    udp, tcp = _sockets()
    monkeypatch.setattr(dns_records, "PORT", udp.getsockname()[1])

    def run(answers: bool) -> None:
        data, client = udp.recvfrom(4096)
        reply = dns_message.make_response(dns_message.from_wire(data))
        reply.flags |= dns_flags.TC
        udp.sendto(reply.to_wire(), client)
        link, _client = tcp.accept()
        with link:
            query = dns_message.from_wire(link.recv(4096)[2:])
            if answers:
                whole = dns_message.make_response(query)
                whole.answer.append(dns_rrset.from_text("x.example.", 60, "IN", "MX", "10 mx.example."))
                link.sendall(whole.to_wire(prepend_length=True))

    def start(answers: bool) -> None:
        threading.Thread(target=run, args=(answers,), daemon=True).start()

    with udp, tcp:
        yield start


def _sockets() -> tuple[socket.socket, socket.socket]:
    """One port, by UDP and by TCP."""
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(tcp.getsockname())
    return udp, tcp


def test_truncated_answer_is_asked_for_over_tcp(serve: Serve) -> None:
    serve(True)
    assert [str(record) for record in ask([QUESTION], ["127.0.0.1"])[QUESTION].records] == ["10 mx.example."]


def test_server_that_hangs_up_over_tcp_has_not_answered(serve: Serve) -> None:
    serve(False)
    assert ask([QUESTION], ["127.0.0.1"]) == {}
