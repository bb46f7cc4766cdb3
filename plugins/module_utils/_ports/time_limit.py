# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A limit on the time that a whole piece of work takes, whatever it waits for, and however it is fed."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotDone
from typing import Callable, TypeVar

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError

Result = TypeVar("Result")


def within(seconds: float, work: Callable[[], Result], late: str) -> Result:
    """What `work` returns, or raises. Raises SourceError with the message `late` if it takes longer than `seconds`.

    Work that takes longer is left to itself, in a thread that does not keep the process from ending.
    """
    done: Future[Result] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return done.result(seconds)
    except NotDone:
        raise SourceError(late) from None
