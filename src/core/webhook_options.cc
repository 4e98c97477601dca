#include "core/webhook_options.h"

#include <algorithm>
#include <array>
#include <optional>

namespace herald {

namespace {

/// One group of options.
struct Group {
    std::string_view name;
    /// `value` and `stored` are the group's own JSON; null: left out, not stored.
    void (*read)(Webhook& webhook, JsonView value, JsonView stored, std::vector<FieldError>& wrong);
    void (*write)(std::string& out, const Webhook& webhook, SecretForm form);
};

void read_retry_on(Webhook& webhook, JsonView value, JsonView, std::vector<FieldError>& wrong) {
    webhook.retry_on = read_retry_classes(value, "/retry_on", wrong);
}

void write_retry_on(std::string& out, const Webhook& webhook, SecretForm) {
    append_retry_classes(out, webhook.retry_on);
}

void read_pacing_group(Webhook& webhook, JsonView value, JsonView stored,
                       std::vector<FieldError>& wrong) {
    webhook.pacing = read_pacing(value, stored, wrong);
}

void write_pacing_group(std::string& out, const Webhook& webhook, SecretForm form) {
    write_pacing(out, webhook.pacing, form);
}

void read_breaker_group(Webhook& webhook, JsonView value, JsonView stored,
                        std::vector<FieldError>& wrong) {
    webhook.breaker = read_breaker(value, stored, wrong);
}

void write_breaker_group(std::string& out, const Webhook& webhook, SecretForm form) {
    write_breaker(out, webhook.breaker, form);
}

void read_authentication_group(Webhook& webhook, JsonView value, JsonView stored,
                               std::vector<FieldError>& wrong) {
    webhook.authentication = read_authentication(value, stored, wrong);
}

void write_authentication_group(std::string& out, const Webhook& webhook, SecretForm form) {
    append_authentication(out, webhook.authentication, form);
}

void read_tls(Webhook& webhook, JsonView value, JsonView stored, std::vector<FieldError>& wrong) {
    OptionReader reader(value, "/tls", stored, wrong);
    webhook.tls = read_tls_options(reader);
    reader.finish();
}

void write_tls(std::string& out, const Webhook& webhook, SecretForm form) {
    append_tls_options(out, webhook.tls, form);
}

void read_proxy(Webhook& webhook, JsonView value, JsonView stored, std::vector<FieldError>& wrong) {
    OptionReader reader(value, "/proxy", stored, wrong);
    webhook.proxy = read_proxy_options(reader);
    reader.finish();
}

void write_proxy(std::string& out, const Webhook& webhook, SecretForm form) {
    append_proxy_options(out, webhook.proxy, form);
}

void read_conditions_group(Webhook& webhook, JsonView value, JsonView,
                           std::vector<FieldError>& wrong) {
    webhook.conditions = read_conditions(value, wrong);
}

void write_conditions_group(std::string& out, const Webhook& webhook, SecretForm) {
    append_conditions(out, webhook.conditions);
}

void read_gathering_of(Webhook& webhook, JsonView value, JsonView stored,
                       std::vector<FieldError>& wrong) {
    OptionReader options(value, "/gathering", stored, wrong);
    webhook.gathering = read_gathering(options);
}

void write_gathering_of(std::string& out, const Webhook& webhook, SecretForm form) {
    OptionWriter options(out, form);
    write_gathering(options, webhook.gathering);
}

void read_signature(Webhook& webhook, JsonView value, JsonView, std::vector<FieldError>& wrong) {
    webhook.signature = read_signature_options(value, wrong);
}

void write_signature(std::string& out, const Webhook& webhook, SecretForm) {
    if (webhook.signature_profile == SignatureProfile::hmac ||
        webhook.signature != SignatureOptions{}) {
        append_signature_options(out, webhook.signature);
    } else {
        out += "null";
    }
}

void read_rotation(Webhook& webhook, JsonView value, JsonView stored,
                   std::vector<FieldError>& wrong) {
    webhook.key_rotation = read_key_rotation(value, stored, wrong);
}

void write_rotation(std::string& out, const Webhook& webhook, SecretForm form) {
    append_key_rotation(out, webhook.key_rotation, form);
}

void read_transformation_name(Webhook& webhook, JsonView value, JsonView,
                              std::vector<FieldError>& wrong) {
    const auto name = value.string();
    if (!name && !value.is_null()) {
        wrong.push_back({"/transformation", "must be the name of a transformation, or null"});
    }
    webhook.transformation = name.value_or("");
}

void write_transformation_name(std::string& out, const Webhook& webhook, SecretForm) {
    if (webhook.transformation.empty()) {
        out += "null";
    } else {
        append_json_string(out, webhook.transformation);
    }
}

void read_request(Webhook& webhook, JsonView value, JsonView stored,
                  std::vector<FieldError>& wrong) {
    webhook.request = read_request_options(value, stored, wrong);
}

void write_request(std::string& out, const Webhook& webhook, SecretForm form) {
    append_request_options(out, webhook.request, form);
}

void read_success(Webhook& webhook, JsonView value, JsonView stored,
                  std::vector<FieldError>& wrong) {
    webhook.success = read_success_rule(value, stored, wrong);
}

void write_success(std::string& out, const Webhook& webhook, SecretForm form) {
    append_success_rule(out, webhook.success, form);
}

constexpr std::array groups{
    Group{"transformation", read_transformation_name, write_transformation_name},
    Group{"request", read_request, write_request},
    Group{"success", read_success, write_success},
    Group{"authentication", read_authentication_group, write_authentication_group},
    Group{"conditions", read_conditions_group, write_conditions_group},
    Group{"retry_on", read_retry_on, write_retry_on},
    Group{"pacing", read_pacing_group, write_pacing_group},
    Group{"breaker", read_breaker_group, write_breaker_group},
    Group{"tls", read_tls, write_tls},
    Group{"proxy", read_proxy, write_proxy},
    Group{"gathering", read_gathering_of, write_gathering_of},
    Group{"signature", read_signature, write_signature},
    Group{"key_rotation", read_rotation, write_rotation},
};

std::string written(const Group& group, const Webhook& webhook, SecretForm form) {
    std::string out;
    group.write(out, webhook, form);
    return out;
}

}  // namespace

const std::vector<std::string_view>& option_groups() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> all;
        for (const Group& group : groups) all.push_back(group.name);
        return all;
    }();
    return names;
}

