#!/bin/sh
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PostgreSQL with PostfixAdmin's tables and MariaDB with ISPConfig's: the columns that decide who gets mail.
set -eu
for owner in postgres mysql; do
    install -d -o $owner -m 700 /etc/sources/$owner
    install -o $owner -m 600 /etc/sources/server.key /etc/sources/server.crt /etc/sources/$owner
done
cd /etc/postgresql/*/main
cat > conf.d/sources.conf <<CONF
listen_addresses = '*'
ssl_cert_file = '/etc/sources/postgres/server.crt'
ssl_key_file = '/etc/sources/postgres/server.key'
CONF
echo 'hostssl all reader all scram-sha-256' >> pg_hba.conf
cat > /etc/mysql/mariadb.conf.d/99-sources.cnf <<CONF
[mariadbd]
bind_address = 0.0.0.0
ssl_cert = /etc/sources/mysql/server.crt
ssl_key = /etc/sources/mysql/server.key
CONF
systemctl start postgresql mariadb
cd /
runuser -u postgres -- psql -q -v ON_ERROR_STOP=1 <<SQL
CREATE ROLE reader LOGIN PASSWORD 'let me read';
CREATE DATABASE postfixadmin;
\connect postfixadmin
CREATE TABLE domain (domain text PRIMARY KEY, backupmx boolean, active boolean);
CREATE TABLE alias (address text PRIMARY KEY, goto text, domain text, active boolean);
INSERT INTO domain VALUES ('postgres.example', false, true), ('closed.example', false, false);
INSERT INTO alias SELECT address, address, 'postgres.example', true
    FROM (SELECT 'user' || n || '@postgres.example' AS address FROM generate_series(1, 100) n) AS people;
INSERT INTO alias VALUES ('left@postgres.example', '', 'postgres.example', false),
    ('user1@closed.example', '', 'closed.example', true);
GRANT SELECT ON domain, alias TO reader;
SQL
mariadb --skip-ssl <<SQL
CREATE DATABASE dbispconfig;
CREATE USER reader@'%' IDENTIFIED BY 'let me read' REQUIRE SSL;
GRANT SELECT ON dbispconfig.* TO reader@'%';
USE dbispconfig
CREATE TABLE mail_user (email varchar(255), postfix enum('y','n'));
CREATE TABLE mail_forwarding (source varchar(255), type enum('alias','aliasdomain','forward','catchall'), active enum('n','y'));
INSERT INTO mail_user SELECT CONCAT('user', seq, '@mariadb.example'), 'y' FROM seq_1_to_100;
INSERT INTO mail_user VALUES ('left@mariadb.example', 'n');
INSERT INTO mail_forwarding VALUES ('sales@mariadb.example', 'alias', 'y'), ('old@mariadb.example', 'alias', 'n');
SQL
