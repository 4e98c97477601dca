#include "core/gathering.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "core/limits.h"

namespace herald {

namespace {

template <class T, std::size_t N>
std::optional<T> parse_word(const std::array<T, N>& all, std::string_view text) {
    const auto found = std::ranges::find(all, text, [](T value) { return to_text(value); });
    return found == all.end() ? std::nullopt : std::optional(*found);
}

std::optional<GatherMode> parse_mode(std::string_view text) {
    return parse_word(std::array{GatherMode::none, GatherMode::debounce, GatherMode::settle}, text);
}
std::optional<GatherKey> parse_key(std::string_view text) {
    return parse_word(std::array{GatherKey::webhook, GatherKey::node, GatherKey::root}, text);
}
std::optional<GatherSend> parse_send(std::string_view text) {
    return parse_word(std::array{GatherSend::list, GatherSend::last}, text);
}

}  // namespace

std::string_view to_text(GatherMode mode) {
    switch (mode) {
        case GatherMode::none: return "none";
        case GatherMode::debounce: return "debounce";
        case GatherMode::settle: return "settle";
    }
    return "";
}

std::string_view to_text(GatherKey key) {
    switch (key) {
        case GatherKey::webhook: return "webhook";
        case GatherKey::node: return "node";
        case GatherKey::root: return "root";
    }
    return "";
}

std::string_view to_text(GatherSend send) {
    switch (send) {
        case GatherSend::list: return "list";
        case GatherSend::last: return "last";
    }
    return "";
}

Gathering read_gathering(JsonView value, JsonView stored, std::vector<FieldError>& wrong) {
    Gathering read;
    OptionReader options(value, "/gathering", stored, wrong);
    read.mode = options.choice("mode", read.mode, parse_mode, "none, debounce or settle");
    const bool settle = read.mode == GatherMode::settle;
    if (options.member("key")) {
        read.key = options.choice("key", GatherKey::root, parse_key, "webhook, node or root");
    }
    if (settle && read.by() != GatherKey::root) {
        options.wrong("key", "must be root, or left out, with mode settle");
    }
    read.quiet = options.duration("quiet", read.quiet, limits::quiet_min, limits::quiet_max);
    if (options.member("at_most")) {
        read.at_most =
            options.duration("at_most", read.longest(), limits::quiet_min, limits::gathering_max);
    }
    if (read.longest() < read.quiet) {
        options.wrong("at_most", "must not be shorter than quiet: events of a key wait that long");
    }
    read.most = static_cast<std::uint32_t>(
        options.number("most", read.most, 2, static_cast<std::int64_t>(limits::gathered_most)));
    read.send = options.choice("send", read.send, parse_send, "list or last");
    options.finish();
    return read;
}

void append_gathering(std::string& text, const Gathering& gathering, SecretForm form) {
    OptionWriter out(text, form);
    out.text("mode", to_text(gathering.mode));
    out.text_or_null("key", gathering.key ? to_text(*gathering.key) : "");
    out.duration("quiet", gathering.quiet);
    out.begin("at_most");
    if (gathering.at_most) {
        append_json_string(out.out(), duration_text(*gathering.at_most));
    } else {
        out.out() += "null";
    }
    out.number("most", gathering.most);
    out.text("send", to_text(gathering.send));
    out.finish();
}

EventId root_of(const Event& event) {
    if (!event.ancestors.empty()) return event.ancestors.back().id;
    return event.parent.value_or(event.id);
}

std::string root_key(EventId root) { return "root " + root.text(); }

std::string gather_key(GatherKey key, const Event& event) {
    switch (key) {
        case GatherKey::webhook: return "";
        case GatherKey::node:
            if (event.node.id.empty()) return "event " + event.id.text();
            return "node " + event.node.id + " " + event.branch.value_or("");
        case GatherKey::root: return root_key(root_of(event));
    }
    return "";
}

Gathered::Steady due_at(const Gathering& gathering, const Gathered& gathered) {
    return std::min(gathered.last + gathering.quiet, gathered.first + gathering.longest());
}

bool is_full(const Gathering& gathering, const Gathered& gathered, std::size_t bytes) {
    if (gathered.events == 0) return false;
    if (gathered.events >= gathering.most) return true;
    return gathering.send == GatherSend::list && gathered.bytes + bytes > limits::gathered_bytes;
}

Gathered::Steady began(const Gathering& gathering, Duration age, Gathered::Steady now) {
    return now - std::clamp(age, Duration{0}, gathering.longest() - gathering.quiet);
}

std::string gathered_data(const Gathering& gathering, const std::vector<const Event*>& events) {
    const Event& first = *events.front();
    std::string out = R"({"key":")" + std::string(to_text(gathering.by())) + R"(","value":)";
    switch (gathering.by()) {
        case GatherKey::webhook: out += "null"; break;
        case GatherKey::node: append_json_string(out, first.node.id); break;
        case GatherKey::root: append_json_string(out, root_of(first).text()); break;
    }
    const auto [earliest, latest] =
        std::ranges::minmax(events, {}, [](const Event* event) { return event->received_at; });
    out += R"(,"first_at":")" + to_rfc3339(earliest->received_at);
    out += R"(","last_at":")" + to_rfc3339(latest->received_at);
    out += R"(","count":)" + std::to_string(events.size()) + R"(,"events":[)";
    for (const Event* event : events) {
        if (event != events.front()) out += ',';
        out += event->body;
    }
    out += "]}";
    return out;
}

}  // namespace herald
