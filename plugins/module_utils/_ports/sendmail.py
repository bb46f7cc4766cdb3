# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands a message in at this host's own Postfix. See sendmail(1)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from typing import IO, Protocol

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import ENVIRONMENT, SEARCH_PATH

# postdrop(1) tries for ever where it can't write, as on a full file system.
SECONDS_TO_TAKE = 300.0


class Sendmail(Protocol):
    """The port."""

    def hand_in(self, sender: str, recipients: Sequence[str], content: IO[bytes]) -> bool:
        """Whether Postfix took the message, which then is in its queue. The content is read from the file's start."""


class LocalSendmail:
    """sendmail(1) of one instance, whose path is Postfix's parameter sendmail_path."""

    def __init__(self, path: str, config_directory: str, seconds: float = SECONDS_TO_TAKE) -> None:
        self._command = [path, "-C", config_directory, "-G", "-i", "-f"]
        self._seconds = seconds

    def hand_in(self, sender: str, recipients: Sequence[str], content: IO[bytes]) -> bool:
        """Raises HostError if sendmail is missing or does not end."""
        content.flush()
        content.seek(0)
        # In brackets, so that no address is read as several, or as an option.
        argv = [*self._command, sender, "--", *(f"<{recipient}>" for recipient in recipients)]
        try:
            ended = subprocess.run(
                [word.encode("utf-8", "surrogateescape") for word in argv],
                stdin=content,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=dict(os.environ, PATH=SEARCH_PATH, **ENVIRONMENT),
                timeout=self._seconds,
                check=False,
            )
        except OSError as error:
            raise HostError(f"{self._command[0]} can't be run: {error.strerror}; correct sendmail_path") from error
        except subprocess.TimeoutExpired:
            raise HostError(
                f"{self._command[0]} did not take a message within {self._seconds:g} s; see in the mail log what "
                "postdrop lacks, such as room on the file system of the queue"
            ) from None
        return ended.returncode == 0
