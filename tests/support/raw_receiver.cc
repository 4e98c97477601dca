#include "support/raw_receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <source_location>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <utility>

#include <openssl/ssl.h>

namespace herald::test {

namespace {

using Kind = ReceiverStep::Kind;
using std::chrono::milliseconds;

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

/// The length of the whole request at the front of `bytes`; 0: more is needed.
std::size_t request_size(const std::string& bytes, bool head_only) {
    const auto end = bytes.find("\r\n\r\n");
    if (end == std::string::npos) return 0;
    const std::size_t head = end + 4;
    if (head_only) return head;
    const std::string fields = lower(bytes.substr(0, head));
    if (fields.find("transfer-encoding: chunked") != std::string::npos) {
        const auto last = bytes.find("0\r\n\r\n", head);
        return last == std::string::npos ? 0 : last + 5;
    }
    const auto at = fields.find("content-length: ");
    const std::size_t body =
        at == std::string::npos ? 0 : std::strtoull(fields.c_str() + at + 16, nullptr, 10);
    return bytes.size() >= head + body ? head + body : 0;
}

int listen_on_loopback(std::uint16_t& port, int backlog = 512) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(fd, backlog) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        throw std::runtime_error("the receiver cannot listen");
    }
    port = ntohs(address.sin_port);
    return fd;
}

}  // namespace

ReceiverStep read_request() { return {.kind = Kind::read_request}; }
ReceiverStep read_head() { return {.kind = Kind::read_head}; }
ReceiverStep read_slowly(milliseconds each) { return {.kind = Kind::read_slowly, .time = each}; }
ReceiverStep send_forever(std::string text) { return {Kind::send_forever, std::move(text)}; }
ReceiverStep send_bytes(std::string text) { return {Kind::send, std::move(text)}; }
ReceiverStep drip_bytes(std::string text, milliseconds each) {
    return {Kind::drip, std::move(text), each};
}
ReceiverStep wait_for(milliseconds time) { return {.kind = Kind::wait, .time = time}; }
ReceiverStep begin_tls(std::string name) { return {Kind::begin_tls, std::move(name)}; }
ReceiverStep close_now() { return {.kind = Kind::close}; }
ReceiverStep reset_now() { return {.kind = Kind::reset}; }
ReceiverStep hold_open() { return {.kind = Kind::hold}; }
ReceiverStep repeat_all() { return {.kind = Kind::repeat}; }

