#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/attempt.h"
#include "net/http_body.h"
#include "net/http_head.h"

namespace herald {

/// Reads one answer out of the bytes that a receiver sends. Knows no sockets, trusts nothing.
class ResponseParser {
public:
    /// Reads on and gives how many bytes it used up. The rest comes again, with more behind it: a
    /// head is only taken whole. Bytes left when it is done belong to no answer.
    std::size_t feed(std::string_view bytes);
    /// The receiver closed the connection. False: in the middle of the answer.
    [[nodiscard]] bool end_of_stream();

    [[nodiscard]] bool done() const { return state_ == State::done; }
    /// Set when the answer is refused; nothing more can be read then.
    [[nodiscard]] const std::optional<HttpFault>& fault() const { return fault_; }
    /// Of the final answer; 0 until its head has been read.
    [[nodiscard]] int status() const { return status_; }
    [[nodiscard]] const std::string& reason() const { return reason_; }
    [[nodiscard]] HeaderList& headers() { return headers_; }
    [[nodiscard]] std::string& body() {
        return body_;
    }  ///< the first limits::response_capture bytes
    /// Whether the body was longer than the `kept` bytes of it that were kept.
    [[nodiscard]] bool body_cut(std::size_t kept) const { return seen_ > kept; }
    /// Whether another request may follow on the connection, once the answer is done.
    [[nodiscard]] bool keep_alive() const { return keep_alive_; }

    /// Begins the next answer; `to_connect`: to a CONNECT, which ends with its head. What follows
    /// belongs to the tunnel, or to nobody.
    void reset(bool to_connect = false);

private:
    enum class State { head, body, done };

    std::size_t feed_head(std::string_view bytes);
    /// False: an interim answer (1xx), another head follows.
    bool take_head(std::string_view text);
    std::size_t feed_body(std::string_view bytes);

    State state_ = State::head;
    std::size_t scanned_ = 0;
    std::size_t head_bytes_ = 0;  ///< of the heads read so far
    int interim_ = 0;  ///< 1xx answers so far
    HttpHead head_;  ///< its views are used within take_head only
    BodyDecoder decoder_;
    bool to_connect_ = false;
    bool until_close_ = false;
    bool keep_alive_ = false;
    std::size_t seen_ = 0;  ///< bytes of the body
    std::optional<HttpFault> fault_;
    int status_ = 0;
    std::string reason_;
    HeaderList headers_;
    std::string body_;
};

}  // namespace herald
