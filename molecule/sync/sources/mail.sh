#!/bin/sh
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Postfix, the mail host of every domain, and Dovecot.
set -eu
sed 's/$/:::::::/' /etc/sources/people/users > /etc/sources/users
cat > /etc/dovecot/dovecot.conf <<CONF
dovecot_config_version = 2.4.1
dovecot_storage_version = 2.4.1
protocols =
ssl = no
passdb passwd-file {
  passwd_file_path = /etc/sources/users
}
userdb passwd-file {
  passwd_file_path = /etc/sources/users
}
CONF
cd /etc/postfix
seq -f 'user%.0f@mailbox.example mailbox' 100 > mailboxes
echo 'sales@mailbox.example user1@mailbox.example' > virtual
printf 'postmaster: root\nhelp: root\n' > /etc/aliases
cat > recipients.cf <<CONF
dbpath = /etc/sources/recipients.sqlite3
query = SELECT 1 FROM recipients WHERE address = '%s'
CONF
postconf -e "myhostname = $(hostname)" 'mydestination = local.example, localhost' inet_interfaces=all inet_protocols=ipv4 \
    mynetworks=127.0.0.0/8 compatibility_level=3.6 'virtual_mailbox_domains = mailbox.example, sqlite.example' \
    virtual_alias_maps=hash:/etc/postfix/virtual virtual_mailbox_base=/srv/mail \
    'virtual_mailbox_maps = hash:/etc/postfix/mailboxes, sqlite:/etc/postfix/recipients.cf'
postconf -F '*/*/chroot=n'
postmap hash:mailboxes hash:virtual
postalias hash:/etc/aliases
systemctl start dovecot postfix
