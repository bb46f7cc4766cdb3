# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mxrelay.postfix.plugins.filter.mx_metrics import FilterModule, mx_metrics


def test_text_is_that_of_the_time_given() -> None:
    assert FilterModule().filters() == {"mx_metrics": mx_metrics}
    text = mx_metrics({"mx1": {"error": "gone"}}, 5.0)
    assert 'mxrelay_collect_timestamp_seconds{host="mx1"} 5\n' in text


def test_what_is_no_evidence_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="this is not what mx_info and queue_info return"):
        mx_metrics({"mx1": {"mx": {}}})
