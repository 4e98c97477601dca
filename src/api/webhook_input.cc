#include "api/webhook_input.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <optional>

#include "core/ascii.h"
#include "core/limits.h"
#include "core/redact.h"
#include "core/suggest.h"
#include "core/webhook_options.h"

namespace herald {

namespace {

constexpr std::array<std::string_view, 14> writable{"name",
                                                    "kind",
                                                    "event_type",
                                                    "active",
                                                    "branch_scope",
                                                    "node_kind",
                                                    "description",
                                                    "url",
                                                    "shared_key",
                                                    "headers",
                                                    "timeout",
                                                    "retry",
                                                    "signature_profile",
                                                    "validate_certificates"};
constexpr std::array<std::string_view, 11> read_only{"id",
                                                     "has_shared_key",
                                                     "shared_key_fingerprint",
                                                     "shared_key_reference",
                                                     "public_key",
                                                     "accepted_profile",
                                                     "created_at",
                                                     "updated_at",
                                                     "version",
                                                     "health",
                                                     "warnings"};

std::optional<double> decimal(JsonView value) {
    if (value.kind() != JsonView::Kind::number) return std::nullopt;
    const std::string_view text = value.raw();
    double number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc{} || !std::isfinite(number)) return std::nullopt;
    return number;
}

/// Whether "***" stands where redact_url would write it.
bool has_mask(const std::string& url) {
    std::string filled = url;
    for (std::size_t at = 0; (at = filled.find(redacted, at)) != filled.npos; ++at) {
        filled.replace(at, redacted.size(), "x");
    }
    return filled != url && redact_url(filled) != filled;
}

bool is_group(std::string_view key) {
    return std::ranges::find(option_groups(), key) != option_groups().end();
}

/// What an attribute that does not exist may have been meant to be.
std::string suggestion(std::string_view key) {
    std::vector<std::string_view> names(writable.begin(), writable.end());
    names.insert(names.end(), option_groups().begin(), option_groups().end());
    return did_you_mean(key, names);
}

/// One reading of an input into a webhook.
class Input {
public:
    /// `webhook` is what is left out; `stored` is where masked values come from, if anywhere.
    /// `patch`: what a group of options leaves out stays as it is stored.
    Input(Webhook webhook, const Webhook* stored, bool patch = false)
        : webhook_(std::move(webhook)), stored_(stored), patch_(patch) {}

    /// `shown`: read-only members may be given as they are there; null: they may not be given.
    void read(JsonView object, JsonView shown) {
        for (auto items = object.items(); items.next();) {
            const std::string key = items.key();
            if (std::ranges::find(writable, key) != writable.end()) {
                member(key, items.value());
            } else if (is_group(key)) {
                std::vector<FieldError> found;
                read_option_group(webhook_, key, items.value(), stored_, patch_, found);
                for (FieldError& field : found) wrong(std::move(field.pointer), field.detail);
            } else {
                not_writable(key, items.value(), shown);
            }
        }
    }

    Result<Webhook> finish(const EventTypes& types) {
        if (auto valid = validate(webhook_, types); !valid) {
            for (FieldError& field : valid.error().fields) take_over(std::move(field));
        }
        if (wrong_.empty()) return std::move(webhook_);
        return fail_fields("the webhook is wrong", std::move(wrong_));
    }

private:
    void wrong(std::string pointer, std::string detail) {
        if (wrong_.size() >= limits::field_errors) return;
        wrong_.push_back({std::move(pointer), std::move(detail)});
    }

    /// An error of core's validation: once for each member, under the name that the caller used.
    void take_over(FieldError field) {
        const bool told = std::ranges::any_of(wrong_, [&](const FieldError& one) {
            return field.pointer == one.pointer || field.pointer.starts_with(one.pointer + "/");
        });
        if (told) return;
        if (one_type_ && field.pointer == "/event_type/0") field.pointer = "/event_type";
        for (std::size_t i = 0; i < webhook_.headers.size(); ++i) {
            const std::string place = "/headers/" + std::to_string(i);
            const bool variable = webhook_.headers[i].from_environment;
            if (variable && field.pointer == place + "/value") {
                field.pointer = place + "/environment";
            }
        }
        wrong(std::move(field.pointer), std::move(field.detail));
    }

    void not_writable(const std::string& key, JsonView value, JsonView shown) {
        if (std::ranges::find(read_only, key) == read_only.end()) {
            wrong("/" + key, "is no attribute of a webhook" + suggestion(key));
            return;
        }
        const auto stored = shown.find(key);
        if (stored && stored->raw() == value.raw()) return;
        wrong("/" + key, stored ? "is set by the server and is not as stored: read the webhook "
                                  "again, or leave it out"
                                : "is set by the server: leave it out");
    }

