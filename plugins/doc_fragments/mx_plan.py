# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from meta/settings.yml by ./run generate; change it there.

from __future__ import annotations


class ModuleDocFragment:
    """The options of mx_plan that the roles hand over."""

    DOCUMENTATION = r"""
options:
  domains:
    description:
      - The mail domains. A domain that is no longer listed stays and is reported; set O(domains[].state=absent) to
        remove it.
      - An item that has nothing but a name can be that name; such items can be a text with one a line.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - The mail domain.
        type: str
        required: true
      role:
        description:
          - Whether this host is the domain's primary (gateway) or a secondary (backup) MX.
        type: str
        choices: [primary, secondary]
      state:
        description:
          - V(present), or empty, relays the domain.
          - V(absent) removes the domain's own rows and list members. Host-wide parameters stay.
        type: str
        default: present
        choices: [present, absent]
      recipients:
        description:
          - The domain's valid addresses, as a list or as a text with one a line.
        type: list
        elements: str
      recipients_file:
        description:
          - Files on the controller with the domain's valid addresses, one per line; C(#) starts a comment.
          - A relative path is looked for beside the inventory and its files of variables, then beside the playbook and
            its files of variables, then in C(files) beside the playbook, then in the working directory.
        type: list
        elements: str
      recipients_from:
        description:
          - Names of sources of recipients. Their addresses of the domain are valid, beside those in
            O(domains[].recipients) and O(domains[].recipients_file).
          - If one of them can't be read or believed, the domain keeps the list that it has, and the run fails at its
            end. A domain without a list yet is refused.
          - Not used with V(any) and V(verify).
        type: list
        elements: str
      recipients_policy:
        description:
          - V(listed), the default if there is a list, accepts only the listed addresses.
          - V(any) accepts every address of the domain; mail for addresses that do not exist bounces.
          - V(verify) accepts every address that the domain's mail host accepts, and any address while it can't be
            asked.
          - V(external) leaves the rows to another map, a synchronisation or other people.
          - Empty means not given.
        type: str
        choices: [listed, any, verify, external]
      probe_recipient:
        description:
          - With O(domains[].recipients_policy=external), an address that C(relay_recipient_maps) must contain.
        type: str
      subdomains:
        description:
          - Also relay for the domain's subdomains. O(domains[].recipients_policy=listed) accepts only their listed
            addresses; V(any) and V(verify) need no list.
        type: bool
        default: false
      force:
        description:
          - With O(domains[].state=absent), remove the domain even if DNS still names this host as its MX.
        type: bool
        default: false
      waiting_mail:
        description:
          - With O(domains[].state=absent), what to do if mail for the domain waits in the queue and would lose its way
            to the mail host.
          - V(refuse) refuses the removal until the mail is delivered; see M(mxrelay.postfix.queue_flush).
          - With the others nothing more is accepted for the domain. V(keep) leaves the mail its transport row, which
            the first run after it is delivered or has expired removes. V(flush) retries the mail for up to a minute
            before the domain goes, and then does as V(keep) with what is left. V(bounce) removes the domain and then
            returns the mail to its senders, after one more try, from Postfix 3.5 on; see
            M(mxrelay.postfix.queue_bounce). Where O(domains[].refused_mail) keeps reports from strangers, it keeps
            these as well.
        type: str
        default: refuse
        choices: [refuse, keep, flush, bounce]
      refused_mail:
        description:
          - What becomes of mail that this host has accepted, and that the mail host then refuses for good, or that
            can't be delivered until it expires.
          - V(bounce) returns it to its sender, as Postfix does, which for spam is a stranger. V(postmaster) sends the
            report, with the whole message, to the postmaster of this host, or to the address that the setting
            C(refused_mail_to) names. V(hold) keeps it in the hold queue, until M(mxrelay.postfix.queue_release)
            releases or deletes it.
          - With one such domain the senders of the host's other domains are no longer offered delivery status
            notifications (DSN) either.
        type: str
        default: bounce
        choices: [bounce, postmaster, hold]
      refused_mail_retry:
        description:
          - Keep trying to deliver mail that the mail host refuses for good, until it expires, so that it arrives once
            the mail host takes it. Not with O(domains[].refused_mail=bounce). From Postfix 3.0 on.
        type: bool
        default: false
      standby:
        description:
          - Put strangers off (450) while a better MX host of the domain answers, and accept mail at once when none
            does. Unknown recipients are refused as always. Empty means the setting C(standby).
          - A service of the collection asks the better MX hosts, by systemd and from Postfix 3.0 on. Whenever it can't
            tell, mail is accepted.
          - Not for a domain of which this host is the primary MX.
        type: bool
      etrn_from:
        description:
          - The addresses and networks from which alone the domain's queue may be asked for by ETRN, such as those of
            its mail host, which then gets what waits for it as soon as it is back. From Postfix 3.0 on.
          - Nobody else's ETRN for the domain, or below it, is obeyed any more, also not that of your own networks.
            Empty means that the setting C(etrn_restrictions) decides.
        type: list
        elements: str
      mail_host:
        description:
          - The host with the domain's mailboxes, by name or address.
          - With several, as a list or as a text with one a line, mail goes to the first that can be reached; a host
            that refuses a message for good has the last word. From Postfix 3.5 on.
          - Each can have a port of its own, as C([host]:port). Required with O(domains[].role=primary).
        type: list
        elements: str
      port:
        description:
          - The port of O(domains[].mail_host), 25 if not given.
        type: int
      mx_lookup:
        description:
          - Deliver to the MX hosts of O(domains[].mail_host) instead of to its own addresses.
        type: bool
        default: false
      has_list:
        description:
          - Whether the item has a list. Set by the action plugin; not for playbooks.
        type: bool
        default: false
      recipients_count:
        description:
          - The number of addresses in the list. Set by the action plugin; not for playbooks.
        type: int
        default: 0
      recipients_digest:
        description:
          - A digest of the addresses without those of postmaster and abuse. Set by the action plugin; not for
            playbooks.
        type: str
      lists_postmaster:
        description:
          - Whether the postmaster's address is in the list. Set by the action plugin; not for playbooks.
        type: bool
        default: false
      lists_abuse:
        description:
          - Whether the address of abuse is in the list. Set by the action plugin; not for playbooks.
        type: bool
        default: false
      follows:
        description:
          - Whether the list is what sources say. Set by the action plugin; not for playbooks.
        type: bool
        default: false
      kept:
        description:
          - Why the domain keeps the list that it has, as a source can't be believed; empty if it does not. Set by the
            action plugin; not for playbooks.
        type: str
      awaits:
        description:
          - The library that a run installs, and where, before the sources of the domain can be read; for check mode.
            Set by the action plugin; not for playbooks.
        type: str
  settings:
    description:
      - Settings of the whole host, which are variables of the roles; here without the name of a role.
    type: dict
    suboptions:
      recipient_check:
        description:
          - V(table) accepts the recipients in C(relay_recipient_maps).
          - V(none) sets C(relay_recipient_maps) to empty, so every recipient of every relay domain is accepted.
          - Empty means V(table).
        type: str
        choices: [table, none]
      proxy_interfaces:
        description:
          - The addresses at which the world reaches this host, if it is behind NAT or a proxy. A name must resolve on
            the host.
        type: list
        elements: str
      inet_interfaces:
        description:
          - The value of C(inet_interfaces), such as V(all) if the system's default is the loopback interface only.
            Empty leaves it unchanged.
        type: str
      table_type:
        description:
          - The type of the lookup tables, such as V(lmdb). Empty means the type of the table that C(main.cf) already
            names, or else Postfix's default.
        type: str
      table_directory:
        description:
          - The directory of the lookup tables, which must exist. Empty means the directory of the table that C(main.cf)
            already names, or else O(settings.config_directory).
        type: path
      config_directory:
        description:
          - The configuration directory of the Postfix instance.
          - Empty means O(config_directory), the option of the module itself.
        type: path
      queue_lifetime:
        description:
          - How long mail waits in the queue before it is returned, as a Postfix time value such as V(10d), V(100d) at
            the most. Without a unit, days are meant. Empty leaves it unchanged.
        type: str
      bounce_lifetime:
        description:
          - How long a report of mail that could not be delivered waits in the queue before it is given up, as a Postfix
            time value (C(bounce_queue_lifetime)). Without a unit, days are meant. What is longer than
            C(maximal_queue_lifetime) counts as that. Empty leaves it unchanged.
        type: str
      delay_warning:
        description:
          - After how long the sender of mail that waits is told so, as a Postfix time value (C(delay_warning_time));
            V(0h) tells nobody. Without a unit, hours are meant. Empty leaves it unchanged.
        type: str
      refused_mail_to:
        description:
          - The address that gets the reports of the domains with O(domains[].refused_mail=postmaster). Empty means
            postmaster at a domain of this host's own, C(localhost) if that is one.
        type: str
      certificate:
        description:
          - The certificate that this host shows to other mail servers, as C(chain), the path on the host of a PEM file
            with the certificate of this host and then those that issued it, and C(key), the path of the file with its
            key.
          - TLS is then offered to all senders and demanded of none. A certificate that is broken, out of date or for
            another name is refused before it goes live. Each run sees whether Postfix shows what is in the files, and
            has it read them again if not.
          - Empty leaves TLS with senders unchanged.
        type: dict
      mail_host_tls:
        description:
          - TLS to the mail hosts, on the service that delivers mail for relay domains.
          - V(may) encrypts if the mail host offers it. V(dane) enforces the TLSA records of the mail host, and without
            any encrypts if possible. V(secure) delivers only to a mail host with a valid certificate; until then mail
            waits. V(none) sends in plain text.
          - Empty means V(may) if C(smtp_tls_security_level) is not set, or if only C(main.cf) demands TLS, and
            otherwise leaves it unchanged.
        type: str
        choices: [none, may, dane, secure]
      mail_host_concurrency:
        description:
          - How many messages go to one mail host at a time (C(relay_destination_concurrency_limit)). Empty leaves it
            unchanged.
        type: str
      message_size_limit:
        description:
          - The largest message to accept, in bytes, 65536 or more; V(0) means no limit. It should not exceed what the
            mail hosts accept. Empty leaves it unchanged.
        type: str
      limits:
        description:
          - What one client may do, so that a stranger who floods this host does not keep others out. V(0) is no limit;
            an option that is not given leaves the parameter unchanged.
          - C(connections) is how many it may have at once, 20 or more (C(smtpd_client_connection_count_limit)).
          - C(connections_per_minute) is how many it may begin, 60 or more (C(smtpd_client_connection_rate_limit)).
          - C(messages_per_minute) is 60 or more (C(smtpd_client_message_rate_limit)).
          - C(recipients_per_minute) is 500 or more (C(smtpd_client_recipient_rate_limit)).
          - C(errors) is how many end a connection, from 10 on (C(smtpd_hard_error_limit)); never V(0).
          - The addresses of the mail hosts and of the domains' other MX hosts, as far as DNS has them in this run, are
            excepted beside what C(smtpd_client_event_limit_exceptions) excepts already. So DNS is asked about every
            declared domain.
        type: dict
      relay_restrictions:
        description:
          - The complete value of C(smtpd_relay_restrictions). Restrictions that would let a stranger relay are refused.
          - Empty leaves it unchanged, except that C(defer_unauth_destination) as the last member becomes
            C(reject_unauth_destination).
        type: list
        elements: str
      client_restrictions:
        description:
          - The complete value of C(smtpd_client_restrictions), which decides who may connect. Empty leaves it
            unchanged.
        type: list
        elements: str
      etrn_restrictions:
        description:
          - The complete value of C(smtpd_etrn_restrictions), which decides who may request a domain's queue. Empty
            means V(permit_mynetworks) and V(reject) if main.cf sets none, and otherwise leaves it unchanged.
          - Domains with C(etrn_from) are not judged by it.
        type: list
        elements: str
      load_balancers:
        description:
          - A port at which load balancers hand over connections by the PROXY protocol, so that mail is judged and
            logged by the address that the client has. A mapping of C(addresses), from which the balancers connect, and
            C(port), such as V(2525), which nothing else may use.
          - The service there is like the one at port 25, but grants nothing by a client's address. Postfix can't tell
            who connects to it, so let a firewall keep all but the balancers from that port.
          - Not given, it leaves everything unchanged. With an empty list of C(addresses) the service at C(port) is
            removed.
        type: dict
      postscreen:
        description:
          - Has C(postscreen) meet strangers at port 25 and hand those that pass its tests to C(smtpd); see the guide on
            the front door. A mapping of C(mode) and C(dnsbl_sites).
          - With C(mode) V(log) every client gets in, and the log says who would not. V(enforce) refuses clients that
            talk before they are greeted, and those that the DNSBL sites list. V(off) takes back what a run has set.
          - The members of C(dnsbl_sites) are as in C(postscreen_dnsbl_sites), such as V(bl.example*2). Without any the
            value in C(main.cf) holds.
          - Not given, it leaves everything unchanged.
        type: dict
      smtputf8:
        description:
          - Whether to accept mail with non-ASCII addresses (C(smtputf8_enable)); the mail hosts must accept it too.
          - Empty leaves it unchanged.
        type: bool
      ipv6:
        description:
          - Whether to use IPv6 as well as IPv4 (C(inet_protocols) V(all)), or IPv4 only.
          - Empty leaves it unchanged.
        type: bool
      postmaster:
        description:
          - Accept mail for C(postmaster) at each domain that has a list.
          - Empty means V(true).
        type: bool
      recipient_delimiter:
        description:
          - The characters behind which a recipient may put a word of his own, such as V(+) for C(user+word)
            (C(recipient_delimiter)). Such mail is accepted for each C(user) who is a valid recipient, and goes to the
            mail host as it is, which must know the same characters.
          - V(none) means no character. Empty leaves it unchanged.
        type: str
      abuse:
        description:
          - Accept mail for C(abuse) at each domain that has a list.
          - Empty means V(false).
        type: bool
      standby:
        description:
          - Whether domains of which this host is a secondary MX have C(standby) unless they say otherwise.
          - Empty means V(false).
        type: bool
      undeclared_domains:
        description:
          - What to do if the host relays other domains while C(relay_recipient_maps) is empty, as a first table would
            refuse all their recipients.
          - V(refuse) stops before anything changes. V(any) adds a wildcard row for each of them.
          - Empty means V(refuse).
        type: str
        choices: [refuse, any]
      list_max_age:
        description:
          - How old a list that follows sources may get before it is a finding, as a Postfix time value.
          - Empty means V(1d).
        type: str
      max_removals:
        description:
          - How many addresses a run may remove from the table of recipients because they are no longer in the lists of
            their domains, as a number or as a percentage of the table's entries. A percentage also holds for the list
            of each domain. A run that would remove more, as with a list that was cut, is refused.
          - A domain with O(domains[].state=absent) or another policy, and one that O(settings.remove_undeclared)
            removes, does not count.
          - A domain with O(domains[].recipients_from) has the limit for itself. It keeps its list if more would go,
            while others change, and the run fails at its end.
          - Empty means V(10%), but ten addresses may always go, or one of a domain with O(domains[].recipients_from).
            V(100%) lets all go.
        type: str
      remove_undeclared:
        description:
          - Stop relaying domains that no role declares.
          - Empty means V(false).
        type: bool
      manage_package:
        description:
          - Install Postfix, and the packages that its tables and the checks need, if missing.
          - Empty means V(true).
        type: bool
      manage_service:
        description:
          - Start, enable, and reload or restart the service.
          - Empty means V(true).
        type: bool
      verify:
        description:
          - Verify the result at the end of the run.
          - If nothing would change, the module returns the findings of M(mxrelay.postfix.mx_info) for the declared
            domains, so it need not be run. Empty means V(true).
        type: bool
      unproven:
        description:
          - What the finding C(relay_unproven) is, which names a place that cannot be shown to keep strangers from
            relaying.
          - V(warn) makes it a warning. V(fail) makes it an error, and refuses a run that would leave it.
          - Empty means V(warn).
        type: str
        choices: [warn, fail]
      accepted:
        description:
          - Findings that you have looked at and accept. Each item has the C(check) and the C(subject) of the finding
            (its domain, if it has no subject), the C(reason), and, if it is not for good, the day C(until) which it
            holds, such as 2026-12-31.
          - An accepted finding is shown with its reason and fails nothing. A proven opening can't be accepted.
        type: list
        elements: dict
      verify_fail_on:
        description:
          - The scopes whose errors fail the play. Other findings are shown as warnings.
          - A list, or a text with commas, blanks or line ends between them.
          - With V(dns) or V(remote), O(settings.verify) asks DNS about every domain, which takes about a second for
            some hundred of them. Empty means V(local).
        type: list
        elements: str
        choices: [local, dns, remote]
      ended_run:
        description:
          - The record of a run that was killed, by the name that the refusal C(other_run) gives it. That run then
            counts as over at once, not only an hour after it began. Every other run is waited for as before.
          - Make sure that it does not go on anywhere, as two runs at once would take each other's changes back.
        type: str
      fail_on_drift:
        description:
          - Whether a run in check mode fails if it would change something, which a scheduled job shows as a failure.
          - Empty means V(false).
        type: bool
"""
