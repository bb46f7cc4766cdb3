# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of what the collection uses of ansible-core, which declares none. What is not used is not here."""
