#include "core/request_options.h"

#include <algorithm>

#include "core/ascii.h"
#include "core/limits.h"

namespace herald {

namespace {

bool is_token(std::string_view text) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return ascii::is_letter(c) || ascii::is_digit(c) || marks.contains(c);
    });
}

}  // namespace

std::string_view to_text(Method method) {
    switch (method) {
        case Method::post: return "POST";
        case Method::put: return "PUT";
        case Method::patch: return "PATCH";
    }
    return "";
}

std::optional<Method> parse_method(std::string_view text) {
    for (const Method method : {Method::post, Method::put, Method::patch}) {
        if (to_text(method) == text) return method;
    }
    return std::nullopt;
}

std::string_view to_text(Encoding encoding) {
    return encoding == Encoding::ascii ? "ascii" : "utf8";
}

std::optional<Encoding> parse_encoding(std::string_view text) {
    if (text == "ascii") return Encoding::ascii;
    if (text == "utf8") return Encoding::utf8;
    return std::nullopt;
}

RequestOptions read_request_options(JsonView value, JsonView stored,
                                    std::vector<FieldError>& wrong) {
    OptionReader reader(value, "/request", stored, wrong);
    RequestOptions options;
    options.method = reader.choice("method", Method::post, parse_method, "POST, PUT or PATCH");
    options.content_type = reader.text("content_type");
    if (!options.content_type.empty() && !is_media_type(options.content_type)) {
        reader.wrong("content_type", "must be a media type such as \"application/json\"");
    }
    options.encoding = reader.choice("encoding", Encoding::ascii, parse_encoding, "ascii or utf8");
    options.max_bytes =
        static_cast<std::uint32_t>(reader.number("max_bytes", 0, 1, limits::made_bytes));
    reader.finish();
    return options;
}

void append_request_options(std::string& out, const RequestOptions& options, SecretForm form) {
    OptionWriter writer(out, form);
    writer.text("method", to_text(options.method));
    writer.text_or_null("content_type", options.content_type);
    writer.text("encoding", to_text(options.encoding));
    if (options.max_bytes > 0) {
        writer.number("max_bytes", options.max_bytes);
    } else {
        writer.begin("max_bytes");
        out += "null";
    }
    writer.finish();
}

bool is_media_type(std::string_view text) {
    if (text.size() > limits::label_bytes) return false;
    const bool printable = std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; });
    const std::string_view type = text.substr(0, text.find(';'));
    const std::size_t slash = type.find('/');
    if (!printable || slash == type.npos) return false;
    std::string_view subtype = type.substr(slash + 1);
    while (subtype.ends_with(' ')) subtype.remove_suffix(1);
    return is_token(type.substr(0, slash)) && is_token(subtype);
}

bool is_json_type(std::string_view content_type) {
    std::string_view type = content_type.substr(0, content_type.find(';'));
    while (type.ends_with(' ')) type.remove_suffix(1);
    const std::string plain = ascii::lower(type);
    return plain == "application/json" || plain.ends_with("+json");
}

}  // namespace herald
