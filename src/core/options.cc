#include "core/options.h"

#include <algorithm>
#include <utility>

#include "core/redact.h"
#include "core/reference.h"
#include "core/suggest.h"

namespace herald {

OptionReader::OptionReader(JsonView object, std::string pointer, JsonView stored,
                           std::vector<FieldError>& wrong)
    : object_(object), pointer_(std::move(pointer)), stored_(stored), wrong_(wrong) {
    if (!object.is_object() && !object.is_null()) this->wrong("", "must be an object");
}

std::string OptionReader::pointer(std::string_view name) const {
    return name.empty() ? pointer_ : pointer_ + "/" + std::string(name);
}

void OptionReader::wrong(std::string_view name, std::string detail) {
    wrong_.push_back({pointer(name), std::move(detail)});
}

std::optional<JsonView> OptionReader::member(std::string_view name) {
    known_.push_back(name);
    auto found = object_.find(name);
    if (found && found->is_null()) found.reset();
    return found;
}

JsonView OptionReader::stored(std::string_view name) const {
    return stored_.find(name).value_or(JsonView{});
}

std::string OptionReader::text(std::string_view name, std::string otherwise) {
    const auto given = member(name);
    if (!given) return otherwise;
    auto value = given->string();
    if (!value) wrong(name, "must be a text");
    return value ? std::move(*value) : std::move(otherwise);
}

std::string OptionReader::secret(std::string_view name) {
    std::string value = text(name);
    if (value != redacted) return value;
    auto known = stored(name).string();
    if (!known) wrong(name, "is the mask ***, and no value is stored: give the value");
    return known.value_or("");
}

bool OptionReader::flag(std::string_view name, bool otherwise) {
    const auto given = member(name);
    if (!given) return otherwise;
    const auto value = given->boolean();
    if (!value) wrong(name, "must be true or false");
    return value.value_or(otherwise);
}

std::int64_t OptionReader::number(std::string_view name, std::int64_t otherwise, std::int64_t least,
                                  std::int64_t most) {
    const auto given = member(name);
    if (!given) return otherwise;
    const auto value = given->integer();
    if (value && *value >= least && *value <= most) return *value;
    wrong(name,
          "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return otherwise;
}

Duration OptionReader::duration(std::string_view name, Duration otherwise, Duration least,
                                Duration most) {
    const auto given = member(name);
    if (!given) return otherwise;
    const bool number = given->kind() == JsonView::Kind::number;
    const auto value =
        parse_duration(number ? std::string(given->raw()) : given->string().value_or(""));
    if (value && *value >= least && *value <= most) return *value;
    wrong(name, "must be a duration from " + duration_text(least) + " to " + duration_text(most) +
                    ", such as \"30s\", \"5m\" or \"2h\"");
    return otherwise;
}

std::vector<std::string> OptionReader::texts(std::string_view name, std::size_t most) {
    std::vector<std::string> values;
    const auto given = member(name);
    if (!given) return values;
    if (given->kind() != JsonView::Kind::array) {
        wrong(name, "must be an array of texts");
        return values;
    }
    std::size_t i = 0;
    for (auto items = given->items(); items.next(); ++i) {
        if (i == most) {
            wrong(name, "may hold at most " + std::to_string(most) + " entries");
            break;
        }
        auto value = items.value().string();
        if (!value) wrong(std::string(name) + "/" + std::to_string(i), "must be a text");
        values.push_back(std::move(value).value_or(""));
    }
    return values;
}

void OptionReader::finish() {
    if (!object_.is_object()) return;
    for (auto items = object_.items(); items.next();) {
        const std::string key = items.key();
        if (std::ranges::find(known_, key) != known_.end()) continue;
        const std::string where = pointer_.substr(pointer_.rfind('/') + 1);
        wrong(key, (where.empty() ? "is not known here" : "is no attribute of " + where) +
                       did_you_mean(key, known_));
    }
}

void OptionWriter::begin(std::string_view name) {
    if (!std::exchange(first_, false)) out_ += ',';
    append_json_string(out_, name);
    out_ += ':';
}

void OptionWriter::text(std::string_view name, std::string_view value) {
    begin(name);
    append_json_string(out_, value);
}

void OptionWriter::text_or_null(std::string_view name, std::string_view value) {
    if (!value.empty()) return text(name, value);
    begin(name);
    out_ += "null";
}

void OptionWriter::secret(std::string_view name, std::string_view value) {
    // Where a secret lies is none.
    const bool hidden = form_ == SecretForm::masked && !value.empty() && !parse_reference(value);
    text_or_null(name, hidden ? redacted : value);
}

void OptionWriter::flag(std::string_view name, bool value) {
    begin(name);
    out_ += value ? "true" : "false";
}

void OptionWriter::number(std::string_view name, std::int64_t value) {
    begin(name);
    out_ += std::to_string(value);
}

void OptionWriter::duration(std::string_view name, Duration value) {
    text(name, duration_text(value));
}

void OptionWriter::texts(std::string_view name, const std::vector<std::string>& values) {
    begin(name);
    out_ += '[';
    for (const std::string& value : values) {
        if (&value != values.data()) out_ += ',';
        append_json_string(out_, value);
    }
    out_ += ']';
}

std::string merge_patch(JsonView base, JsonView patch) {
    if (!patch.is_object()) return std::string(patch.raw());
    std::string out;
    OptionWriter merged(out, SecretForm::plain);
    const JsonView old = base.is_object() ? base : JsonView("{}");
    for (auto items = old.items(); items.next();) {
        const std::string key = items.key();
        const auto change = patch.find(key);
        if (change && change->is_null()) continue;
        merged.begin(key);
        out += change ? merge_patch(items.value(), *change) : std::string(items.value().raw());
    }
    for (auto items = patch.items(); items.next();) {
        const std::string key = items.key();
        if (items.value().is_null() || old.find(key)) continue;
        merged.begin(key);
        out += merge_patch(JsonView{}, items.value());
    }
    merged.finish();
    return out;
}

}  // namespace herald
