#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "net/http_body.h"
#include "net/http_head.h"
#include "net/http_server.h"

namespace herald {

/// Reads one request after the other out of the bytes of a connection. Knows no sockets.
class RequestParser {
public:
    explicit RequestParser(std::size_t max_body) : max_body_(max_body) {}

    /// Reads on and gives how many bytes it used up. The rest comes again, with more behind it: a
    /// head is only taken whole. When the request is done, what is left belongs to the next one.
    std::size_t feed(std::string_view bytes);
    [[nodiscard]] bool done() const { return state_ == State::done; }
    /// Whether the head has been read, and the body (if any) has yet to come.
    [[nodiscard]] bool in_body() const { return state_ == State::body; }
    /// Set when the request is refused; nothing more can be read then.
    [[nodiscard]] const std::optional<HttpFault>& fault() const { return fault_; }
    /// Whether the client waits for "100 Continue" before it sends the body.
    [[nodiscard]] bool wants_continue() const;
    /// Of a request that is done.
    [[nodiscard]] bool keep_alive() const { return framing_.keep_alive; }
    [[nodiscard]] ServerRequest& request() { return request_; }

    /// Begins the next request.
    void reset();

private:
    enum class State { head, body, done };

    std::size_t feed_head(std::string_view bytes);
    void take_head(std::string_view text);
    [[nodiscard]] std::optional<HttpFault> check_framing() const;
    std::size_t feed_body(std::string_view bytes);

    std::size_t max_body_;
    State state_ = State::head;
    std::size_t scanned_ = 0;
    bool skipped_line_ = false;  ///< an empty line before the request
    HttpHead head_;  ///< its views are used within take_head only
    Framing framing_;
    BodyDecoder body_;
    std::optional<HttpFault> fault_;
    ServerRequest request_;
};

}  // namespace herald
