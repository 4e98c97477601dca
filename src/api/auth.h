#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "net/http_server.h"

namespace herald {

/// Who may use the API. With tokens: who shows one, as `Authorization: Bearer` or
/// `X-INFRAHUB-KEY`. Without: everyone, but no page of a browser: the Host must be a loopback name
/// or an allowed one (against DNS rebinding), and an Origin must be the same host.
class Auth {
public:
    Auth(const std::vector<std::string>& tokens, std::vector<std::string> allowed_hosts);

    /// Errc::unauthorized or Errc::forbidden.
    [[nodiscard]] Result<> check(const ServerRequest& request) const;

private:
    [[nodiscard]] bool is_token(std::string_view text) const;
    [[nodiscard]] Result<> check_token(const ServerRequest& request) const;
    [[nodiscard]] Result<> check_host(const ServerRequest& request) const;

    std::vector<Digest> tokens_;
    std::vector<std::string> allowed_hosts_;
};

}  // namespace herald