std::string an_answer(int status, std::string_view body, std::string_view more_fields) {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + std::string(more_fields) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

ReceiverScript always(std::string answer) {
    return {read_request(), send_bytes(std::move(answer)), repeat_all()};
}

struct RawReceiver::State {
    explicit State(std::vector<ReceiverScript> scripts_in) : scripts(std::move(scripts_in)) {
        listener = listen_on_loopback(port);
        acceptor = std::jthread([this] { accept_all(); });
    }
    ~State() {
        stopping = true;
        acceptor.join();
        players.clear();
        ::close(listener);
        if (tls != nullptr) SSL_CTX_free(tls);
    }

    void accept_all();
    void play(int fd, const ReceiverScript& script);

    std::vector<ReceiverScript> scripts;
    SSL_CTX* tls = nullptr;
    int listener = -1;
    std::uint16_t port = 0;
    std::atomic<bool> stopping = false;
    mutable std::mutex mutex;
    std::vector<std::string> requests;
    std::string server_name;
    std::string client_name;
    std::atomic<std::size_t> connections = 0;
    std::atomic<std::size_t> resumed = 0;
    std::vector<std::jthread> players;
    std::jthread acceptor;
};

namespace {

/// One accepted connection, plain or TLS, with waits that end when the receiver does.
class Peer {
public:
    Peer(int fd, const std::atomic<bool>& stopping) : fd_(fd), stopping_(stopping) {}
    ~Peer() {
        if (ssl_ != nullptr) SSL_free(ssl_);
        if (outer_ != nullptr) SSL_free(outer_);
        ::close(fd_);
    }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    /// False: the handshake failed.
    bool start_tls(SSL_CTX* context) {
        outer_ = std::exchange(ssl_, SSL_new(context));
        if (outer_ != nullptr) {
            BIO* bio = BIO_new(BIO_f_ssl());
            BIO_set_ssl(bio, outer_, BIO_NOCLOSE);
            SSL_set_bio(ssl_, bio, bio);
        } else {
            SSL_set_fd(ssl_, fd_);
        }
        return wait(POLLIN) && SSL_accept(ssl_) == 1;
    }
    [[nodiscard]] SSL* ssl() const { return ssl_; }

    /// False: nothing more will come.
    bool wait(short events) {
        while (!stopping_) {
            pollfd poll{.fd = fd_, .events = events, .revents = 0};
            if (::poll(&poll, 1, 10) > 0) return true;
        }
        return false;
    }
    bool read_into(std::string& bytes, std::size_t most = std::size_t{16} * 1024) {
        char buffer[16 * 1024];
        const bool held = ssl_ != nullptr && SSL_pending(ssl_) > 0;
        if (!held && (outer_ == nullptr || SSL_has_pending(outer_) == 0)) {
            if (!wait(POLLIN)) return false;
        }
        const auto n = ssl_ != nullptr ? SSL_read(ssl_, buffer, static_cast<int>(most))
                                       : ::recv(fd_, buffer, most, 0);
        if (n <= 0) return false;
        bytes.append(buffer, static_cast<std::size_t>(n));
        return true;
    }
    bool send(std::string_view text) {
        while (!text.empty()) {
            if (!wait(POLLOUT)) return false;
            const auto n = ssl_ != nullptr
                               ? SSL_write(ssl_, text.data(), static_cast<int>(text.size()))
                               : ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n <= 0) return false;
            text.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }
    void sleep(milliseconds time) const {
        const auto until = std::chrono::steady_clock::now() + time;
        while (!stopping_ && std::chrono::steady_clock::now() < until) {
            std::this_thread::sleep_for(std::min(time, milliseconds{5}));
        }
    }
    void reset() const {
        const linger now{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    void say_goodbye() {
        if (ssl_ != nullptr) SSL_shutdown(ssl_);
    }

private:
    int fd_;
    const std::atomic<bool>& stopping_;
    SSL* ssl_ = nullptr;
    SSL* outer_ = nullptr;  ///< what it is inside of
};

/// A server's context with that certificate; must be freed.
SSL_CTX* server_context(const ReceiverTls& tls) {
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>("herald"), 6);
    if (tls.max_version != 0) {
        SSL_CTX_set_security_level(context, 0);
        SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(context, tls.max_version);
    }
    if (!tls.client_ca.empty()) {
        SSL_CTX_load_verify_locations(context, tls.client_ca.c_str(), nullptr);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    if (SSL_CTX_use_certificate_chain_file(context, tls.certificate.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, tls.key.c_str(), SSL_FILETYPE_PEM) != 1) {
        throw std::runtime_error("the receiver's certificate cannot be read");
    }
    return context;
}

std::string name_of_client(SSL* ssl) {
    X509* shown = SSL_get1_peer_certificate(ssl);
    if (shown == nullptr) return {};
    char name[64] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, name, sizeof name);
    X509_free(shown);
    return name;
}

}  // namespace

void RawReceiver::State::accept_all() {
    std::signal(SIGPIPE, SIG_IGN);  // SSL_write to a client that has gone
    while (!stopping) {
        pollfd poll{.fd = listener, .events = POLLIN, .revents = 0};
        if (::poll(&poll, 1, 10) <= 0) continue;
        const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        const int yes = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        const std::size_t n = connections++;
        const ReceiverScript& script = scripts[std::min(n, scripts.size() - 1)];
        players.emplace_back([this, fd, &script] { play(fd, script); });
    }
}

void RawReceiver::State::play(int fd, const ReceiverScript& script) {
    Peer peer(fd, stopping);
    if (tls != nullptr) {
        if (!peer.start_tls(tls)) return;
        if (SSL_session_reused(peer.ssl()) != 0) ++resumed;
        const char* name = SSL_get_servername(peer.ssl(), TLSEXT_NAMETYPE_host_name);
        const std::scoped_lock lock(mutex);
        server_name = name == nullptr ? "" : name;
        client_name = name_of_client(peer.ssl());
    }
    std::string bytes;
    for (std::size_t at = 0; at < script.size() && !stopping; ++at) {
        const ReceiverStep& step = script[at];
        switch (step.kind) {
            case Kind::read_request:
            case Kind::read_head: {
                const bool head_only = step.kind == Kind::read_head;
                while (request_size(bytes, head_only) == 0) {
                    if (!peer.read_into(bytes)) return;
                }
                const std::size_t size = request_size(bytes, head_only);
                const std::scoped_lock lock(mutex);
                requests.push_back(bytes.substr(0, size));
                bytes.erase(0, size);
                break;
            }
            case Kind::send:
                if (!peer.send(step.text)) return;
                break;
            case Kind::read_slowly:
                while (peer.read_into(bytes, 1)) peer.sleep(step.time);
                return;
            case Kind::send_forever:
                while (peer.send(step.text)) {
                }
                return;
            case Kind::drip:
                for (const char c : step.text) {
                    if (!peer.send({&c, 1})) return;
                    peer.sleep(step.time);
                }
                break;
            case Kind::wait: peer.sleep(step.time); break;
            case Kind::begin_tls: {
                SSL_CTX* context = server_context(certificate(step.text));
                const bool good = peer.start_tls(context);
                SSL_CTX_free(context);
                if (!good) return;
                break;
            }
            case Kind::close: peer.say_goodbye(); return;
            case Kind::reset: peer.reset(); return;
            case Kind::hold: peer.sleep(std::chrono::hours{1}); return;
            case Kind::repeat: at = static_cast<std::size_t>(-1); break;
        }
    }
}

RawReceiver::RawReceiver(std::vector<ReceiverScript> scripts)
    : state_(std::make_unique<State>(std::move(scripts))) {}

RawReceiver::RawReceiver(std::vector<ReceiverScript> scripts, ReceiverTls tls)
    : RawReceiver(std::move(scripts)) {
    state_->tls = server_context(tls);
}

RawReceiver::~RawReceiver() = default;

std::uint16_t RawReceiver::port() const { return state_->port; }

std::string RawReceiver::url(std::string_view target) const {
    return (state_->tls != nullptr ? "https://127.0.0.1:" : "http://127.0.0.1:") +
           std::to_string(state_->port) + std::string(target);
}

std::vector<std::string> RawReceiver::requests() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->requests;
}

std::size_t RawReceiver::connections() const { return state_->connections; }

std::size_t RawReceiver::resumed() const { return state_->resumed; }

std::string RawReceiver::client_name() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->client_name;
}

