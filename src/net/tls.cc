#include "net/tls.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <boost/asio/ip/address.hpp>

#include "core/pem.h"

namespace herald {

namespace {

// OpenSSL's own socket BIO uses write(), which ends the process with SIGPIPE when the receiver
// has gone; this one uses send() with MSG_NOSIGNAL.

// It also counts: OpenSSL reads over handshake messages that mean nothing as long as there are
// more, and would hold the loop for a receiver that sends nothing else.

/// The longest handshake: OpenSSL takes 100 KiB of certificates.
constexpr std::size_t handshake_bytes = std::size_t{256} * 1024;
/// What one call may read; then others have their turn.
constexpr std::size_t turn_bytes = std::size_t{256} * 1024;

TlsStream::Wire& wire_of(BIO* bio) { return *static_cast<TlsStream::Wire*>(BIO_get_data(bio)); }

bool is_retry(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

int bio_write(BIO* bio, const char* data, int size) {
    BIO_clear_retry_flags(bio);
    const auto n = ::send(wire_of(bio).socket, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (n < 0 && is_retry(errno)) BIO_set_retry_write(bio);
    return static_cast<int>(n);
}

int bio_read(BIO* bio, char* data, int size) {
    BIO_clear_retry_flags(bio);
    TlsStream::Wire& wire = wire_of(bio);
    if (wire.left == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    const auto most = std::min(wire.left, static_cast<std::size_t>(size));
    const auto n = ::recv(wire.socket, data, most, 0);
    if (n > 0) wire.left -= static_cast<std::size_t>(n);
    if (n < 0 && is_retry(errno)) BIO_set_retry_read(bio);
    if (n == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return static_cast<int>(n);
}

long bio_ctrl(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_FLUSH) return 1;
    if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    return 0;
}

int bio_create(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
}

const BIO_METHOD* socket_method() {
    static BIO_METHOD* const method = [] {
        BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "herald");
        BIO_meth_set_write(made, bio_write);
        BIO_meth_set_read(made, bio_read);
        BIO_meth_set_ctrl(made, bio_ctrl);
        BIO_meth_set_create(made, bio_create);
        return made;
    }();
    return method;
}

bool is_address(const std::string& host) {
    boost::system::error_code error;
    boost::asio::ip::make_address(host, error);
    return !error;
}

/// Who the certificate must be for, and the name the receiver is asked for.
void name_peer(SSL* ssl, const std::string& host, bool verify) {
    const std::string name = host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
    const bool address = is_address(name);
    if (!address) SSL_set_tlsext_host_name(ssl, name.c_str());
    SSL_set_verify(ssl, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    if (!verify) return;
    if (address) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
    } else {
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        SSL_set1_host(ssl, name.c_str());
    }
}

std::string verify_text(long code) {
    switch (code) {
        case X509_V_ERR_HOSTNAME_MISMATCH: return "host name mismatch";
        case X509_V_ERR_IP_ADDRESS_MISMATCH: return "IP address mismatch";
        default: return X509_verify_cert_error_string(code);
    }
}

}  // namespace

TlsContext::TlsContext() : context_(SSL_CTX_new(TLS_client_method())) {
    if (!context_) std::abort();  // no memory, or an OpenSSL without TLS
    SSL_CTX* context = context_.get();
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    // Many servers close without the TLS goodbye. HTTP knows by itself where an answer ends.
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, TlsStream::keep_session);
    SSL_CTX_set_client_cert_cb(context, TlsStream::note_request);
}

TlsContext::TlsContext(const std::string& ca_bundle) : TlsContext() {
    SSL_CTX* context = context_.get();
    const bool trusted =
        ca_bundle.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                          : SSL_CTX_load_verify_locations(context, ca_bundle.c_str(), nullptr) == 1;
    if (!trusted) trust_error_ = "the CA bundle " + ca_bundle + " cannot be read";
    ERR_clear_error();
}

TlsContext::TlsContext(const TlsContext& others, const TlsOptions& options) : TlsContext() {
    if (options.ca.empty()) {
        trust_error_ = others.trust_error_;
        SSL_CTX_set1_cert_store(context_.get(), SSL_CTX_get_cert_store(others.get()));
    } else {
        trust_only(options.ca);
    }
    if (!options.certificate.empty()) show_certificate(options);
    ERR_clear_error();
}

void TlsContext::trust_only(const std::string& ca) {
    const auto trusted = read_certificates(ca);
    if (!trusted) {
        option_error_ = "The webhook's tls.ca " + trusted.error().message + ".";
        return;
    }
    X509_STORE* store = SSL_CTX_get_cert_store(context_.get());
    for (const CertificatePtr& one : *trusted) X509_STORE_add_cert(store, one.get());
    // What a person names is trusted, be it the root or one in between.
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
}

void TlsContext::show_certificate(const TlsOptions& options) {
    const auto chain = read_certificates(options.certificate);
    const auto key = read_private_key(options.key);
    if (!chain || !key) {
        const bool of_key = chain.has_value();
        option_error_ = std::string("The webhook's tls.") + (of_key ? "key " : "certificate ") +
                        (of_key ? key.error() : chain.error()).message + ".";
        return;
    }
    SSL_CTX* context = context_.get();
    bool usable = SSL_CTX_use_certificate(context, chain->front().get()) == 1 &&
                  SSL_CTX_use_PrivateKey(context, key->get()) == 1;
    for (std::size_t i = 1; i < chain->size() && usable; ++i) {
        usable = SSL_CTX_add1_chain_cert(context, chain->at(i).get()) == 1;
    }
    if (usable) return;
    const char* reason = ERR_reason_error_string(ERR_peek_error());
    option_error_ = std::string("The webhook's client certificate cannot be used: ") +
                    (reason != nullptr ? reason : "OpenSSL refuses it") + ".";
}

TlsStream::TlsStream(const TlsPeer& peer, int socket)
    : wire_{socket, handshake_bytes}, ticket_(&peer.ticket) {
    BIO* bio = BIO_new(socket_method());
    if (bio == nullptr) std::abort();
    BIO_set_data(bio, &wire_);
    begin(peer, bio);
}

TlsStream::TlsStream(const TlsPeer& peer, TlsStream& outer)
    : outer_(&outer), ticket_(&peer.ticket) {
    BIO* bio = BIO_new(BIO_f_ssl());
    if (bio == nullptr) std::abort();
    BIO_set_ssl(bio, outer.ssl_.get(), BIO_NOCLOSE);
    wire().left = handshake_bytes;
    begin(peer, bio);
}

void TlsStream::begin(const TlsPeer& peer, BIO* bio) {
    ssl_.reset(SSL_new(peer.context.get()));
    if (!ssl_) std::abort();
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_app_data(ssl_.get(), this);
    SSL_set_connect_state(ssl_.get());
    name_peer(ssl_.get(), peer.host, peer.verify);
    if (*ticket_) SSL_set_session(ssl_.get(), ticket_->get());
}

/// Keeps the newest session of the peer: called when it sends a ticket.
int TlsStream::keep_session(SSL* ssl, SSL_SESSION* session) {
    auto* stream = static_cast<TlsStream*>(SSL_get_app_data(ssl));
    if (stream == nullptr) return 0;
    stream->ticket_->reset(session);
    return 1;  // the reference is ours now
}

/// Called when the peer asks for a certificate and the context has none.
int TlsStream::note_request(SSL* ssl, X509**, EVP_PKEY**) {
    auto* stream = static_cast<TlsStream*>(SSL_get_app_data(ssl));
    if (stream != nullptr) stream->asked_for_certificate_ = true;
    return 0;  // goes on without
}

TlsStream::Step TlsStream::handshake() {
    ERR_clear_error();
    const Step step = judge(SSL_do_handshake(ssl_.get()));
    if (step == Step::closed) {
        error_ = "the connection was closed in the middle of it";
        broken_ = true;
        return Step::failed;
    }
    if (step == Step::want_read && wire().left == 0) {
        error_ = "it is longer than 256 KiB";
        broken_ = true;
        return Step::failed;
    }
    return step;
}

TlsStream::Step TlsStream::read(std::span<char> room, std::size_t& n) {
    ERR_clear_error();
    wire().left = turn_bytes;
    return judge(SSL_read_ex(ssl_.get(), room.data(), room.size(), &n));
}

TlsStream::Step TlsStream::write(std::string_view bytes, std::size_t& n) {
    ERR_clear_error();
    wire().left = turn_bytes;
    return judge(SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &n));
}

void TlsStream::shut_down() {
    if (broken_ || SSL_in_init(ssl_.get()) != 0) return;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
}

bool TlsStream::has_pending() const {
    return SSL_has_pending(ssl_.get()) != 0 || (outer_ != nullptr && outer_->has_pending());
}

bool TlsStream::resumed() const { return SSL_session_reused(ssl_.get()) != 0; }

TlsStream::Step TlsStream::judge(int result) {
    if (result == 1) return Step::done;
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ: return Step::want_read;
        case SSL_ERROR_WANT_WRITE: return Step::want_write;
        case SSL_ERROR_ZERO_RETURN: return Step::closed;
        case SSL_ERROR_SYSCALL: broken_ = true; return Step::failed;
        default: break;
    }
    broken_ = true;
    note_error();
    return Step::failed;
}

void TlsStream::note_error() {
    const long verified = SSL_get_verify_result(ssl_.get());
    const unsigned long code = ERR_peek_error();
    if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK) {
        error_ = verify_text(verified);
    } else if (const char* reason = ERR_reason_error_string(code); reason != nullptr) {
        error_ = reason;
    } else {
        error_ = "the TLS connection broke";
    }
    if (asked_for_certificate_ && verified == X509_V_OK) {
        error_ += "; it asks for a client certificate: give one in tls.certificate and tls.key";
    }
    ERR_clear_error();
}

}  // namespace herald
