#include "core/preset.h"

#include <algorithm>
#include <utility>

#include "core/ascii.h"
#include "core/limits.h"
#include "core/reference.h"
#include "core/suggest.h"

namespace herald {

namespace {

using Wrong = std::vector<FieldError>;

/// Names a preset's own transformation in its webhook.
constexpr std::string_view transformation_member = "transformation";
/// Code holds braces of its own: nothing is put into it.
constexpr std::string_view code_member = "source";
constexpr std::string_view url_member = "url";

void append_encoded(std::string& out, std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : text) {
        if (ascii::is_letter(c) || ascii::is_digit(c) || std::string_view("-._~").contains(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
}

/// Writes a preset's JSON with values in place of its placeholders.
class Filler {
public:
    Filler(const PresetValues& values, std::string& out) : values_(values), out_(out) {}

    void append(JsonView value, std::string_view member);
    /// The members of an object, without the braces around them.
    void append_members(JsonView object);

private:
    void append_text(std::string_view text, bool is_url);
    [[nodiscard]] const std::string* find(std::string_view name) const;

    const PresetValues& values_;
    std::string& out_;
};

void Filler::append(JsonView value, std::string_view member) {
    if (value.is_object()) {
        out_ += '{';
        append_members(value);
        out_ += '}';
    } else if (value.kind() == JsonView::Kind::array) {
        out_ += '[';
        for (auto items = value.items(); items.next();) {
            if (out_.back() != '[') out_ += ',';
            append(items.value(), "");
        }
        out_ += ']';
    } else if (value.is_string() && member != code_member) {
        append_text(value.string().value_or(""), member == url_member);
    } else {
        out_ += value.raw();
    }
}

void Filler::append_members(JsonView object) {
    bool first = true;
    for (auto items = object.items(); items.next();) {
        if (!std::exchange(first, false)) out_ += ',';
        append_json_string(out_, items.key());
        out_ += ':';
        append(items.value(), items.key());
    }
}

const std::string* Filler::find(std::string_view name) const {
    const auto found = std::ranges::find(values_, name, &PresetValues::value_type::first);
    return found == values_.end() ? nullptr : &found->second;
}

/// A value within a URL is one part of it; at its beginning it is the address itself.
void Filler::append_text(std::string_view text, bool is_url) {
    std::string filled;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t open = std::min(text.find('{', at), text.size());
        filled += text.substr(at, open - at);
        if (open == text.size()) break;
        const std::size_t close = std::min(text.find('}', open), text.size() - 1);
        const std::string* value = find(text.substr(open + 1, close - open - 1));
        at = close + 1;
        if (value == nullptr) {
            filled += text.substr(open, at - open);
        } else if (is_url && open > 0) {
            append_encoded(filled, *value);
        } else {
            filled += *value;
            while (is_url && at < text.size() && filled.ends_with('/')) filled.pop_back();
        }
    }
    append_json_string(out_, filled);
}

PresetParameter read_parameter(JsonView value) {
    PresetParameter parameter;
    parameter.name = value.string("name").value_or("");
    parameter.description = value.string("description").value_or("");
    parameter.example = value.string("example").value_or("");
    parameter.secret = value.find("secret").value_or(JsonView{}).boolean().value_or(false);
    parameter.otherwise = value.string("default");
    return parameter;
}

std::string purpose(const PresetParameter& parameter) {
    return parameter.description + ", such as " + parameter.example;
}

void note(Wrong& wrong, std::string_view name, std::string detail) {
    wrong.push_back({"/parameters/" + std::string(name), std::move(detail)});
}

void check_value(const PresetParameter& parameter, const std::string& value, Wrong& wrong) {
    if (value.empty() && !parameter.otherwise) {
        note(wrong, parameter.name, "is empty: give " + purpose(parameter));
    } else if (std::ranges::any_of(value, ascii::is_control)) {
        note(wrong, parameter.name, "must not contain control characters such as line ends");
    } else if (parameter.secret && !parse_reference(value)) {
        note(wrong, parameter.name,
             "is a secret: give where herald reads it, env:NAME or file:/path (it is " +
                 parameter.description + ")");
    } else if (auto complaint = reference_complaint(value);
               parameter.secret && !complaint.empty()) {
        note(wrong, parameter.name, std::move(complaint));
    }
}

bool holds(const std::vector<std::string_view>& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

void check_names(const Preset& preset, const PresetValues& values, Wrong& wrong) {
    std::vector<std::string_view> names;
    names.reserve(preset.parameters.size());
    for (const PresetParameter& parameter : preset.parameters) names.push_back(parameter.name);
    std::vector<std::string_view> seen;
    for (const auto& [name, value] : values) {
        if (holds(seen, name)) note(wrong, name, "is given twice");
        seen.push_back(name);
        if (holds(names, name)) continue;
        std::string known;
        for (const std::string_view one : names) {
            known += (known.empty() ? "" : ", ") + std::string(one);
        }
        const std::string hint = did_you_mean(name, names);
        note(wrong, name,
             "is no parameter of the preset " + preset.name +
                 (hint.empty() ? ", it has " + known : hint));
    }
}

/// The values of all parameters, in the preset's order.
PresetValues complete(const Preset& preset, const PresetValues& values, Wrong& wrong) {
    PresetValues all;
    for (const PresetParameter& parameter : preset.parameters) {
        const auto given =
            std::ranges::find(values, parameter.name, &PresetValues::value_type::first);
        if (given != values.end()) {
            check_value(parameter, given->second, wrong);
            all.push_back(*given);
        } else if (parameter.otherwise) {
            all.emplace_back(parameter.name, *parameter.otherwise);
        } else {
            note(wrong, parameter.name, "is missing: " + purpose(parameter));
        }
    }
    return all;
}

std::string named(std::string_view name, std::string_view document, const PresetValues& values,
                  std::string_view transformation) {
    std::string out = "{\"name\":";
    append_json_string(out, name);
    out += ',';
    Filler(values, out).append_members(JsonView(document));
    if (!transformation.empty()) {
        out += ",\"" + std::string(transformation_member) + "\":";
        append_json_string(out, transformation);
    }
    out += '}';
    return out;
}

}  // namespace

Result<Preset> read_preset(JsonView document) {
    const auto [name, parameters, webhook, transformation] =
        document.find_all({"name", "parameters", "webhook", transformation_member});
    const bool whole = name && name->is_string() && parameters && webhook && webhook->is_object();
    if (!whole) return fail(Errc::invalid, "this is no preset: it lacks a name or a webhook");
    Preset preset{name->string().value_or(""), {}, std::string(webhook->raw()), ""};
    for (auto items = parameters->items(); items.next();) {
        preset.parameters.push_back(read_parameter(items.value()));
    }
    if (transformation && transformation->is_object())
        preset.transformation = transformation->raw();
    return preset;
}

std::string transformation_name(std::string_view webhook_name) {
    std::string name(webhook_name.substr(0, limits::webhook_name_bytes));
    for (char& c : name) {
        if (!ascii::is_letter(c) && !ascii::is_digit(c) && c != '_' && c != '.') c = '-';
    }
    return name;
}

Result<UsedPreset> use(const Preset& preset, std::string_view name, const PresetValues& values) {
    Wrong wrong;
    check_names(preset, values, wrong);
    const PresetValues all = complete(preset, values, wrong);
    if (!wrong.empty()) {
        std::string message;
        for (const FieldError& field : wrong) {
            const std::string_view parameter = std::string_view(field.pointer).substr(12);
            message += (message.empty() ? "" : "\n") + std::string("parameter ") +
                       std::string(parameter) + " " + field.detail;
        }
        return fail(Error{Errc::invalid, std::move(message), std::move(wrong)});
    }
    UsedPreset used;
    std::string refers;
    if (!preset.transformation.empty()) {
        refers = transformation_name(name);
        used.transformation = named(refers, preset.transformation, all, "");
    }
    used.webhook = named(name, preset.webhook, all, refers);
    return used;
}

}  // namespace herald
