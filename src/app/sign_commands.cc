#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>

#include "app/commands.h"
#include "app/signature_choice.h"
#include "async/clock.h"
#include "base/json.h"
#include "core/ascii.h"
#include "core/signature.h"

namespace herald {

namespace {

struct SignOptions {
    std::string body = "-";
    std::string key_file;
    SignatureChoice choice;
    std::string id;
    std::string timestamp;
    std::string signature;
    std::string request_file;
    std::string tolerance = "5m";
};

void sign(CommandLine& line, const SignOptions& options) {
    const auto key = read_secret(options.key_file);
    if (!key) return line.fail_with(Exit::usage, key.error().message);
    const auto body = read_input(options.body);
    if (!body) return line.fail_with(Exit::usage, body.error().message);
    const auto canonical = canonical_json(*body);
    if (!canonical) {
        return line.fail_with(Exit::usage, "the body is no JSON: " + canonical.error().message);
    }
    const auto not_digit = [](char c) { return !ascii::is_digit(c); };
    if (std::ranges::any_of(options.timestamp, not_digit)) {
        return line.fail_with(Exit::usage, "--timestamp: not a number");
    }
    const std::string id = options.id.empty() ? fresh_message_id() : options.id;
    const std::string seconds = options.timestamp.empty() ? now_in_seconds() : options.timestamp;
    const std::string event = JsonView(*canonical).string("event").value_or("");
    const auto sample = sign_sample(options.choice, *key, {id, seconds, event}, *canonical);
    if (!sample) return line.fail_with(Exit::usage, sample.error().message);
    JsonObject shown;
    Columns columns;
    for (const auto& [name, value] : sample->headers) {
        shown.add(name, value);
        columns.push_back({name, name});
    }
    shown.add("profile", to_text(sample->profile)).add("body", sample->body);
    columns.push_back({"profile", "profile"});
    columns.push_back({"body", "body"});
    line.output().one(JsonView(shown.text()), columns);
}

using Headers = std::map<std::string, std::string, std::less<>>;

/// Takes headers and body out of a saved raw request: header lines, an empty line, the body.
std::string read_request(const std::string& text, Headers& headers) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string_view row = std::string_view(text).substr(at, end - at);
        at = std::min(end + 1, text.size());
        if (row.ends_with('\r')) row.remove_suffix(1);
        if (row.empty()) break;
        if (row.starts_with("> ")) row.remove_prefix(2);  // as curl -v prints it
        const std::size_t colon = row.find(':');
        if (colon == std::string_view::npos) continue;
        std::string_view value = row.substr(colon + 1);
        while (value.starts_with(' ')) value.remove_prefix(1);
        headers[ascii::lower(row.substr(0, colon))] = value;
    }
    return text.substr(at);
}

Result<Verification> check(const SignOptions& options) {
    const auto key = read_secret(options.key_file);
    if (!key) return fail(key.error());
    const auto profile = options.choice.named_profile();
    if (!profile) return fail(profile.error());
    const auto written = options.choice.options();
    if (!written) return fail(written.error());
    std::optional<Duration> tolerance;
    if (options.tolerance != "none") {
        tolerance = parse_duration(options.tolerance);
        if (!tolerance) return fail(Errc::invalid, "--tolerance: a duration such as 5m, or none");
    }
    const bool whole = !options.request_file.empty();
    auto body = read_input(whole ? options.request_file : options.body);
    if (!body) return fail(body.error());
    Headers headers;
    if (whole) {
        body = read_request(*body, headers);
    } else {
        headers["webhook-id"] = options.id;
        headers["webhook-timestamp"] = options.timestamp;
        headers[ascii::lower(signature_header(*profile, *written))] = options.signature;
    }
    const auto find = [&](std::string_view name) -> std::string_view {
        const auto found = headers.find(name);
        return found == headers.end() ? std::string_view() : std::string_view(found->second);
    };
    return verify_request(*profile, *written, *key, find, *body, SystemClock{}.now(), tolerance);
}

void verify(CommandLine& line, const SignOptions& options) {
    const auto result = check(options);
    if (!result) return line.fail_with(Exit::usage, result.error().message);
    const bool valid = result->verdict == Verdict::valid;
    JsonObject shown;
    shown.add("verdict", to_text(result->verdict));
    if (valid) shown.add("profile", to_text(result->profile));
    if (!valid) shown.add_json("profile", "null");
    line.output().one(JsonView(shown.text()), {{"verdict", "verdict"}, {"profile", "profile"}});
    if (!valid) line.exit = Exit::unverified;
}

