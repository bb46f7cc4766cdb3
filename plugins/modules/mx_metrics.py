#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mx_metrics
short_description: Manage the timer by which an MX host writes metrics for Prometheus
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Installs, updates, starts or removes a program that a timer of systemd starts, without Ansible. It writes what
    M(mxrelay.postfix.queue_info) and M(mxrelay.postfix.mx_info) tell of a Postfix instance as one file of metrics, for
    the textfile collector of node_exporter. It also is a plugin for Nagios and Icinga.
  - The program is one file in O(config_directory), C(mxrelay-metrics.pyz), with its configuration beside it. It needs
    Python's standard library only, runs as root, and can write nowhere but in O(directory) and to the process file of
    Postfix.
  - No address is in the metrics. Relay domains have time series of their own, up to O(domains) of them.
  - Asks neither DNS nor other hosts, unless O(dns) is true.
  - Fails if the files can't be written, if O(directory) does not exist, or if the first run of the program fails.
requirements:
  - systemd on the host
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.postfix.action_group
attributes:
  diff_mode:
    support: full
    details:
      - Shows the program by its digest.
options:
  state:
    description: Whether the metrics are to be written. V(absent) also removes their file.
    type: str
    choices: [present, absent]
    default: present
  directory:
    description:
      - The directory that node_exporter reads (C(--collector.textfile.directory)). It must exist. The default is the
        one of Debian's prometheus-node-exporter.
    type: path
    default: /var/lib/prometheus/node-exporter
  interval:
    description: How many seconds lie between the starts of two runs, at least 30.
    type: int
    default: 300
  domains:
    description:
      - How many relay domains have time series of their own, the fullest first. The others are one, with the label
        V((other\)), and so are domains that the host does not relay.
    type: int
    default: 1000
  dns:
    description:
      - Whether to ask DNS, and Postfix's tables that lie on other hosts, such as LDAP. The findings are then those of
        M(mxrelay.postfix.mx_info) without a probe.
    type: bool
    default: false
  resolver:
    description: The addresses of the name servers to ask with O(dns=true). By default those of the system.
    type: list
    elements: str
    default: []
  log_megabytes:
    description: As for M(mxrelay.postfix.queue_info), for the estimate of how long the queue takes to drain.
    type: int
    default: 4
  list_max_age:
    description: As for M(mxrelay.postfix.mx_info).
    type: str
    default: 1d
  outage:
    description: As for M(mxrelay.postfix.mx_info).
    type: str
  unproven:
    description: As for M(mxrelay.postfix.mx_info).
    type: str
    choices: [warn, fail]
    default: warn
  accepted:
    description: Findings that you accept, as for M(mxrelay.postfix.mx_info).
    type: list
    elements: dict
    default: []
  thresholds:
    description:
      - For the plugin, the values from which on it warns and is critical, as a list of two numbers for each of
        C(oldest_age) (seconds that a message has waited, by default 3600 and 14400), C(first_bounce) (seconds until the
        first message bounces, by default below 86400 and 21600) and C(free_bytes) (what the queue has left, by default
        below 2147483648 and 1073741824).
    type: dict
    default: {}
seealso:
  - module: mxrelay.postfix.queue_info
  - module: mxrelay.postfix.mx_info
  - name: postqueue(1)
    description: The command that lists the queue.
    link: https://www.postfix.org/postqueue.1.html
"""

EXAMPLES = r"""
- name: Write metrics every minute
  mxrelay.postfix.mx_metrics:
    interval: 60

- name: Remove them
  mxrelay.postfix.mx_metrics:
    state: absent
"""

RETURN = r"""
path:
  description: The file of the metrics.
  type: str
  returned: success
  sample: /var/lib/prometheus/node-exporter/mxrelay.prom
program:
  description: The program. C(mxrelay-metrics.pyz check) prints the line of a Nagios or Icinga plugin.
  type: str
  returned: success
  sample: /etc/postfix/mxrelay-metrics.pyz
unit:
  description: The name of the timer and of the service that it starts, without a suffix.
  type: str
  returned: success
  sample: mxrelay-metrics
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.mx_metrics import METRICS_SPEC, manage_metrics
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(manage_metrics, METRICS_SPEC)


if __name__ == "__main__":
    main()