void read_option_group(Webhook& webhook, std::string_view name, JsonView value,
                       const Webhook* stored, bool merge, std::vector<FieldError>& wrong) {
    const auto group = std::ranges::find(groups, name, &Group::name);
    const std::string known =
        stored != nullptr ? written(*group, *stored, SecretForm::plain) : "null";
    std::string merged;
    if (merge && value.is_object()) {
        merged = merge_patch(JsonView(known), value);
        value = JsonView(merged);
    }
    group->read(webhook, value, JsonView(known), wrong);
}

void append_option_groups(std::string& out, const Webhook& webhook) {
    for (const Group& group : groups) {
        out += ',';
        append_json_string(out, group.name);
        out += ':';
        group.write(out, webhook, SecretForm::masked);
    }
}

std::string stored_options(const Webhook& webhook) {
    static const Webhook otherwise;
    std::string out;
    OptionWriter writer(out, SecretForm::plain);
    for (const Group& group : groups) {
        const std::string value = written(group, webhook, SecretForm::plain);
        if (value == written(group, otherwise, SecretForm::plain)) continue;
        writer.begin(group.name);
        out += value;
    }
    writer.finish();
    return out;
}

Result<> read_stored_options(Webhook& webhook, std::string_view text) {
    std::vector<FieldError> wrong;
    const JsonView options(text);
    for (const Group& group : groups) {
        const JsonView value = options.find(group.name).value_or(JsonView{});
        group.read(webhook, value, value, wrong);
    }
    if (wrong.empty()) return {};
    return fail(Errc::internal, "the stored options of webhook " + webhook.name +
                                    " are wrong: " + wrong[0].pointer + " " + wrong[0].detail);
}

}  // namespace herald
