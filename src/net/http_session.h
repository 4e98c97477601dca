#pragma once

#include <chrono>
#include <list>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "async/wheel.h"
#include "net/http_answer.h"
#include "net/http_server.h"
#include "net/read_buffer.h"
#include "net/request_parser.h"

namespace herald {

class HttpSession;

/// What the sessions of one server share.
struct SessionContext {
    SessionContext(Wheel& wheel_in, HttpServerOptions options_in, HttpServer::Handler handler_in);

    Wheel& wheel;
    HttpServerOptions options;
    HttpServer::Handler handler;
    HttpDate date;
    bool stopping = false;
    std::list<HttpSession*> sessions;
};

/// One connection of a client, from accept to close.
class HttpSession {
public:
    HttpSession(SessionContext& context, boost::asio::ip::tcp::socket socket);
    ~HttpSession();
    HttpSession(const HttpSession&) = delete;
    HttpSession& operator=(const HttpSession&) = delete;

    /// Serves requests until the connection ends.
    boost::asio::awaitable<void> serve();
    /// Whether it waits for the first byte of a request.
    [[nodiscard]] bool idle() const { return idle_; }
    /// Ends the connection; what waits on it ends with an error.
    void close();

private:
    /// False: the connection ends.
    boost::asio::awaitable<bool> read_request();
    boost::asio::awaitable<bool> read_more();
    boost::asio::awaitable<void> answer_request();
    boost::asio::awaitable<ServerAnswer> ask_handler();
    boost::asio::awaitable<void> refuse(HttpFault fault);
    /// Sends what is in out_. False: the connection is broken.
    boost::asio::awaitable<bool> send();
    /// Reads on for a moment after the last answer: closing over unread bytes would reset the
    /// connection and may destroy the answer on its way.
    boost::asio::awaitable<void> linger();
    void limit(std::chrono::steady_clock::duration time);

    SessionContext& context_;
    boost::asio::ip::tcp::socket socket_;
    std::list<HttpSession*>::iterator place_;
    ReadBuffer in_;
    RequestParser parser_;
    std::string out_;
    Wheel::Deadline deadline_;
    bool idle_ = false;
    bool request_began_ = false;
    bool said_continue_ = false;
    bool keep_alive_ = true;
};

}  // namespace herald
