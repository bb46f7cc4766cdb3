# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sessions of antsibull-nox, as antsibull-nox.toml has them: nox -f antsibull-noxfile.py. ./run has its own."""

import antsibull_nox

antsibull_nox.load_antsibull_nox_toml()
