# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of what the lab uses of testinfra, which declares none. What is not used is not here."""

from testinfra.host import Host

def get_host(hostspec: str) -> Host: ...
