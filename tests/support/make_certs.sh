#!/bin/sh
# Makes certificates for tests in the folder $1: a CA (ca.pem), and signed by it valid, expired and
# wrong-name, and client by the authority "between", which it has signed (client-chain.pem);
# other-valid is signed by other-ca, self-signed by nobody. Each NAME.pem has its NAME.key;
# encrypted.key is client's with a passphrase.
set -eu
cd "$1"
exec 2>make_certs.log

key() {
    openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
}

# sign NAME EXTENSION START END [AUTHORITY]
sign() {
    key "$1"
    openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
    printf '%s\n' "$2" >"$1.ext"
    openssl ca -batch -config ca.cnf -in "$1.csr" -out "$1.pem" -extfile "$1.ext" -notext \
        -startdate "$3" -enddate "$4" -cert "${5:-ca}.pem" -keyfile "${5:-ca}.key"
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
for name in ca other-ca; do
    key $name
    openssl req -x509 -config ca.cnf -new -key $name.key -subj "/CN=herald test $name" -days 3650 \
        -out $name.pem
done
here="subjectAltName=DNS:localhost,IP:127.0.0.1"
from=20200101000000Z
to=20491231000000Z
sign valid "$here" $from $to
sign expired "$here" $from 20210101000000Z
sign wrong-name "subjectAltName=DNS:other.example,IP:192.0.2.1" $from $to
sign other-valid "$here" $from $to other-ca
sign between "basicConstraints=critical,CA:TRUE" $from $to
sign client "extendedKeyUsage=clientAuth" $from $to between
cat client.pem between.pem >client-chain.pem
openssl pkey -in client.key -aes256 -passout pass:secret -out encrypted.key
key self-signed
openssl req -x509 -config ca.cnf -new -key self-signed.key -subj "/CN=localhost" -days 3650 \
    -addext "$here" -out self-signed.pem
