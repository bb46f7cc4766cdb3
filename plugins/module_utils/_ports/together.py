# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the same work for many names side by side, with as many threads as it takes and the system gives."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Hashable, Iterable
from typing import Callable, Generic, TypeVar

# So many threads work at once; one that is busy with a name for longer than PATIENCE gets another beside it.
AT_ONCE = 32
PATIENCE = 0.3
MOST = 512
Name = TypeVar("Name", bound=Hashable)
Found = TypeVar("Found")


def together(work: Callable[[Name], Found], names: Iterable[Name], seconds: float) -> dict[Name, Found]:
    """What `work` returns for each name; what it does not return within `seconds` is left out.

    A name that takes long does not take the place of another. Where the system gives no more threads, those that run
    do it, and this one where there are none.
    """
    crew = _Crew(work, dict.fromkeys(names))
    deadline = time.monotonic() + seconds
    with crew.told:
        while crew.unfinished and time.monotonic() < deadline:
            crew.hire()
            if not crew.hired:
                break
            crew.told.wait(max(0.0, min(PATIENCE, deadline - time.monotonic())))
        alone = not crew.hired
    while alone and crew.waiting and time.monotonic() < deadline:
        crew.take_one()
    with crew.told:
        crew.waiting.clear()
        return dict(crew.found)


class _Crew(Generic[Name, Found]):
    """Threads that take one name after the other. What is shared is touched only with `told` held."""

    def __init__(self, work: Callable[[Name], Found], names: Iterable[Name]) -> None:
        self._work = work
        self.waiting = deque(names)
        self.found: dict[Name, Found] = {}
        self.told = threading.Condition()
        self.hired = 0
        # thread -> since when it is busy with its name
        self._busy: dict[int, float] = {}

    @property
    def unfinished(self) -> bool:
        return bool(self.waiting or self._busy)

    def hire(self) -> None:
        """Starts the threads that are wanting, as far as the system gives them."""
        late = time.monotonic() - PATIENCE
        quick = self.hired - sum(1 for since in self._busy.values() if since < late)
        for _thread in range(min(AT_ONCE - quick, len(self.waiting), MOST - self.hired)):
            try:
                threading.Thread(target=self._run, daemon=True).start()
            except RuntimeError:
                return
            self.hired += 1

    def _run(self) -> None:
        try:
            while self.take_one():
                pass
        finally:
            with self.told:
                self.hired -= 1

    def take_one(self) -> bool:
        """Does the work for the next name; False if there is none."""
        me = threading.get_ident()
        with self.told:
            if not self.waiting:
                return False
            name = self.waiting.popleft()
            self._busy[me] = time.monotonic()
        try:
            found = self._work(name)
            with self.told:
                self.found[name] = found
        finally:
            with self.told:
                del self._busy[me]
                if not self.unfinished:
                    self.told.notify()
        return True
