#include "core/transformation.h"

#include <algorithm>
#include <array>

#include "core/ascii.h"
#include "core/limits.h"
#include "core/redact.h"
#include "core/reference.h"
#include "core/request_options.h"
#include "core/webhook.h"

namespace herald {

namespace {

constexpr std::array<std::string_view, 5> read_only{"id", "version", "created_at", "updated_at",
                                                    "used_by"};

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= limits::webhook_name_bytes &&
           std::ranges::all_of(text, [](char c) {
               return ascii::is_letter(c) || ascii::is_digit(c) || c == '-' || c == '_' || c == '.';
           });
}

/// Reads one transformation, and notes all that is wrong with it.
class Reader {
public:
    Reader(JsonView input, JsonView stored, std::vector<FieldError>& wrong)
        : reader_(input, "", stored, wrong), wrong_(wrong) {}

    Transformation read();

private:
    void code();
    std::optional<RepositorySource> repository();
    void limits();
    void check_templates();
    void check_code();
    NamedTexts texts(std::string_view name);
    void check_variables(std::string_view name, const NamedTexts& values, bool references_only);

    OptionReader reader_;
    std::vector<FieldError>& wrong_;
    Transformation made_;
};

Transformation Reader::read() {
    for (const std::string_view name : read_only) (void)reader_.member(name);
    made_.name = reader_.text("name");
    if (!is_name(made_.name)) {
        reader_.wrong("name", "must be 1 to " + std::to_string(limits::webhook_name_bytes) +
                                  " letters, digits, \"-\", \"_\" or \".\"");
    }
    made_.description = reader_.text("description");
    if (made_.description.size() > limits::description_bytes) {
        reader_.wrong("description",
                      "may have at most " + std::to_string(limits::description_bytes) + " bytes");
    }
    if (!reader_.member("runtime")) reader_.wrong("runtime", "is required: python, jinja2 or jq");
    made_.runtime = reader_.choice("runtime", Runtime::jq, parse_runtime, "python, jinja2 or jq");
    code();
    made_.content_type = reader_.text("content_type", "application/json");
    if (!is_media_type(made_.content_type)) {
        reader_.wrong("content_type", "must be a media type such as \"application/json\"");
    }
    made_.input =
        reader_.choice("input", TransformInput::body, parse_transform_input, "body or data");
    check_templates();
    limits();
    made_.environment = texts("environment");
    check_variables("environment", made_.environment, false);
    made_.secrets = texts("secrets");
    check_variables("secrets", made_.secrets, true);
    reader_.finish();
    return std::move(made_);
}

void Reader::code() {
    made_.source = reader_.text("source");
    made_.repository = repository();
    made_.file = reader_.text("file");
    made_.class_name = reader_.text("class");
    check_code();
}

void Reader::check_code() {
    const bool python = made_.runtime == Runtime::python;
    if (made_.source.size() > limits::transformation_source_bytes) {
        reader_.wrong("source", "may have at most " +
                                    std::to_string(limits::transformation_source_bytes) +
                                    " bytes: keep larger code in a repository");
    }
    if (made_.source.empty() && !made_.repository) {
        reader_.wrong("source", "is required, or a repository that holds the code");
    }
    if (!made_.source.empty() && made_.repository) {
        reader_.wrong("source", "stands beside a repository: give one of the two");
    }
    if (!made_.class_name.empty() && !python) reader_.wrong("class", "is for python only");
    if (!made_.repository) {
        if (!made_.file.empty()) reader_.wrong("file", "is for code in a repository");
        return;
    }
    const bool named = !made_.repository->transform.empty();
    if (named && !python) reader_.wrong("repository/transform", "is for python: give a file");
    if (named == !made_.file.empty() && (python || !named)) {
        reader_.wrong("file", python ? "give either a file, or repository.transform, the name in "
                                       "the repository's list"
                                     : "is required: where in the repository the code lies");
    }
}

std::optional<RepositorySource> Reader::repository() {
    const auto given = reader_.member("repository");
    if (!given) return std::nullopt;
    OptionReader reader(*given, "/repository", JsonView{}, wrong_);
    RepositorySource source;
    source.location = reader.text("location");
    if (source.location.empty()) {
        reader.wrong("location", "is required: a folder on this machine, or a URL to clone");
    } else if (source.location.size() > limits::url_bytes) {
        reader.wrong("location",
                     "may have at most " + std::to_string(limits::url_bytes) + " bytes");
    } else if (source.location.starts_with("http") &&
               redact_url(source.location) != source.location) {
        reader.wrong("location", "holds a secret: give username and password apart");
    }
    source.transform = reader.text("transform");
    source.branch = reader.text("branch", source.branch);
    source.username = reader.text("username");
    source.password = reader.text("password");
    if (!source.password.empty() && !parse_reference(source.password)) {
        reader.wrong("password", "must be a reference: env:NAME or file:/path");
    }
    reader.finish();
    return source;
}

void Reader::limits() {
    namespace l = herald::limits;
    made_.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(reader_.duration(
        "timeout", made_.timeout, l::transformation_time_min, Duration{l::timeout_max}));
    const auto given = reader_.member("limits");
    OptionReader reader(given.value_or(JsonView{}), "/limits", JsonView{}, wrong_);
    const auto whole = [&](std::string_view name, std::uint32_t otherwise, std::int64_t least,
                           std::int64_t most) {
        return static_cast<std::uint32_t>(reader.number(name, otherwise, least, most));
    };
    made_.memory_mb = whole("memory_mb", made_.memory_mb, 16, 8'192);
    made_.cpu_seconds = whole("cpu_seconds", made_.cpu_seconds, 1, 300);
    made_.output_bytes =
        whole("output_bytes", made_.output_bytes, 1, static_cast<std::int64_t>(l::made_bytes));
    reader.finish();
    made_.network = reader_.flag("network", false);
}

void Reader::check_templates() {
    made_.url = reader_.text("url");
    made_.headers = texts("headers");
    if (made_.runtime == Runtime::jinja2) {
        for (const auto& [name, value] : made_.headers) {
            // What it renders to is checked when it is sent.
            if (!validate_header(name, "x")) reader_.wrong("headers/" + name, "cannot be sent");
        }
        return;
    }
    if (!made_.url.empty()) reader_.wrong("url", "is a template: for jinja2 only");
    if (!made_.headers.empty()) reader_.wrong("headers", "are templates: for jinja2 only");
}

NamedTexts Reader::texts(std::string_view name) {
    NamedTexts values;
    const auto given = reader_.member(name);
    if (!given) return values;
    if (!given->is_object()) {
        reader_.wrong(name, "must be an object of texts");
        return values;
    }
    for (auto items = given->items(); items.next();) {
        const std::string key = items.key();
        const auto text = items.value().string();
        if (!text) reader_.wrong(std::string(name) + "/" + key, "must be a text");
        if (values.size() == limits::transformation_values) {
            reader_.wrong(name, "may hold at most " +
                                    std::to_string(limits::transformation_values) + " entries");
            break;
        }
        values.emplace_back(key, text.value_or(""));
    }
    std::ranges::sort(values);
    return values;
}

void Reader::check_variables(std::string_view name, const NamedTexts& values,
                             bool references_only) {
    for (const auto& [key, value] : values) {
        const std::string place = std::string(name) + "/" + key;
        if (!is_variable_name(key))
            reader_.wrong(place, "must be named by letters, digits and \"_\"");
        if (references_only && !parse_reference(value)) {
            reader_.wrong(place, "must be a reference: env:NAME or file:/path");
        }
        if (value == redacted) reader_.wrong(place, "is the mask ***: give the value");
    }
}

void append_texts(OptionWriter& writer, std::string_view name, const NamedTexts& values) {
    writer.begin(name);
    OptionWriter inner(writer.out(), writer.form());
    for (const auto& [key, value] : values) inner.text(key, value);
    inner.finish();
}

void append_repository(OptionWriter& writer, const std::optional<RepositorySource>& source) {
    writer.begin("repository");
    if (!source) {
        writer.out() += "null";
        return;
    }
    OptionWriter inner(writer.out(), writer.form());
    inner.text("location", source->location);
    inner.text_or_null("transform", source->transform);
    inner.text("branch", source->branch);
    inner.text_or_null("username", source->username);
    inner.text_or_null("password", source->password);
    inner.finish();
}

void append_members(OptionWriter& writer, const Transformation& made) {
    writer.text("name", made.name);
    writer.text("description", made.description);
    writer.text("runtime", to_text(made.runtime));
    writer.text_or_null("source", made.source);
    append_repository(writer, made.repository);
    writer.text_or_null("file", made.file);
    writer.text_or_null("class", made.class_name);
    writer.text_or_null("url", made.url);
    append_texts(writer, "headers", made.headers);
    writer.text("content_type", made.content_type);
    writer.text("input", to_text(made.input));
    writer.duration("timeout", made.timeout);
    writer.begin("limits");
    OptionWriter limits(writer.out(), writer.form());
    limits.number("memory_mb", made.memory_mb);
    limits.number("cpu_seconds", made.cpu_seconds);
    limits.number("output_bytes", made.output_bytes);
    limits.finish();
    writer.flag("network", made.network);
    append_texts(writer, "environment", made.environment);
    append_texts(writer, "secrets", made.secrets);
}

}  // namespace

std::string_view to_text(Runtime runtime) {
    switch (runtime) {
        case Runtime::python: return "python";
        case Runtime::jinja2: return "jinja2";
        case Runtime::jq: return "jq";
    }
    return "";
}

std::optional<Runtime> parse_runtime(std::string_view text) {
    for (const Runtime runtime : {Runtime::python, Runtime::jinja2, Runtime::jq}) {
        if (to_text(runtime) == text) return runtime;
    }
    return std::nullopt;
}

std::string_view to_text(TransformInput input) {
    return input == TransformInput::body ? "body" : "data";
}

std::optional<TransformInput> parse_transform_input(std::string_view text) {
    if (text == "body") return TransformInput::body;
    if (text == "data") return TransformInput::data;
    return std::nullopt;
}

Result<Transformation> read_transformation(JsonView input, const Transformation* stored,
                                           bool merge) {
    std::string merged;
    if (stored != nullptr && merge && input.is_object()) {
        std::string base;
        OptionWriter writer(base, SecretForm::plain);
        append_members(writer, *stored);
        writer.finish();
        merged = merge_patch(JsonView(base), input);
        input = JsonView(merged);
    }
    std::vector<FieldError> wrong;
    Transformation made = Reader(input, JsonView{}, wrong).read();
    if (stored != nullptr) {
        if (made.name != stored->name && wrong.empty()) {
            wrong.push_back({"/name", "cannot be changed: webhooks refer to it by this name"});
        }
        made.uuid = stored->uuid;
        made.version = stored->version;
        made.created_at = stored->created_at;
        made.updated_at = stored->updated_at;
    }
    if (wrong.empty()) return made;
    return fail_fields("", std::move(wrong));
}

void append_transformation(std::string& out, const Transformation& transformation,
                           SecretForm form) {
    OptionWriter writer(out, form);
    writer.text("id", transformation.uuid.text());
    append_members(writer, transformation);
    writer.number("version", static_cast<std::int64_t>(transformation.version));
    writer.text("created_at", to_rfc3339(transformation.created_at));
    writer.text("updated_at", to_rfc3339(transformation.updated_at));
    writer.finish();
}

std::string stored_text(const Transformation& transformation) {
    std::string out;
    OptionWriter writer(out, SecretForm::plain);
    append_members(writer, transformation);
    writer.finish();
    return out;
}

Result<Transformation> read_stored_transformation(std::string_view text) {
    auto made = read_transformation(JsonView(text), nullptr, false);
    if (made) return made;
    const std::string why = made.error().fields.empty() ? "" : made.error().fields[0].pointer;
    return fail(Errc::internal, "a stored transformation is wrong: " + why);
}

}  // namespace herald
