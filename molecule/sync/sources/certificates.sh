#!/bin/sh
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# An authority, and two certificates for this host: one that holds, and one that has expired.
set -eu
install -d /etc/sources
cd /etc/sources
openssl req -quiet -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=Authority of the lab' \
    -addext keyUsage=critical,keyCertSign -keyout ca.key -out ca.crt
for name in server expired; do
    dates='-days 30'
    [ $name = server ] || dates='-not_before 20200101000000Z -not_after 20200201000000Z'
    # shellcheck disable=SC2086
    openssl req -quiet -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes $dates -subj "/CN=$(hostname)" \
        -addext "subjectAltName=DNS:$(hostname)" -addext basicConstraints=CA:false \
        -addext keyUsage=critical,digitalSignature -CA ca.crt -CAkey ca.key -keyout $name.key -out $name.crt
done
chmod 644 server.key expired.key
