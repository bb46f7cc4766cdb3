# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of the configuration has to know of the host's Postfix, asked once and only when it is needed.

It comes from `postconf -d`, since commands that read main.cf take two seconds when it was changed a moment ago.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.logical_lines import is_comment
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import (
    COMPUTED_LISTS,
    MainCf,
    default_text,
    level,
    references,
    split_items,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import Kind, kind_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import missing_parameter, supports
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix


class Facts:
    """What Postfix says about itself, asked once and only when it is needed."""

    def __init__(self, postfix: Postfix, own: Mapping[str, str]) -> None:
        self._postfix = postfix
        self._own = own

    @property
    def defaults(self) -> dict[str, str]:
        """Every parameter that Postfix knows, also for the services of master.cf, with its default."""
        return self._postfix.defaults()

    @property
    def version(self) -> str:
        return self.defaults.get("mail_version", "")

    @property
    def compatibility_level(self) -> str:
        return self._own.get("compatibility_level", self.defaults.get("compatibility_level", "0"))

    @property
    def chroot_default(self) -> str:
        """What `-` means for chroot in master.cf."""
        modern = supports(self.version, "chroot_off_by_default") and level(self.compatibility_level) >= (1, 0, 0)
        return "n" if modern else "y"

    @property
    def service_lines(self) -> list[str]:
        """The lines of master.cf without its comments, as they are: they need not be right for main.cf to change."""
        content = read_file(os.path.join(self._postfix.config_directory, "master.cf")) or b""
        return [line for line in content.decode("utf-8", "surrogateescape").split("\n") if not is_comment(line)]

    def default(self, name: str) -> str:
        """What a list parameter that main.cf does not set means, as text for main.cf."""
        if name in COMPUTED_LISTS:
            value = self._postfix.parameters([name]).get(name, "")
            raise Refused(
                f"main.cf: {name} is not set, and Postfix computes it, at present to {value}; "
                f"to add or remove members, set the whole list in parameters.{name} first"
            )
        return default_text(self.defaults.get(name, ""), self.compatibility_level)

    def kind(self, name: str) -> Kind:
        """What kind of value the parameter takes."""
        return kind_of(name, self.defaults)


def restriction_class_names(values: Mapping[str, str]) -> list[str]:
    """The names of the host's own restriction lists."""
    return split_items(values.get("smtpd_restriction_classes", ""))


def check_known(name: str, file: MainCf, facts: Facts) -> None:
    """Raises InvalidInput for a name that neither Postfix knows nor any value refers to."""
    known = facts.defaults
    if name in known:
        return
    values = (*known.values(), *file.values.values(), *facts.service_lines)
    own = {name for value in values for name in references(value)}
    own.update(restriction_class_names(file.values))
    if name in own:
        return
    missing = missing_parameter(facts.version, name) if facts.version else ""
    if missing:
        raise InvalidInput(f"main.cf: {missing}")
    near = difflib.get_close_matches(name, sorted({*known, *own}), n=1)
    raise InvalidInput(
        f'main.cf: Postfix has no parameter "{name}"'
        + (f'; did you mean "{near[0]}"?' if near else "; correct the name")
        + " (for a parameter of a custom service, set allow_unknown: true)"
    )
