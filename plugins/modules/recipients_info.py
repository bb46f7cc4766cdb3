#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: recipients_info
short_description: Report the recipients that a mail host, a file, a directory, a database or an API has
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Reads one source of recipients on the host where it runs, and returns for each domain how many it has, whether it
    has a catch-all, and whether they are all of its recipients.
  - Changes nothing on the host but the file O(dest).
  - Addresses are personal data. They are not in the module's log, result or diff unless O(show_recipients=true).
  - A read is incomplete for a domain if the source says or implies that more addresses are valid than it lists, as with
    a catch-all, C(luser_relay), an empty C(local_recipient_maps), a table that can't be listed, or an entry that is no
    address. RV(domains.why_incomplete) tells the reason.
  - A read fails if the source can't be reached, is empty, is cut, is in another encoding than UTF-8, is an error page,
    or is written while it is read. With O(tell_failure=true) the reason is returned as RV(problem) instead.
extends_documentation_fragment:
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.postfix.action_group
attributes:
  diff_mode:
    support: full
    details:
      - Shows the numbers of addresses in O(dest), and with O(show_recipients=true) the addresses.
requirements:
  - python3-ldap3 on the host, for sources of type V(ldap)
  - python3-psycopg2 on the host, for sources of type V(sql) with the engine V(postgresql)
  - python3-pymysql on the host, for sources of type V(sql) with the engine V(mysql)
