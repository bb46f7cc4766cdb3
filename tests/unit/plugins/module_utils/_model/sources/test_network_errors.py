# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.network_errors import why_unreached


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            "[Errno 111] Connection refused",
            "nothing listens there; correct the address or the port, or start the server",
        ),
        (
            "[Errno 99] Cannot assign requested address",
            "nothing listens there; correct the address or the port, or start the server",
        ),
        ("timed out", "it does not answer in time; look whether a firewall is in the way, or raise timeout"),
        ("[Errno 113] No route to host", "no way leads there; look at the network of this host"),
        ("[Errno -2] Name or service not known", "its name has no address; correct it"),
        (
            'could not translate host name "x" to address: Name or service not known',
            "its name has no address; correct it",
        ),
        ("No such file or directory", "its socket is not there, or not for this user; correct the address"),
        ("[Errno 104] Connection reset by peer", "the connection broke; look at the log of the server"),
    ],
)
def test_what_the_system_says_is_understood(said: str, why: str) -> None:
    assert why_unreached(said) == why
