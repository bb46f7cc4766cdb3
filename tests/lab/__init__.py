# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab: real Debian hosts in containers, with their own DNS, mail host and a stranger on the Internet."""