    void member(const std::string& key, JsonView value) {
        const Webhook otherwise;
        if (key == "shared_key") {
            webhook_.shared_key = value.is_null() ? std::string{} : text("/shared_key", value);
            if (webhook_.shared_key == redacted) {
                wrong("/shared_key", "is the mask ***: give the key, or leave it out");
            }
        } else if (key == "name") {
            webhook_.name = text_or_empty("/name", value);
        } else if (key == "description") {
            webhook_.description = text_or_empty("/description", value);
        } else if (key == "node_kind") {
            webhook_.filter.node_kind = text_or_empty("/node_kind", value);
        } else if (key == "url") {
            url(value);
        } else if (key == "active") {
            webhook_.active = flag("/active", value, otherwise.active);
        } else if (key == "validate_certificates") {
            webhook_.validate_certificates =
                flag("/validate_certificates", value, otherwise.validate_certificates);
        } else if (key == "event_type") {
            event_types(value);
        } else if (key == "headers") {
            headers(value);
        } else if (key == "timeout") {
            timeout(value);
        } else if (key == "retry") {
            retry(value);
        } else {
            choice(key, value);
        }
    }

    std::string text(const std::string& pointer, JsonView value) {
        auto given = value.string();
        if (!given) wrong(pointer, "must be a text");
        return given.value_or("");
    }

    std::string text_or_empty(const std::string& pointer, JsonView value) {
        return value.is_null() ? std::string{} : text(pointer, value);
    }

    bool flag(const std::string& pointer, JsonView value, bool otherwise) {
        if (value.is_null()) return otherwise;
        const auto given = value.boolean();
        if (!given) wrong(pointer, "must be true or false");
        return given.value_or(otherwise);
    }

    /// kind, branch_scope and signature_profile: one of a few words.
    void choice(const std::string& key, JsonView value) {
        const Webhook otherwise;
        const std::string word = text_or_empty("/" + key, value);
        if (key == "kind") {
            const auto kind = value.is_null() ? otherwise.kind : parse_webhook_kind(word);
            if (!kind) wrong("/kind", "must be standard or custom");
            webhook_.kind = kind.value_or(otherwise.kind);
        } else if (key == "branch_scope") {
            const auto scope =
                value.is_null() ? otherwise.filter.branch_scope : parse_branch_scope(word);
            if (!scope) {
                wrong("/branch_scope", "must be default_branch, other_branches or all_branches");
            }
            webhook_.filter.branch_scope = scope.value_or(otherwise.filter.branch_scope);
        } else {
            const auto profile =
                value.is_null() ? otherwise.signature_profile : parse_signature_profile(word);
            if (!profile) {
                wrong("/signature_profile", "must be " + signature_profile_names());
            }
            webhook_.signature_profile = profile.value_or(otherwise.signature_profile);
        }
    }

    void url(JsonView value) {
        std::string given = text_or_empty("/url", value);
        if (stored_ != nullptr && given == redact_url(stored_->url)) given = stored_->url;
        if (given.find(redacted) != given.npos && has_mask(given) &&
            (stored_ == nullptr || given != stored_->url)) {
            wrong("/url", "holds the mask *** where a secret was: give the secret itself");
        }
        webhook_.url = std::move(given);
    }

    void event_types(JsonView value) {
        one_type_ = value.is_string();
        webhook_.filter.event_types.clear();
        if (value.is_null()) {
            webhook_.filter = {Filter{}.event_types, webhook_.filter.branch_scope,
                               webhook_.filter.node_kind};
        } else if (one_type_) {
            webhook_.filter.event_types.push_back(*value.string());
        } else if (value.kind() == JsonView::Kind::array) {
            std::size_t i = 0;
            for (auto items = value.items(); items.next(); ++i) {
                webhook_.filter.event_types.push_back(
                    text("/event_type/" + std::to_string(i), items.value()));
            }
        } else {
            wrong("/event_type", "must be a text or an array of texts");
        }
    }

    void timeout(JsonView value) {
        if (value.is_null()) {
            webhook_.timeout = Webhook{}.timeout;
            return;
        }
        const auto seconds = decimal(value);
        if (!seconds) return wrong("/timeout", "must be a number of seconds");
        constexpr double most = 1e9;  // far beyond the limit, which validate() knows
        const double bounded = std::clamp(*seconds, -1.0, most);
        webhook_.timeout = std::chrono::milliseconds{std::llround(bounded * 1000)};
    }

    void headers(JsonView value) {
        webhook_.headers.clear();
        if (value.is_null()) return;
        if (value.kind() != JsonView::Kind::array) {
            return wrong("/headers", "must be an array of objects with \"key\" and \"value\"");
        }
        std::size_t i = 0;
        for (auto items = value.items(); items.next(); ++i) {
            header("/headers/" + std::to_string(i), items.value());
        }
    }

