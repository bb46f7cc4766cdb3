#!/bin/sh
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A directory of 3,000 people in two bases, each with mail and with proxyAddresses as Active Directory has them. Nobody gets
# more than 500 entries at once.
set -eu
top=dc=directory,dc=example
rm -rf /etc/ldap/slapd.d /var/lib/ldap/*
install -d -o openldap -g openldap -m 750 /etc/ldap/slapd.d /var/lib/ldap
slapadd -n 0 -F /etc/ldap/slapd.d <<LDIF
dn: cn=config
objectClass: olcGlobal
cn: config
olcTLSCertificateFile: /etc/sources/server.crt
olcTLSCertificateKeyFile: /etc/sources/server.key

dn: cn=module{0},cn=config
objectClass: olcModuleList
cn: module{0}
olcModulePath: /usr/lib/ldap
olcModuleLoad: back_mdb

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

include: file:///etc/ldap/schema/core.ldif
include: file:///etc/ldap/schema/cosine.ldif
include: file:///etc/ldap/schema/inetorgperson.ldif

dn: cn=activedirectory,cn=schema,cn=config
objectClass: olcSchemaConfig
cn: activedirectory
olcAttributeTypes: ( 1.2.840.113556.1.2.210 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
olcObjectClasses: ( 1.2.840.113556.1.5.9999 NAME 'recipient' SUP top AUXILIARY MAY ( mail $ proxyAddresses ) )

dn: olcDatabase={1}mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: {1}mdb
olcSuffix: $top
olcRootDN: cn=admin,$top
olcRootPW: admin
olcDbDirectory: /var/lib/ldap
olcSizeLimit: size.soft=500 size.hard=500 size.pr=500 size.prtotal=unlimited
olcAccess: to attrs=userPassword by anonymous auth
olcAccess: to * by dn.exact="cn=reader,$top" read
LDIF
{
    printf 'dn: %s\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: directory\n\n' $top
    printf 'dn: cn=reader,%s\nobjectClass: person\ncn: reader\nsn: reader\nuserPassword: let me read\n\n' $top
    printf "dn: ou=%s,$top\nobjectClass: organizationalUnit\n\n" people branch
    seq 3000 | awk -v top=$top '{
        unit = $1 % 2 ? "people" : "branch"
        domain = $1 % 2 ? "directory.example" : "branch.example"
        printf "dn: uid=user%d,ou=%s,%s\nobjectClass: inetOrgPerson\nobjectClass: recipient\n", $1, unit, top
        printf "cn: User\nsn: %d\nmail: User%d@%s\nproxyAddresses: SMTP:user%d@%s\n", $1, $1, domain, $1, domain
        printf "proxyAddresses: smtp:u%d@%s\nproxyAddresses: SIP:s%d@%s\n", $1, domain, $1, domain
        printf "proxyAddresses: X500:/o=Example/cn=user%d\n\n", $1
    }'
} | slapadd -q -n 1 -F /etc/ldap/slapd.d
chown -R openldap:openldap /etc/ldap/slapd.d /var/lib/ldap
sed -i 's|^SLAPD_SERVICES=.*|SLAPD_SERVICES="ldap:/// ldaps:/// ldapi:///"|' /etc/default/slapd
systemctl start slapd
