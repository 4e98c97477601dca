#include "api/transformation_runs.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "api/encode.h"
#include "api/request_body.h"
#include "api/sample_event.h"
#include "core/options.h"
#include "core/redact.h"

namespace herald {

namespace {

using boost::asio::awaitable;

/// The event of a run: one of the three.
struct Source {
    std::optional<EventId> id;
    std::string sample;
    std::optional<JsonView> body;
};

struct Request {
    Transformations::Entry transformation;
    Catalog::Entry webhook;  ///< for whom; null: nobody
    Source event;
};

Source read_source(OptionReader& in, std::vector<FieldError>& wrong) {
    Source source;
    const auto given = in.member("event");
    if (!given) {
        in.wrong("event", "is required: an object with id, sample or body");
        return source;
    }
    OptionReader inner(*given, "/event", JsonView{}, wrong);
    if (const std::string id = inner.text("id"); !id.empty()) {
        const auto uuid = Uuid::parse(id);
        if (!uuid) inner.wrong("id", "must be the id of a stored event");
        if (uuid) source.id = EventId{*uuid};
    }
    source.sample = inner.text("sample");
    source.body = inner.member("body");
    if (source.body && !source.body->is_object()) inner.wrong("body", "must be an object");
    const int named =
        int{source.id.has_value()} + int{!source.sample.empty()} + int{source.body.has_value()};
    if (given->is_object() && named > 1) inner.wrong("", "names several events: give one");
    if (given->is_object() && named == 0 && wrong.empty()) {
        inner.wrong("", "must have an id, a sample or a body");
    }
    inner.finish();
    return source;
}

Transformations::Entry read_own(OptionReader& in, std::vector<FieldError>& wrong) {
    const auto given = in.member("transformation");
    if (!given || !given->is_object()) {
        in.wrong("transformation", "is required: one as for POST /api/v1/transformations");
        return nullptr;
    }
    auto read = read_transformation(*given, nullptr, false);
    if (read) return std::make_shared<const Transformation>(std::move(*read));
    for (const FieldError& field : read.error().fields) {
        wrong.push_back({"/transformation" + field.pointer, field.detail});
    }
    return nullptr;
}

Result<Request> read_request(JsonView body, const ApiParts& parts, Transformations::Entry stored) {
    std::vector<FieldError> wrong;
    OptionReader in(body, "", JsonView{}, wrong);
    Request request;
    request.transformation = stored ? std::move(stored) : read_own(in, wrong);
    if (const std::string name = in.text("webhook"); !name.empty()) {
        request.webhook = parts.catalog.find(name);
        if (!request.webhook)
            in.wrong("webhook", "there is no webhook with the name or id " + name);
    }
    request.event = read_source(in, wrong);
    in.finish();
    if (wrong.empty()) return request;
    return fail_fields("the run is wrong", std::move(wrong));
}

Result<std::shared_ptr<const Event>> decode(const ApiParts& parts, std::string_view text) {
    auto event = parts.decode(JsonView(text), parts.clock.now());
    if (event) return std::make_shared<const Event>(std::move(*event));
    Error error = std::move(event.error());
    for (FieldError& field : error.fields) field.pointer.insert(0, "/event/body");
    return fail(std::move(error));
}

awaitable<Result<std::shared_ptr<const Event>>> find_event(const ApiParts& parts,
                                                           const Source& source) {
    if (source.id) {
        auto read = [id = *source.id](StoreReader& reader) { return reader.event(id); };
        auto found = co_await parts.readers.run(std::move(read));
        if (!found) co_return fail(found.error());
        if (*found) co_return std::make_shared<const Event>(std::move((*found)->event));
        co_return fail_field("/event/id", "there is no event " + source.id->text());
    }
    if (source.body) co_return decode(parts, source.body->raw());
    co_return sample_event(parts, source.sample, "/event/sample");
}

void append_number_or_null(OptionWriter& out, std::string_view name,
                           std::optional<std::int64_t> n) {
    out.begin(name);
    out.out() += n ? std::to_string(*n) : "null";
}

void append_request(OptionWriter& out, const Sender::Preview& preview,
                    const std::string& content_type) {
    out.text("method", preview.method);
    out.text_or_null("url", preview.url);
    out.begin("headers");
    OptionWriter headers(out.out(), SecretForm::masked);
    for (const auto& [name, value] : preview.headers) headers.text(name, value);
    headers.finish();
    out.text("content_type", content_type);
    out.text("body", preview.body);
}

void append_failure(OptionWriter& out, const TransformFault& fault) {
    out.begin("failure");
    OptionWriter inner(out.out(), SecretForm::masked);
    inner.text("class", to_text(fault.failure));
    inner.text("message", fault.message);
    append_number_or_null(inner, "line", fault.line);
    append_number_or_null(inner, "column", fault.column);
    inner.text_or_null("traceback", fault.traceback);
    inner.finish();
}

/// What the request would be, for a webhook or for nobody.
Result<Sender::Preview> request_of(const ApiParts& parts, const Request& request,
                                   const Event& event, const MadeRequest& made) {
    const std::vector<std::string> secrets = parts.hosts.secrets(*request.transformation);
    if (request.webhook) return parts.sender.preview(made, event, *request.webhook, secrets);
    Sender::Preview preview{"POST", redact_url(made.url), made.headers, made.body};
    mask_secrets(preview.body, secrets);
    mask_secrets(preview.url, secrets);
    for (auto& header : preview.headers) mask_secrets(header.second, secrets);
    return preview;
}

ServerAnswer show(const ApiParts& parts, const Request& request, const Event& event,
                  HostedTransform::Run run) {
    ServerAnswer answer;
    OptionWriter out(answer.body, SecretForm::masked);
    std::optional<TransformFault> failure;
    if (run.made) {
        const std::size_t size = run.made->body.size();
        const auto preview = request_of(parts, request, event, *run.made);
        const Sender::Preview nothing{"POST", "", {}, run.made->body};
        const Webhook* webhook = request.webhook.get();
        append_request(out, preview.value_or(nothing),
                       webhook != nullptr && !webhook->request.content_type.empty()
                           ? webhook->request.content_type
                           : run.made->content_type);
        out.number("size", static_cast<std::int64_t>(preview ? preview->body.size() : size));
        if (!preview) failure = {FailureClass::config, preview.error().message};
    } else {
        failure = std::move(run.made.error());
        for (const std::string_view name : {"method", "url", "headers", "content_type", "body"}) {
            out.text_or_null(name, "");
        }
        append_number_or_null(out, "size", std::nullopt);
    }
    const bool bounded = request.webhook && request.webhook->request.max_bytes > 0;
    append_number_or_null(
        out, "max_bytes",
        bounded ? std::optional(request.webhook->request.max_bytes) : std::nullopt);
    out.begin("took");
    out.out() += std::to_string(std::chrono::duration<double>(run.took).count());
    out.text_or_null("notes", run.notes);
    if (failure) {
        append_failure(out, *failure);
    } else {
        out.begin("failure");
        out.out() += "null";
    }
    out.finish();
    return answer;
}

awaitable<Answer> run(const Call& call, Transformations::Entry stored) {
    const auto text = read_object(call.request);
    if (!text) co_return std::unexpected(text.error());
    const ApiParts& parts = call.api.parts;
    auto request = read_request(JsonView(*text), parts, std::move(stored));
    if (!request) co_return refuse(std::move(request.error()));
    auto event = co_await find_event(parts, request->event);
    if (!event) co_return refuse(std::move(event.error()));
    const std::shared_ptr<const Event> given = std::move(*event);
    HostedTransform::Run done = co_await parts.hosts.run(request->transformation, *given);
    co_return show(parts, *request, *given, std::move(done));
}

}  // namespace

awaitable<Answer> run_transformation(const Call& call) {
    const Transformations::Entry stored = call.api.parts.transformations.find(call.parameter);
    if (!stored) {
        co_return refuse(Errc::not_found,
                         "there is no transformation with the name or id " + call.parameter);
    }
    co_return co_await run(call, stored);
}

awaitable<Answer> run_unsaved(const Call& call) { co_return co_await run(call, nullptr); }

}  // namespace herald
