#include <memory>

#include <boost/json.hpp>

#include "app/commands.h"
#include "async/clock.h"
#include "base/json.h"
#include "core/signature.h"
#include "infrahub/decode.h"
#include "infrahub/names.h"
#include "infrahub/samples.h"

namespace herald {

namespace {

namespace json = boost::json;

struct TriggerOptions {
    std::string type = "infrahub.node.updated";
    std::string branch;
    std::vector<std::string> sets;
    std::string url;
    std::string key_file;
    std::string profile = "auto";
    bool print = false;
    bool wait = false;
};

/// Sets "data.kind=InfraDevice" in the sample; the value is JSON where it parses, else text.
Result<> set_path(json::value& sample, const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
        return fail(Errc::invalid, "--set " + text + ": write it as path=value");
    }
    json::error_code error;
    json::value value = json::parse(text.substr(equals + 1), error);
    if (error) value = text.substr(equals + 1);
    json::value* at = &sample;
    std::string_view path = std::string_view(text).substr(0, equals);
    while (!path.empty()) {
        const std::size_t dot = std::min(path.find('.'), path.size());
        if (!at->is_object()) at->emplace_object();
        at = &at->as_object()[path.substr(0, dot)];
        path.remove_prefix(std::min(dot + 1, path.size()));
    }
    *at = std::move(value);
    return {};
}

Result<std::string> make_sample(const TriggerOptions& options) {
    const auto sample = infrahub::sample_event(options.type, SystemClock{}.now());
    if (!sample) {
        std::vector<std::string> known;
        for (const EventType& type : infrahub::event_types().all()) known.emplace_back(type.name);
        const std::string guess = nearest(options.type, known);
        return fail(Errc::invalid, "there is no sample for " + options.type +
                                       (guess.empty() ? "" : ": did you mean " + guess + "?"));
    }
    json::value event = json::parse(*sample);
    if (!options.branch.empty()) event.as_object()["branch"] = options.branch;
    for (const std::string& set : options.sets) {
        if (auto done = set_path(event, set); !done) return fail(done.error());
    }
    return json::serialize(event);
}

/// Straight to a receiver, without a server: the body signed as herald signs it.
void send_directly(CommandLine& line, const TriggerOptions& options, const std::string& sample) {
    const auto canonical = canonical_json(sample);
    const auto event = infrahub::decode_event(JsonView(*canonical), SystemClock{}.now(), "trigger");
    if (!event) return line.fail_with(Exit::usage, event.error().message);
    ApiRequest request{"POST", "/", event->body};
    if (!options.key_file.empty()) {
        const auto key = read_secret(options.key_file);
        if (!key) return line.fail_with(Exit::usage, key.error().message);
        auto profile = parse_signature_profile(options.profile);
        if (!profile) return line.fail_with(Exit::usage, "no such profile: " + options.profile);
        if (*profile == SignatureProfile::automatic) profile = candidates(*key).front();
        auto signer = Signer::create(*profile, *key);
        if (!signer) return line.fail_with(Exit::usage, signer.error().message);
        const SignedForm form = signed_form(*profile, event->body);
        const auto now = std::chrono::floor<std::chrono::seconds>(SystemClock{}.now());
        const std::int64_t seconds = now.time_since_epoch().count();
        std::string bare = Uuid::random().text();
        std::erase(bare, '-');
        const std::string id = "msg_" + bare;
        const std::string& payload = form.signed_text.empty() ? form.body : form.signed_text;
        request.headers = {{"webhook-id", id},
                           {"webhook-timestamp", std::to_string(seconds)},
                           {"webhook-signature", signer->sign(id, seconds, payload)}};
        request.body = form.body;
    }
    const auto reply = http_call(options.url, request);
    if (!reply) return line.fail_with(Exit::unreachable, reply.error().message);
    line.output().one(json::object{{"status", reply->status}, {"body", reply->text}},
                      {{"status", "status"}, {"body", "body"}});
    if (!reply->ok()) line.exit = Exit::undelivered;
}

void trigger(CommandLine& line, const TriggerOptions& options) {
    auto sample = make_sample(options);
    if (!sample) return line.fail_with(Exit::usage, sample.error().message);
    if (options.print) {
        std::printf("%s\n", to_pretty_json(json::parse(*sample)).c_str());
        return;
    }
    if (!options.url.empty()) return send_directly(line, options, *sample);
    const auto reply = line.call({"POST", "/api/v1/events", *sample});
    if (!reply) return;
    if (!options.wait) {
        return line.output().one(
            reply->json, {{"status", "status"}, {"event id", "id"}, {"deliveries", "deliveries"}});
    }
    std::vector<std::string> ids;
    for (const auto& id : reply->json.at("deliveries").as_array()) ids.emplace_back(id.as_string());
    wait_for_deliveries(line, ids, std::chrono::seconds{60});
}

}  // namespace

void add_trigger(CLI::App& app, CommandLine& line) {
    auto options = std::make_shared<TriggerOptions>();
    auto* command = app.add_subcommand(
        "trigger",
        "Send a realistic sample of any event type\n\n"
        "  herald trigger infrahub.node.updated --wait\n"
        "  herald trigger infrahub.node.created --branch main --set data.kind=InfraDevice\n"
        "  herald trigger infrahub.branch.created --url http://127.0.0.1:8200 --key-file key.txt");
    command->add_option("event", options->type, "Event type (default infrahub.node.updated)");
    command->add_option("--branch", options->branch, "Branch of the event");
    command->add_option("--set", options->sets, "path=value in the event; may be repeated");
    command->add_option("--url", options->url, "Send to this receiver, not through a server");
    command->add_option("--key-file", options->key_file, "With --url: file with the shared key");
    command->add_option("--signature-profile", options->profile, "With --url: how to sign");
    command->add_flag("--print", options->print, "Only print the event");
    command->add_flag("--wait", options->wait, "Wait for the outcome of the first attempts");
    command->callback([&line, options] { trigger(line, *options); });
}

}  // namespace herald
