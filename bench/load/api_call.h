#pragma once

#include <string>
#include <string_view>

#include "sink.h"

namespace herald::bench {

/// One request with a JSON body over a connection of its own; the answer's text. Ends the program
/// when it is no success.
inline std::string call(std::uint16_t port, std::string_view method, std::string_view path,
                        std::string_view body) {
    const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        std::abort();
    }
    const bool patch = method == "PATCH";
    std::string request(method);
    request.append(" ").append(path).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ");
    request += patch ? "application/merge-patch+json" : "application/json";
    request += "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    request += body;
    (void)::send(fd.get(), request.data(), request.size(), 0);
    std::string answer;
    std::string buffer(1 << 16, '\0');
    while (!message_size(answer)) {
        const ssize_t n = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
        if (n <= 0) std::abort();
        answer.append(buffer.data(), static_cast<std::size_t>(n));
    }
    if (!answer.starts_with("HTTP/1.1 2")) {
        std::fprintf(stderr, "%s\n", answer.c_str());
        std::exit(1);  // NOLINT(concurrency-mt-unsafe)
    }
    return answer;
}

}  // namespace herald::bench