/// A new file that only its owner reads.
Result<> write_key(const std::string& path, const std::string& key) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return fail(Errc::invalid, path + ": " + std::strerror(errno));
    const std::string text = key + "\n";
    const bool written = ::write(file, text.data(), text.size()) == std::ssize(text);
    const bool closed = ::close(file) == 0;
    if (written && closed) return {};
    return fail(Errc::internal, path + ": cannot write the key: " + std::strerror(errno));
}

void new_key(CommandLine& line, const SignOptions& options) {
    const auto profile = options.choice.named_profile();
    if (!profile) return line.fail_with(Exit::usage, profile.error().message);
    const std::string key = new_shared_key(*profile);
    JsonObject shown;
    Columns columns;
    const auto show = [&](std::string_view name, const std::string& value) {
        shown.add(name, value);
        columns.push_back({name, name});
    };
    if (options.key_file.empty()) {
        show("shared_key", key);
    } else if (const auto written = write_key(options.key_file, key); !written) {
        return line.fail_with(Exit::usage, written.error().message);
    }
    show("shared_key_fingerprint", key_fingerprint(key));
    if (const auto shared = public_key_form(key)) show("public_key", *shared);
    line.output().one(JsonView(shown.text()), columns);
}

void add_sign(CLI::App& app, CommandLine& line) {
    auto options = std::make_shared<SignOptions>();
    auto* command = app.add_subcommand(
        "sign",
        "Print the headers that herald would sign a body with\n\n"
        "  herald sign --key-file key.txt body.json\n"
        "  herald sign --key-file key.txt --signature-profile infrahub-repr body.json\n"
        "  herald sign --key-file key.txt --signature-profile hmac \\\n"
        "    --signature-header X-Signature --signature-encoding base64 body.json");
    command->add_option("body", options->body, "JSON file; - reads standard input");
    command->add_option("--key-file", options->key_file, "File with the shared key")->required();
    options->choice.add_to(*command, "How to sign (default auto)");
    command->add_option("--id", options->id, "webhook-id (default: a new one)");
    command->add_option("--timestamp", options->timestamp, "Unix seconds (default: now)");
    command->callback([&line, options] { sign(line, *options); });
}

void add_verify(CLI::App& app, CommandLine& line) {
    auto options = std::make_shared<SignOptions>();
    auto* command = app.add_subcommand(
        "verify",
        "Check a signature and say which profile it fits; exit 6 when none does\n\n"
        "  herald verify --key-file key.txt --request saved-request.txt\n"
        "  herald verify --key-file key.txt --id msg_... --timestamp 1740656629 \\\n"
        "    --signature v1,... --tolerance none body.json\n"
        "  herald verify --key-file key.txt --signature-profile github \\\n"
        "    --signature sha256=... body.json");
    command->add_option("body", options->body, "File with the raw body; - reads stdin");
    command
        ->add_option("--key-file", options->key_file,
                     "File with the shared key, or the public key of standard-ed25519")
        ->required();
    options->choice.add_to(*command, "Only this one (default: what fits the headers and the key)");
    command->add_option("--id", options->id, "Value of webhook-id");
    command->add_option("--timestamp", options->timestamp, "Value of webhook-timestamp");
    command->add_option("--signature", options->signature, "Value of the profile's header");
    command->add_option("--request", options->request_file,
                        "A saved request: headers, empty line, body");
    command->add_option("--tolerance", options->tolerance,
                        "How far off the timestamp may be (default 5m); none: any");
    command->callback([&line, options] { verify(line, *options); });
}

void add_new_key(CLI::App& app, CommandLine& line) {
    auto options = std::make_shared<SignOptions>();
    auto* command = app.add_subcommand(
        "new-key",
        "Make a random shared key; for standard-ed25519 also its public key\n\n"
        "  herald new-key --key-file key.txt\n"
        "  herald new-key --signature-profile standard-ed25519 --key-file key.txt");
    command->add_option("--key-file", options->key_file,
                        "New file for the key, which is then not shown");
    command->add_option("--signature-profile", options->choice.profile,
                        "What the key is for (default auto): " + signature_profile_names());
    command->callback([&line, options] { new_key(line, *options); });
}

}  // namespace

void add_sign_commands(CLI::App& app, CommandLine& line) {
    add_sign(app, line);
    add_verify(app, line);
    add_new_key(app, line);
}

}  // namespace herald
