#include <charconv>
#include <memory>

#include "app/commands.h"
#include "async/clock.h"
#include "base/json.h"
#include "core/signature.h"

namespace herald {

namespace {

struct SignOptions {
    std::string body = "-";
    std::string key_file;
    std::string profile = "auto";
    std::string id;
    std::string timestamp;
    std::string signature;
    std::string request_file;
    std::string tolerance = "5m";
};

std::int64_t now_seconds() {
    const auto now = std::chrono::floor<std::chrono::seconds>(SystemClock{}.now());
    return now.time_since_epoch().count();
}

std::string fresh_id() {
    std::string bare = Uuid::random().text();
    std::erase(bare, '-');
    return "msg_" + bare;
}

void sign(CommandLine& line, const SignOptions& options) {
    const auto key = read_secret(options.key_file);
    if (!key) return line.fail_with(Exit::usage, key.error().message);
    auto profile = parse_signature_profile(options.profile);
    if (!profile) return line.fail_with(Exit::usage, "no such profile: " + options.profile);
    if (*profile == SignatureProfile::automatic) profile = candidates(*key).front();
    auto signer = Signer::create(*profile, *key);
    if (!signer) return line.fail_with(Exit::usage, signer.error().message);
    const auto body = read_input(options.body);
    if (!body) return line.fail_with(Exit::usage, body.error().message);
    const auto canonical = canonical_json(*body);
    if (!canonical) {
        return line.fail_with(Exit::usage, "the body is no JSON: " + canonical.error().message);
    }
    std::int64_t seconds = now_seconds();
    if (!options.timestamp.empty()) {
        const char* end = options.timestamp.data() + options.timestamp.size();
        const auto read = std::from_chars(options.timestamp.data(), end, seconds);
        if (read.ptr != end) return line.fail_with(Exit::usage, "--timestamp: not a number");
    }
    const std::string id = options.id.empty() ? fresh_id() : options.id;
    const SignedForm form = signed_form(*profile, *canonical);
    const std::string& payload = form.signed_text.empty() ? form.body : form.signed_text;
    const std::string shown = JsonObject()
                                  .add("webhook-id", id)
                                  .add("webhook-timestamp", std::to_string(seconds))
                                  .add("webhook-signature", signer->sign(id, seconds, payload))
                                  .add("profile", to_text(*profile))
                                  .add("body", form.body)
                                  .text();
    line.output().one(JsonView(shown), {{"webhook-id", "webhook-id"},
                                        {"webhook-timestamp", "webhook-timestamp"},
                                        {"webhook-signature", "webhook-signature"},
                                        {"profile", "profile"},
                                        {"body", "body"}});
}

/// Takes headers and body out of a saved raw request: header lines, an empty line, the body.
void read_request(const std::string& text, SignOptions& options, std::string& body) {
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
        std::string name(row.substr(0, colon));
        for (char& c : name) c = (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c;
        std::string_view value = row.substr(colon + 1);
        while (value.starts_with(' ')) value.remove_prefix(1);
        if (name == "webhook-id") options.id = value;
        if (name == "webhook-timestamp") options.timestamp = value;
        if (name == "webhook-signature") options.signature = value;
    }
    body = text.substr(at);
}

void verify_request(CommandLine& line, SignOptions options) {
    const auto key = read_secret(options.key_file);
    if (!key) return line.fail_with(Exit::usage, key.error().message);
    const bool whole = !options.request_file.empty();
    auto input = read_input(whole ? options.request_file : options.body);
    if (!input) return line.fail_with(Exit::usage, input.error().message);
    std::string body = *input;
    if (whole) read_request(*input, options, body);
    std::optional<Duration> tolerance;
    if (options.tolerance != "none") {
        tolerance = parse_duration(options.tolerance);
        if (!tolerance) {
            return line.fail_with(Exit::usage, "--tolerance: a duration such as 5m, or none");
        }
    }
    const auto profile = parse_signature_profile(options.profile);
    if (!profile) return line.fail_with(Exit::usage, "no such profile: " + options.profile);
    const SignedRequest request{options.id, options.timestamp, options.signature, body};
    const Time now = SystemClock{}.now();
    Verification result;
    if (*profile == SignatureProfile::automatic) {
        result = verify_any(*key, request, now, tolerance);
    } else {
        result = {verify(*profile, *key, request, now, tolerance), *profile};
    }
    const bool valid = result.verdict == Verdict::valid;
    JsonObject shown;
    shown.add("verdict", to_text(result.verdict));
    if (valid) shown.add("profile", to_text(result.profile));
    if (!valid) shown.add_json("profile", "null");
    line.output().one(JsonView(shown.text()), {{"verdict", "verdict"}, {"profile", "profile"}});
    if (!valid) line.exit = Exit::unverified;
}

}  // namespace

void add_sign_commands(CLI::App& app, CommandLine& line) {
    auto signing = std::make_shared<SignOptions>();
    auto* sign_command = app.add_subcommand(
        "sign",
        "Print the headers that herald would sign a body with\n\n"
        "  herald sign --key-file key.txt body.json\n"
        "  herald sign --key-file key.txt --signature-profile infrahub-repr body.json");
    sign_command->add_option("body", signing->body, "JSON file; - reads standard input");
    sign_command->add_option("--key-file", signing->key_file, "File with the shared key")
        ->required();
    sign_command->add_option("--signature-profile", signing->profile, "How to sign (default auto)");
    sign_command->add_option("--id", signing->id, "webhook-id (default: a new one)");
    sign_command->add_option("--timestamp", signing->timestamp, "Unix seconds (default: now)");
    sign_command->callback([&line, signing] { sign(line, *signing); });

    auto verifying = std::make_shared<SignOptions>();
    auto* verify_command = app.add_subcommand(
        "verify",
        "Check a signature and say which profile it fits; exit 6 when none does\n\n"
        "  herald verify --key-file key.txt --request saved-request.txt\n"
        "  herald verify --key-file key.txt --id msg_... --timestamp 1740656629 \\\n"
        "    --signature v1,... --tolerance none body.json");
    verify_command->add_option("body", verifying->body, "File with the raw body; - reads stdin");
    verify_command->add_option("--key-file", verifying->key_file, "File with the shared key")
        ->required();
    verify_command->add_option("--signature-profile", verifying->profile,
                               "Only this one (default: all that fit the key)");
    verify_command->add_option("--id", verifying->id, "Value of webhook-id");
    verify_command->add_option("--timestamp", verifying->timestamp, "Value of webhook-timestamp");
    verify_command->add_option("--signature", verifying->signature, "Value of webhook-signature");
    verify_command->add_option("--request", verifying->request_file,
                               "A saved request: headers, empty line, body");
    verify_command->add_option("--tolerance", verifying->tolerance,
                               "How far off the timestamp may be (default 5m); none: any");
    verify_command->callback([&line, verifying] { verify_request(line, *verifying); });
}

}  // namespace herald
