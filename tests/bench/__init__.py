# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measurements: ratios in one run on one host, never times that a test asserts."""