options:
  source:
    description:
      - The source. Which of its options can be used is said by its type.
      - An entry is a full address, with or without C(smtp:) before it, or C(@domain) for a catch-all. Entries with
        another prefix, such as C(X500:), are not mail and are ignored.
    type: dict
    required: true
    suboptions:
      type:
        description:
          - V(postfix) is the Postfix of this host, with everything that makes a recipient valid there.
          - V(dovecot) is the Dovecot of this host, with its users.
          - V(file) is a list in a file of this host.
          - V(ldap) is a directory, such as OpenLDAP or Active Directory.
          - V(sql) is a database.
          - V(http) is an API, or a list behind a URL.
        type: str
        choices: [postfix, dovecot, file, ldap, sql, http]
        required: true
      timeout:
        description: After how many seconds without an end, or without an answer, the read has failed.
        type: int
        default: 60
      skip_invalid:
        description:
          - Whether to leave entries out that are no addresses for which Postfix relays mail. They are counted in
            RV(invalid).
          - Otherwise such an entry makes the read incomplete for its domain, or for every domain if it has none.
        type: bool
        default: false
      default_domain:
        description: The domain of entries without one. Not for type V(postfix).
        type: str
      config_directory:
        description:
          - The configuration directory of the Postfix instance, by default C(/etc/postfix).
          - For type V(postfix).
        type: path
      covered:
        description:
          - Lookup tables that can't be listed, such as V(regexp:/etc/postfix/virtual.re), each with the name of another
            source that has its addresses. They don't make the read incomplete.
          - For type V(postfix).
        type: dict
      path:
        description:
          - The path of the list. It must be a regular file whose last line has an end.
          - For type V(file), where it is required.
        type: path
      format:
        description:
          - V(lines) has one entry a line. Blank lines are ignored, and so is everything from a C(#) at the start of a
            line or after white space.
          - V(csv) has the entries in one column; see O(source.column).
          - V(ldif) has them in attributes of entries; see O(source.attributes).
          - V(postmap) is the source of a lookup table, whose keys are the entries.
          - V(json) has them at O(source.addresses) in a document.
          - For type V(file), by default V(lines), and not V(json). For type V(http), by default V(json), or V(csv) or
            V(lines).
        type: str
        choices: [lines, csv, ldif, postmap, json]
      column:
        description:
          - The column of the entries, by its name in the first row; or by its number, the first being V(1), if there is
            no such row. By default V(1).
          - For O(source.format=csv).
        type: str
      delimiter:
        description:
          - The character between two columns, by default a comma.
          - For O(source.format=csv).
        type: str
      attributes:
        description:
          - The attributes that hold addresses, by default C(mail) and C(proxyAddresses).
          - For type V(ldap), and for O(source.format=ldif).
        type: list
        elements: str
      uri:
        description:
          - The directory's address, such as V(ldaps://dc1.customer.example). Plain V(ldap://) is refused without
            O(source.start_tls), except to the host itself.
          - For type V(ldap), where it is required.
        type: str
      start_tls:
        description:
          - Whether to begin TLS on a connection of V(ldap://), by default V(false). The certificate is checked.
          - For type V(ldap).
        type: bool
      ca_file:
        description:
          - The certificates of the authorities to trust, as a file in PEM format. By default those of the host.
          - For types V(ldap), V(sql) and V(http).
        type: path
      bind_dn:
        description:
          - Who to log in as, with O(source.bind_password). By default nobody (an anonymous bind).
          - For type V(ldap).
        type: str
      bind_password:
        description:
          - The password for O(source.bind_dn).
          - For type V(ldap).
        type: str
      bases:
        description:
          - Where to search, one or more distinguished names, as a list or one a line.
          - For type V(ldap), where it is required.
        type: raw
      filter:
        description:
          - The entries to search for, by default those that have one of O(source.attributes).
          - For type V(ldap).
        type: str
      page_size:
        description:
          - How many entries to ask for at once, by default V(500).
          - For type V(ldap).
        type: int
      engine:
        description:
          - The kind of database.
          - For type V(sql), where it is required.
        type: str
        choices: [sqlite, postgresql, mysql]
      database:
        description:
          - The name of the database, or the path of the file with O(source.engine=sqlite).
          - For type V(sql), where it is required.
        type: str
      server:
        description:
          - The host of the database, or the path of its socket.
          - For type V(sql).
        type: str
      port:
        description:
          - The port of the database.
          - For type V(sql).
        type: int
      user:
        description:
          - Who to log in as.
          - For type V(sql).
        type: str
      password:
        description:
          - The password for O(source.user).
          - For type V(sql).
        type: str
      query:
        description:
          - A query that begins with C(SELECT) or C(WITH). The first column of its rows is the entry.
          - For type V(sql), where it is required.
        type: str
      url:
        description:
          - The address of the document. Plain V(http://) is refused, except to the host itself.
          - For type V(http), where it is required.
        type: str
      addresses:
        description:
          - Where the entries are in the document, such as V(value[].mail) or V(value[].proxyAddresses[]). One place or
            a list of them.
          - For O(source.format=json), where it is required.
        type: raw
      headers:
        description:
          - Headers of the request, each with its value. They are never shown.
          - For type V(http).
        type: dict
      token:
        description:
          - A bearer token that is sent with each request.
          - For type V(http).
        type: str
      login:
        description:
          - Where to get the token from. The C(form) is sent to C(url) by POST, and C(access_token) is taken from the
            answer. It is never shown.
          - For type V(http).
        type: dict
      next_link:
        description:
          - Where the document has the URL of the next page, such as V(@odata.nextLink).
          - For O(source.format=json).
        type: str
      next_token:
        description:
          - C(place) is where the document has the token of the next page, and C(parameter) the name under which it is
            sent.
          - For O(source.format=json).
        type: dict
  domains:
    description:
      - The domains to report on. One that the source does not know has a RV(domains.count) of 0.
      - By default every domain that the source knows.
    type: list
    elements: str
    default: []
  dest:
    description:
      - A file of the host to write the addresses of O(domains) to, one a line, in one step. It belongs to the user who
        runs the module, and nobody else can read it. Catch-alls are not in it.
    type: path
  show_recipients:
    description: Whether to return the addresses, and to show them in the diff.
    type: bool
    default: false
  tell_failure:
    description: Whether a read that fails is told by RV(problem) instead of failing the task.
    type: bool
    default: false
  _collect:
    description:
      - Has the addresses brought to the controller, for tasks of this collection; not for playbooks. The result has
        C(lists), the path on the controller of each domain's list.
    type: raw
seealso:
  - module: mxrelay.postfix.relay_recipients
  - name: LOCAL_RECIPIENT_README
    description: How Postfix rejects unknown local recipients.
    link: https://www.postfix.org/LOCAL_RECIPIENT_README.html
  - name: ADDRESS_CLASS_README
    description: Which lists decide about the recipients of a domain.
    link: https://www.postfix.org/ADDRESS_CLASS_README.html
"""

EXAMPLES = r"""
- name: Count the recipients that a Postfix mail host takes
  mxrelay.postfix.recipients_info:
    source:
      type: postfix
  delegate_to: mail.customer.example
  register: recipients

- name: Show the domains for which its list is not everything
  ansible.builtin.debug:
    msg: "{{ recipients.domains | dict2items | rejectattr('value.complete') | map(attribute='key') }}"

- name: Write the addresses of a domain in Active Directory to a file
  mxrelay.postfix.recipients_info:
    source:
      type: ldap
      uri: ldaps://dc1.customer.example
      bind_dn: CN=mx,OU=Services,DC=customer,DC=example
      bind_password: "{{ vaulted_bind_password }}"
      bases:
        - DC=customer,DC=example
      filter: (&(objectCategory=person)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))
    domains: [customer.example]
    dest: /root/customer.example.recipients
"""

RETURN = r"""
domains:
  description: The domains, by name.
  returned: success
  type: dict
  contains:
    count:
      description: The number of addresses.
      type: int
    catch_all:
      description: Whether the source takes every address of the domain.
      type: bool
    complete:
      description: Whether the addresses are all that the source takes.
      type: bool
    why_incomplete:
      description: Why they are not, and what to do about it; empty if they are.
      type: str
    digest:
      description: A digest of the addresses, whatever their order.
      type: str
  sample:
    customer.example:
      count: 212
      catch_all: false
      complete: true
      why_incomplete: ""
      digest: 5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9
undeclared:
  description: The other domains that the source has, each with its number of addresses.
  returned: success and O(domains) is given
  type: dict
  sample:
    other.example: 3
count:
  description: The number of all addresses that the source has.
  returned: success
  type: int
  sample: 215
digest:
  description: A digest of all addresses and catch-alls, whatever their order.
  returned: success
  type: str
  sample: 6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b
invalid:
  description: The number of entries that were left out, since they are no addresses for which Postfix relays mail.
  returned: success
  type: int
  sample: 0
complete:
  description: Whether the read is complete for each of RV(domains).
  returned: success
  type: bool
  sample: true
read_at:
  description: When the source was read, in UTC.
  returned: success
  type: str
  sample: "2026-01-31T09:00:00Z"
problem:
  description: Why the read failed; empty if it did not.
  returned: success
  type: str
  sample: ""
lacks:
  description: The package that the host lacks for the read.
  returned: if that is the RV(problem)
  type: str
  sample: python3-ldap3
recipients:
  description: The addresses of RV(domains).
  returned: success and O(show_recipients=true)
  type: list
  elements: str
  sample: [alice@customer.example]
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.recipients_info import (
    RECIPIENTS_SPEC,
    recipients_info,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(recipients_info, RECIPIENTS_SPEC)


if __name__ == "__main__":
    main()
