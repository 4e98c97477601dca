#include "delivery/tokens.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/json.h"
#include "core/ascii.h"
#include "core/redact.h"

namespace herald {

namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr auto longest_request = seconds{30};
/// RFC 6749 leaves the lifetime to the documentation when it is not given: better too short.
constexpr double lifetime_if_unsaid = 300;
/// A longer one is not believed: the endpoint may revoke what it granted.
constexpr double longest_lifetime = 86'400;
/// A token is not used when it is about to expire: the request needs time to arrive.
constexpr double margin = 30;

constexpr std::array<std::string_view, 6> known_errors{
    "invalid_request",     "invalid_client",         "invalid_grant",
    "unauthorized_client", "unsupported_grant_type", "invalid_scope",
};

std::string form_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        if (ascii::is_letter(c) || ascii::is_digit(c) || std::string_view("-._~").contains(c)) {
            encoded += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        encoded += '%';
        encoded += digits[byte >> 4];
        encoded += digits[byte & 15];
    }
    return encoded;
}

/// What the endpoint granted.
struct Grant {
    std::string token;
    steady_clock::duration good_for{0};
};

/// "expires_in" in seconds. Some endpoints write it as a text.
double lifetime(JsonView answer) {
    const auto value = answer.find("expires_in");
    if (!value || value->is_null()) return lifetime_if_unsaid;
    const std::string text = value->string().value_or(std::string(value->raw()));
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc::result_out_of_range) return longest_lifetime;
    if (error != std::errc{} || end != text.data() + text.size()) return lifetime_if_unsaid;
    return std::clamp(number, 0.0, longest_lifetime);
}

/// The error says what is wrong with the answer and repeats nothing of it.
Result<Grant> read_grant(const HttpAnswer& answer) {
    const auto wrong = [](const char* what) { return fail(Errc::invalid, what); };
    if (answer.body_cut) return wrong("answered more than a token");
    const auto text = canonical_json(answer.body);
    if (!text) return wrong("answered no JSON");
    const JsonView object(*text);
    auto token = object.string("access_token");
    if (!token || token->empty()) return wrong("answered no access_token");
    const auto odd = [](char c) { return c <= ' ' || static_cast<unsigned char>(c) > '~'; };
    if (std::ranges::any_of(*token, odd) || !validate_header("Authorization", *token)) {
        return wrong("answered an access_token that cannot be sent");
    }
    if (ascii::lower(object.string("token_type").value_or("bearer")) != "bearer") {
        return wrong("answered a token_type that is not Bearer");
    }
    const double life = lifetime(object);
    const std::chrono::duration<double> good_for{life - std::min(margin, life / 10)};
    return Grant{std::move(*token), std::chrono::duration_cast<steady_clock::duration>(good_for)};
}

/// "error" of a refusal, when it is one that RFC 6749, section 5.2 names.
std::string error_code(const HttpAnswer& answer) {
    const auto text = canonical_json(answer.body);
    const auto code = text ? JsonView(*text).string("error") : std::nullopt;
    const bool known = code && std::ranges::find(known_errors, *code) != known_errors.end();
    return known ? " (" + *code + ")" : std::string();
}

/// Why there is no token. A refusal is for people to correct; a busy or broken endpoint is not.
Outcome refusal(const HttpAnswer& answer, const std::string& shown_url) {
    const std::string endpoint = "the token endpoint " + shown_url + " ";
    if (answer.status == 0) {
        return {answer.outcome.failure,
                "no access token: " + endpoint + "gave no answer: " + answer.outcome.message};
    }
    const bool passes = answer.status == 429 || answer.status >= 500;
    return {passes ? FailureClass::http_server_error : FailureClass::config,
            "no access token: " + endpoint + "answered " + std::to_string(answer.status) +
                error_code(answer)};
}

bool same(const TokenRequest& a, const TokenRequest& b) {
    return a.http.url == b.http.url && a.http.headers == b.http.headers &&
           a.http.body == b.http.body && a.http.verify_certificates == b.http.verify_certificates;
}

}  // namespace

/// One request on its way, and who waits for it.
struct Tokens::Flight {
    explicit Flight(const boost::asio::any_io_executor& executor)
        : landed(executor, steady_clock::time_point::max()) {}
    boost::asio::steady_timer landed;
    std::optional<GrantedToken> result;  ///< none when it landed: who flew it was cancelled
};

