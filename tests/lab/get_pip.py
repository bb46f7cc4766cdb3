# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand in for the get-pip script that ansible-test would fetch from a file host of its own.

Called in an empty virtual environment with options and `name==version` arguments; installs those.
"""

from __future__ import annotations

import subprocess
import sys

# In a process of its own, since ensurepip switches off pip's configuration files for the whole process.
subprocess.check_call([sys.executable, "-m", "ensurepip"])
subprocess.check_call(
    [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    + [argument for argument in sys.argv[1:] if "==" in argument]
)
