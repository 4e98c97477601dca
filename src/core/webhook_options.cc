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

/// A group that is one member of the webhook. `Read` takes no stored value, and `Append` no form,
/// where nothing in the group is secret.
template <auto Member, auto Read, auto Append>
constexpr Group group(std::string_view name) {
    const auto read = [](Webhook& webhook, JsonView value, JsonView stored,
                         std::vector<FieldError>& wrong) {
        if constexpr (requires { Read(value, stored, wrong); }) {
            webhook.*Member = Read(value, stored, wrong);
        } else {
            webhook.*Member = Read(value, wrong);
        }
    };
    const auto write = [](std::string& out, const Webhook& webhook, SecretForm form) {
        if constexpr (requires { Append(out, webhook.*Member, form); }) {
            Append(out, webhook.*Member, form);
        } else {
            Append(out, webhook.*Member);
        }
    };
    return {name, read, write};
}

std::vector<FailureClass> read_retry_on(JsonView value, std::vector<FieldError>& wrong) {
    return read_retry_classes(value, "/retry_on", wrong);
}

std::string read_transformation_name(JsonView value, std::vector<FieldError>& wrong) {
    const auto name = value.string();
    if (!name && !value.is_null()) {
        wrong.push_back({"/transformation", "must be the name of a transformation, or null"});
    }
    return std::string(name.value_or(""));
}

void append_transformation_name(std::string& out, const std::string& name) {
    if (name.empty()) {
        out += "null";
    } else {
        append_json_string(out, name);
    }
}

/// Null while the webhook's profile asks for none.
void write_signature(std::string& out, const Webhook& webhook, SecretForm) {
    if (webhook.signature_profile == SignatureProfile::hmac ||
        webhook.signature != SignatureOptions{}) {
        append_signature_options(out, webhook.signature);
    } else {
        out += "null";
    }
}

constexpr Group signature_group() {
    Group signature =
        group<&Webhook::signature, read_signature_options, append_signature_options>("signature");
    signature.write = write_signature;
    return signature;
}

constexpr std::array groups{
    group<&Webhook::transformation, read_transformation_name, append_transformation_name>(
        "transformation"),
    group<&Webhook::request, read_request_options, append_request_options>("request"),
    group<&Webhook::success, read_success_rule, append_success_rule>("success"),
    group<&Webhook::authentication, read_authentication, append_authentication>("authentication"),
    group<&Webhook::conditions, read_conditions, append_conditions>("conditions"),
    group<&Webhook::retry_on, read_retry_on, append_retry_classes>("retry_on"),
    group<&Webhook::pacing, read_pacing, append_pacing>("pacing"),
    group<&Webhook::breaker, read_breaker, append_breaker>("breaker"),
    group<&Webhook::tls, read_tls_options, append_tls_options>("tls"),
    group<&Webhook::proxy, read_proxy_options, append_proxy_options>("proxy"),
    group<&Webhook::gathering, read_gathering, append_gathering>("gathering"),
    signature_group(),
    group<&Webhook::key_rotation, read_key_rotation, append_key_rotation>("key_rotation"),
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