struct Tokens::Kept {
    TokenRequest request;
    std::string token;
    steady_clock::time_point until{};
    std::shared_ptr<Flight> flight;
};

Result<TokenRequest> token_request(const Webhook& webhook, const Secrets& secrets,
                                   HttpRequest like) {
    const Authentication& with = webhook.authentication;
    const auto id = secrets.read(with.client_id);
    const auto secret = secrets.read(with.client_secret);
    auto url = parse_url(with.token_url);
    const auto wrong = [&](const Error& error) {
        return fail(Errc::invalid, "Webhook '" + webhook.name +
                                       "': could not resolve authentication: " + error.message);
    };
    if (!id) return wrong(id.error());
    if (!secret) return wrong(secret.error());
    if (!url) return wrong(url.error());
    TokenRequest request{std::move(like), redact_url(with.token_url)};
    HttpRequest& http = request.http;
    http.url = std::move(*url);
    http.timeout = std::min<steady_clock::duration>(http.timeout, longest_request);
    http.headers = {{"Accept", "application/json"},
                    {"Content-Type", "application/x-www-form-urlencoded"}};
    http.body = "grant_type=client_credentials";
    if (!with.scope.empty()) http.body += "&scope=" + form_encoded(with.scope);
    if (!with.audience.empty()) http.body += "&audience=" + form_encoded(with.audience);
    if (with.client_auth == Authentication::ClientAuth::basic) {
        http.headers.emplace_back("Authorization",
                                  basic_credentials(form_encoded(*id), form_encoded(*secret)));
    } else {
        http.body += "&client_id=" + form_encoded(*id);
        http.body += "&client_secret=" + form_encoded(*secret);
    }
    return request;
}

Tokens::Tokens(HttpClient& client, const Clock& clock) : client_(client), clock_(clock) {}

boost::asio::awaitable<GrantedToken> Tokens::get(WebhookId webhook, TokenRequest request) {
    for (;;) {
        std::shared_ptr<Kept>& place = kept_[std::to_underlying(webhook)];
        if (!place || !same(place->request, request)) {
            place = std::make_shared<Kept>();
            place->request = request;
        } else if (!place->flight) {
            place->request = request;  // the same client, perhaps by another way
        }
        const std::shared_ptr<Kept> kept = place;
        if (!kept->token.empty() && clock_.steady() < kept->until) {
            co_return GrantedToken{.token = kept->token, .kept = true};
        }
        if (!kept->flight) {
            GrantedToken granted = co_await fetch(kept);
            co_return granted;
        }
        const std::shared_ptr<Flight> flight = kept->flight;
        const auto use = boost::asio::as_tuple(boost::asio::use_awaitable);
        co_await flight->landed.async_wait(use);
        if (flight->result) co_return *flight->result;
    }
}

boost::asio::awaitable<GrantedToken> Tokens::fetch(std::shared_ptr<Kept> kept) {
    const boost::asio::any_io_executor executor = co_await boost::asio::this_coro::executor;
    const auto flight = std::make_shared<Flight>(executor);
    kept->flight = flight;
    // However this ends, nobody waits for ever.
    const auto land = [kept](Flight* landing) {
        kept->flight.reset();
        landing->landed.cancel();
    };
    const std::unique_ptr<Flight, decltype(land)> landing(flight.get(), land);

    const HttpAnswer answer = co_await client_.post(kept->request.http);
    GrantedToken granted;
    if (answer.status < 200 || answer.status > 299) {
        granted.outcome = refusal(answer, kept->request.shown_url);
    } else if (auto grant = read_grant(answer); !grant) {
        granted.outcome = {FailureClass::config, "no access token: the token endpoint " +
                                                     kept->request.shown_url + " " +
                                                     grant.error().message};
    } else {
        granted.token = std::move(grant->token);
        kept->token = granted.token;
        kept->until = clock_.steady() + grant->good_for;
    }
    flight->result = granted;
    co_return granted;
}

void Tokens::forget(WebhookId webhook, const std::string& token) {
    const auto found = kept_.find(std::to_underlying(webhook));
    if (found != kept_.end() && found->second->token == token) found->second->token.clear();
}

}  // namespace herald
