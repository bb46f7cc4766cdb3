# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sessions of antsibull-nox, by what antsibull-nox.toml says: nox -f antsibull-noxfile.py. ./run has its own."""

from __future__ import annotations

import antsibull_nox

antsibull_nox.load_antsibull_nox_toml()
