# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from collections.abc import Mapping
from typing import Any

CLIARGS: Mapping[str, Any]
