# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.bounds import bounded


def test_as_much_as_is_allowed_is_taken() -> None:
    assert list(bounded(["ab", "c"], "the list", 3)) == ["ab", "c"]


def test_more_than_that_is_refused() -> None:
    with pytest.raises(SourceError) as caught:
        list(bounded(["ab", "cd"], "the list", 3))
    assert caught.value.message == "the list says more than 3 bytes; narrow down what is asked for"