std::string RawReceiver::server_name() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->server_name;
}

FullPort::FullPort() {
    sockets_.push_back(listen_on_loopback(port_, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 4; ++i) {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        std::ignore = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        sockets_.push_back(fd);
    }
}

FullPort::~FullPort() {
    for (const int fd : sockets_) ::close(fd);
}

std::uint16_t closed_port() {
    std::uint16_t port = 0;
    ::close(listen_on_loopback(port));
    return port;
}

namespace {

/// A folder that goes when the process ends.
struct CertificateFolder {
    std::string name = (std::filesystem::temp_directory_path() / "herald-certs-XXXXXX").string();

    CertificateFolder() {
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for tests");
        const std::filesystem::path here(std::source_location::current().file_name());
        const std::string script = (here.parent_path() / "make_certs.sh").string();
        const std::string command = "sh '" + script + "' '" + name + "'";
        if (std::system(command.c_str()) != 0) {  // NOLINT(cert-env33-c)
            throw std::runtime_error("tests/support/make_certs.sh failed");
        }
    }
    ~CertificateFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(name, ignored);
    }
    CertificateFolder(const CertificateFolder&) = delete;
    CertificateFolder& operator=(const CertificateFolder&) = delete;
};

}  // namespace

std::string pem_text(const std::string& file) {
    std::ifstream in(certificates() + "/" + file);
    return {std::istreambuf_iterator<char>(in), {}};
}

ReceiverTls certificate(const std::string& name) {
    const std::string path = certificates() + "/" + name;
    return {.certificate = path + ".pem", .key = path + ".key"};
}

const std::string& certificates() {
    static const CertificateFolder folder;
    return folder.name;
}

}  // namespace herald::test
