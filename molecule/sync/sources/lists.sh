#!/bin/sh
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Files, a database that is one, and what the HTTP server has: a hundred users of each domain.
set -eu
install -d /etc/sources/people
cd /etc/sources
for name in empty cut encoding csv changing users sqlite mailcow graph google short secure; do
    seq -f "user%.0f@$name.example" 100 > people/$name
done
cp people/empty people/changing .
sed 's/$/ mailbox/' people/cut > cut
awk '{ printf "dn: uid=user%d,dc=example\nmail: %s\n\n", NR, $0 }' people/encoding > encoding.ldif
{ echo name,address; sed 's/.*/somebody,&/' people/csv; } > people.csv
sqlite3 recipients.sqlite3 'CREATE TABLE recipients (address text)' '.import people/sqlite recipients'
