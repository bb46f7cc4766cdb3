# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
# A folder of this run of Ansible, which removes it at its end.
DEFAULT_LOCAL_TMP: str
