#!/bin/sh
# Makes certificates for tests in the folder $1: a CA (ca.pem), and signed by it valid, expired and
# wrong-name; self-signed is signed by nobody. Each NAME.pem has its NAME.key.
set -eu
cd "$1"
exec 2>make_certs.log

key() {
    openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
}

# sign NAME SUBJECT-ALT-NAMES START END
sign() {
    key "$1"
    openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
    printf 'subjectAltName=%s\n' "$2" >"$1.ext"
    openssl ca -batch -config ca.cnf -in "$1.csr" -out "$1.pem" -extfile "$1.ext" -notext \
        -startdate "$3" -enddate "$4"
}

cat >ca.cnf <<'CNF'
[ca]
default_ca = tests
[tests]
dir = .
database = index.txt
new_certs_dir = .
serial = serial
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
x509_extensions = authority
[name]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
CNF
: >index.txt
echo 01 >serial
key ca
openssl req -x509 -config ca.cnf -new -key ca.key -subj "/CN=herald test CA" -days 3650 -out ca.pem
sign valid "DNS:localhost,IP:127.0.0.1" 20200101000000Z 20491231000000Z
sign expired "DNS:localhost,IP:127.0.0.1" 20200101000000Z 20210101000000Z
sign wrong-name "DNS:other.example,IP:192.0.2.1" 20200101000000Z 20491231000000Z
key self-signed
openssl req -x509 -config ca.cnf -new -key self-signed.key -subj "/CN=localhost" -days 3650 \
    -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" -out self-signed.pem
