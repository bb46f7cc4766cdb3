# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS as a server of the Internet begins it to hand mail in: with whatever certificate is shown (RFC 7435)."""

from __future__ import annotations

import ssl


def any_certificate() -> ssl.SSLContext:
    """Settings by which every certificate is taken, whoever it is for."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