    void header(const std::string& pointer, JsonView value) {
        WebhookHeader header;
        const std::string inside = pointer + "/";
        bool has_value = false;
        if (!value.is_object()) wrong(pointer, "must be an object with \"key\" and \"value\"");
        for (auto items = value.items(); value.is_object() && items.next();) {
            const std::string key = items.key();
            const std::string place = inside + key;
            if (key == "key") {
                header.key = text(place, items.value());
            } else if (key == "value" || key == "environment") {
                if (has_value) wrong(place, "give either \"value\" or \"environment\"");
                has_value = true;
                header.from_environment = key == "environment";
                header.value = text(place, items.value());
            } else {
                constexpr std::array<std::string_view, 3> known{"key", "value", "environment"};
                wrong(place, "is no attribute of a header" + did_you_mean(key, known));
            }
        }
        if (value.is_object() && !has_value) {
            wrong(inside + "value", "is required, or \"environment\" with a variable's name");
        }
        unmask(pointer, header);
        webhook_.headers.push_back(std::move(header));
    }

    void unmask(const std::string& pointer, WebhookHeader& header) {
        const bool masked = header.value == redacted && !header.from_environment;
        if (!masked || !is_secret_header(header.key)) return;
        if (stored_ != nullptr) {
            for (const WebhookHeader& known : stored_->headers) {
                if (known.from_environment || ascii::lower(known.key) != ascii::lower(header.key)) {
                    continue;
                }
                header.value = known.value;
                return;
            }
        }
        wrong(pointer + "/value", "is the mask ***, and no value is stored: give the value");
    }

    void retry(JsonView value) {
        if (value.is_null()) {
            webhook_.retry = default_retry();
            return;
        }
        if (!value.is_object()) {
            return wrong("/retry",
                         "must be an object with \"preset\", or \"delays\" and "
                         "\"jitter\"");
        }
        const bool preset = value.find("preset").has_value();
        for (auto items = value.items(); items.next();) {
            const std::string key = items.key();
            if (key == "preset") {
                retry_preset_named(items.value());
            } else if (key != "delays" && key != "jitter") {
                constexpr std::array<std::string_view, 3> known{"preset", "delays", "jitter"};
                wrong("/retry/" + key,
                      "is no attribute of a retry policy" + did_you_mean(key, known));
            } else if (preset) {
                wrong("/retry/" + key, "stands beside a preset: give one of the two");
            } else if (key == "delays") {
                delays(items.value());
            } else {
                const auto jitter = decimal(items.value());
                if (!jitter) wrong("/retry/jitter", "must be a number from 0 to 1");
                webhook_.retry.jitter = jitter.value_or(0);
            }
        }
    }

    void retry_preset_named(JsonView value) {
        const auto name = value.string();
        const auto policy = name ? retry_preset(*name) : std::nullopt;
        if (!policy) return wrong("/retry/preset", "must be standard, infrahub or none");
        webhook_.retry = *policy;
    }

    void delays(JsonView value) {
        webhook_.retry.delays.clear();
        if (value.kind() != JsonView::Kind::array) {
            return wrong("/retry/delays", "must be an array of durations such as \"30s\"");
        }
        std::size_t i = 0;
        for (auto items = value.items(); items.next(); ++i) {
            const JsonView one = items.value();
            const bool number = one.kind() == JsonView::Kind::number;
            const auto text = number ? std::string(one.raw()) : one.string().value_or("");
            const auto delay = parse_duration(text);
            if (!delay) {
                wrong("/retry/delays/" + std::to_string(i),
                      "must be a duration such as \"30s\", \"5m\" or \"2h\", or seconds");
            }
            webhook_.retry.delays.push_back(delay.value_or(Duration{0}));
        }
    }

    Webhook webhook_;
    const Webhook* stored_;
    bool patch_;
    std::vector<FieldError> wrong_;
    bool one_type_ = false;  ///< event_type was given as a text
};

}  // namespace

Result<Webhook> read_new_webhook(JsonView input, const EventTypes& types) {
    Input reading(Webhook{}, nullptr);
    reading.read(input, JsonView{});
    return reading.finish(types);
}

Result<Webhook> read_replacement(JsonView input, const Webhook& stored, JsonView shown,
                                 const EventTypes& types) {
    Webhook start;
    start.id = stored.id;
    start.uuid = stored.uuid;
    start.shared_key = stored.shared_key;
    Input reading(std::move(start), &stored);
    reading.read(input, shown);
    return reading.finish(types);
}

Result<Webhook> read_patch(JsonView input, const Webhook& stored, const EventTypes& types) {
    Input reading(stored, &stored, true);
    reading.read(input, JsonView{});
    return reading.finish(types);
}

}  // namespace herald
