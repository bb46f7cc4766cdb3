# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

class AnsibleModule:
    params: dict[str, Any]
    check_mode: bool
    no_log_values: set[str]

    def __init__(
        self,
        argument_spec: Mapping[str, Any],
        *,
        mutually_exclusive: Sequence[Sequence[str]] | None = None,
        required_together: Sequence[Sequence[str]] | None = None,
        required_one_of: Sequence[Sequence[str]] | None = None,
        required_if: Sequence[Sequence[Any]] | None = None,
        required_by: Mapping[str, Sequence[str]] | None = None,
        supports_check_mode: bool = False,
    ) -> None: ...
    def exit_json(self, **results: Any) -> NoReturn: ...
    def fail_json(self, msg: str, **results: Any) -> NoReturn: ...
    def warn(self, warning: str) -> None: ...
    def _log_invocation(self) -> None: ...
