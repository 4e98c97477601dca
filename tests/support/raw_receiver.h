#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace herald::test {

/// What a scripted receiver does, step by step, on one connection.
struct ReceiverStep {
    enum class Kind {
        read_request,  ///< a whole request: head, and body by Content-Length or chunks
        read_head,     ///< a request's head only
        read_slowly,   ///< one byte each `time`, until the client goes
        send,          ///< the bytes of `text`
        send_forever,  ///< the bytes of `text` over and over, until the client goes
        drip,          ///< the bytes of `text`, one each `time`
        wait,          ///< for `time`, or until the receiver ends
        begin_tls,     ///< takes the client's handshake, also inside of TLS; `text` names the
                       ///< certificate of certificates()
        close,         ///< orderly
        reset,         ///< with a TCP reset
        hold,          ///< keeps the connection open and silent until the receiver ends
        repeat,        ///< goes back to the first step
    };
    Kind kind = Kind::hold;
    std::string text = {};
    std::chrono::milliseconds time{0};
};

using ReceiverScript = std::vector<ReceiverStep>;

[[nodiscard]] ReceiverStep read_request();
[[nodiscard]] ReceiverStep read_head();
[[nodiscard]] ReceiverStep read_slowly(std::chrono::milliseconds each);
[[nodiscard]] ReceiverStep send_bytes(std::string text);
[[nodiscard]] ReceiverStep send_forever(std::string text);
[[nodiscard]] ReceiverStep drip_bytes(std::string text, std::chrono::milliseconds each);
[[nodiscard]] ReceiverStep wait_for(std::chrono::milliseconds time);
[[nodiscard]] ReceiverStep begin_tls(std::string certificate);
[[nodiscard]] ReceiverStep close_now();
[[nodiscard]] ReceiverStep reset_now();
[[nodiscard]] ReceiverStep hold_open();
[[nodiscard]] ReceiverStep repeat_all();

/// "HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\nok"
[[nodiscard]] std::string an_answer(int status, std::string_view body = "",
                                    std::string_view more_fields = "");
/// Answers each request on a kept-alive connection.
[[nodiscard]] ReceiverScript always(std::string answer);

/// A certificate to answer with, made by make_certs.sh: paths of PEM files.
struct ReceiverTls {
    std::string certificate;
    std::string key;
    int max_version = 0;  ///< as OpenSSL's TLS1_1_VERSION; 0: the newest
    std::string client_ca = {};  ///< clients must show a certificate of this authority
};

/// The certificate of certificates() with that name.
[[nodiscard]] ReceiverTls certificate(const std::string& name);

/// A receiver on a loopback port of its own, on threads of its own. The n-th connection plays the
/// n-th script, later ones the last. Ends with all its connections when it is destroyed.
class RawReceiver {
public:
    explicit RawReceiver(std::vector<ReceiverScript> scripts);
    RawReceiver(std::vector<ReceiverScript> scripts, ReceiverTls tls);
    ~RawReceiver();
    RawReceiver(const RawReceiver&) = delete;
    RawReceiver& operator=(const RawReceiver&) = delete;

    [[nodiscard]] std::uint16_t port() const;
    /// "http://127.0.0.1:PORT" + `target`, or https.
    [[nodiscard]] std::string url(std::string_view target = "/") const;
    /// What came in so far: the raw bytes of each request that was read, in order.
    [[nodiscard]] std::vector<std::string> requests() const;
    [[nodiscard]] std::size_t connections() const;
    /// Connections whose TLS session was resumed.
    [[nodiscard]] std::size_t resumed() const;
    /// The server name that the last client asked for (SNI); empty: none.
    [[nodiscard]] std::string server_name() const;

    /// The common name in the certificate of the last client; empty: it showed none.
    [[nodiscard]] std::string client_name() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// A port whose queue is full: no connection to it is ever taken or refused.
class FullPort {
public:
    FullPort();
    ~FullPort();
    FullPort(const FullPort&) = delete;
    FullPort& operator=(const FullPort&) = delete;
    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    std::uint16_t port_ = 0;
    std::vector<int> sockets_;
};

/// A port on which nobody listens.
[[nodiscard]] std::uint16_t closed_port();
/// The content of a file in certificates().
[[nodiscard]] std::string pem_text(const std::string& file);
/// Makes the test certificates once per process (make_certs.sh); gives the folder they are in.
[[nodiscard]] const std::string& certificates();

}  // namespace herald::test
