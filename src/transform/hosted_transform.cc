#include "transform/hosted_transform.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "core/limits.h"
#include "core/redact.h"
#include "core/request_options.h"

namespace herald {

namespace {

/// Plans of commits and versions that are gone are dropped when there are so many.
constexpr std::size_t plans_kept = 256;

TransformFault config_fault(std::string message) {
    return {FailureClass::config, std::move(message)};
}

std::optional<std::uint32_t> place(JsonView fault, std::string_view member) {
    const auto number = fault.find(member).value_or(JsonView{}).integer();
    return number && *number > 0 ? std::optional(static_cast<std::uint32_t>(*number))
                                 : std::nullopt;
}

TransformFault read_fault(std::string_view text) {
    const JsonView fault(text);
    TransformFault read;
    const auto named = parse_failure_class(fault.string("class").value_or(""));
    read.failure = named == FailureClass::config ? FailureClass::config : FailureClass::transform;
    read.message = fault.string("message").value_or("the transformation failed");
    read.line = place(fault, "line");
    read.column = place(fault, "column");
    read.traceback = fault.string("traceback").value_or("");
    return read;
}

/// JSON becomes canonical, so that what is signed is what every profile knows to write.
std::expected<std::string, TransformFault> take_body(std::string text,
                                                     const Transformation& transformation) {
    if (!is_json_type(transformation.content_type)) return text;
    auto canonical = canonical_json(text, {.depth = 2 * limits::json_depth});
    if (canonical) return std::move(*canonical);
    return std::unexpected(
        TransformFault{FailureClass::transform,
                       "what the transformation made is not JSON: " + canonical.error().message +
                           "; its content_type is " + transformation.content_type});
}

Transform::Made read_request(std::string_view text, const Transformation& transformation) {
    const JsonView request(text);
    auto body = take_body(request.string("body").value_or(""), transformation);
    if (!body) return std::unexpected(std::move(body.error()));
    MadeRequest made{std::move(*body), transformation.content_type,
                     request.string("url").value_or("")};
    const JsonView headers = request.find("headers").value_or(JsonView{});
    if (!headers.is_object()) return made;
    for (auto items = headers.items(); items.next();) {
        made.headers.emplace_back(items.key(), items.value().string().value_or(""));
    }
    return made;
}

Transform::Made read_answer(HostAnswer& answer, const Transformation& transformation) {
    switch (answer.kind) {
        case HostAnswer::Kind::failure: return std::unexpected(read_fault(answer.payload));
        case HostAnswer::Kind::request: return read_request(answer.payload, transformation);
        case HostAnswer::Kind::body: break;
    }
    auto body = take_body(std::move(answer.payload), transformation);
    if (!body) return std::unexpected(std::move(body.error()));
    return MadeRequest{std::move(*body), transformation.content_type, ""};
}

void append_texts(OptionWriter& writer, std::string_view name, const NamedTexts& texts) {
    writer.begin(name);
    OptionWriter inner(writer.out(), SecretForm::plain);
    for (const auto& [key, value] : texts) inner.text(key, value);
    inner.finish();
}

void append_code(OptionWriter& writer, const Transformation& transformation,
                 const Worktree* worktree, const FoundTransform& code) {
    writer.text("runtime", to_text(transformation.runtime));
    writer.text_or_null("source", transformation.source);
    writer.text_or_null("file", code.file);
    writer.text_or_null("root", worktree != nullptr ? worktree->root.string() : "");
    writer.text_or_null("class", code.class_name);
    writer.text("branch", worktree != nullptr ? worktree->branch : "");
    writer.text("input", to_text(transformation.input));
    writer.text_or_null("url", transformation.url);
    append_texts(writer, "headers", transformation.headers);
    writer.text("content_type", transformation.content_type);
}

}  // namespace

HostedTransform::HostedTransform(HostPool& pool, GitRepositories& repositories,
                                 TransformSources sources)
    : pool_(pool), repositories_(repositories), sources_(std::move(sources)) {}

boost::asio::awaitable<Transform::Made> HostedTransform::apply(const Event& event,
                                                               const Webhook& webhook) {
    const auto transformation = sources_.find(webhook.transformation);
    if (!transformation) {
        co_return std::unexpected(
            config_fault("there is no transformation with the name " + webhook.transformation));
    }
    Run done = co_await run(transformation, event);
    co_return std::move(done.made);
}

std::vector<std::string> HostedTransform::secrets(const Webhook& webhook) const {
    if (webhook.transformation.empty()) return {};
    const auto transformation = sources_.find(webhook.transformation);
    return transformation ? secrets(*transformation) : std::vector<std::string>{};
}

std::vector<std::string> HostedTransform::secrets(const Transformation& transformation) const {
    std::vector<std::string> values;
    for (const auto& [name, reference] : transformation.secrets) {
        if (auto value = sources_.read(reference)) values.push_back(std::move(*value));
    }
    return values;
}

boost::asio::awaitable<HostedTransform::Run> HostedTransform::run(
    std::shared_ptr<const Transformation> transformation, const Event& event) {
    Run run;
    auto worktree = co_await check_out(*transformation, event);
    if (!worktree) {
        run.made = std::unexpected(config_fault(worktree.error().message));
        co_return run;
    }
    auto with = plan(*transformation, *worktree ? &**worktree : nullptr);
    if (!with) {
        run.made = std::unexpected(config_fault(with.error().message));
        co_return run;
    }
    const std::shared_ptr<const HostPlan> plan = std::move(*with);
    HostAnswer answer = co_await pool_.run(plan, event.body);
    run.notes = std::move(answer.notes);
    run.took = answer.took;
    run.made = read_answer(answer, *transformation);
    co_return run;
}

Result<NamedTexts> HostedTransform::resolve(const NamedTexts& texts) const {
    NamedTexts values;
    for (const auto& [name, text] : texts) {
        auto value = sources_.read(text);
        if (!value) {
            return fail(Errc::invalid, "could not resolve " + name +
                                           " of the transformation: " + value.error().message);
        }
        values.emplace_back(name, std::move(*value));
    }
    return values;
}

/// The version is chosen as the original does (contract 6.4). Nothing: the code is inline.
boost::asio::awaitable<Result<std::optional<Worktree>>> HostedTransform::check_out(
    const Transformation& transformation, const Event& event) {
    if (!transformation.repository) co_return std::nullopt;
    const RepositorySource& source = *transformation.repository;
    auto password = sources_.read(source.password);
    if (!password) co_return fail(password.error());
    const RepositoryAccess access{source.location, source.username, std::move(*password)};
    const std::string label = event.branch.value_or("");
    const std::string branch = label == global_branch ? "" : label;
    auto worktree = co_await repositories_.worktree(access, branch, source.branch);
    if (!worktree) co_return fail(worktree.error());
    co_return std::move(*worktree);
}

/// The plan of this version, commit and set of secrets; made when it is asked for first.
Result<std::shared_ptr<const HostPlan>> HostedTransform::plan(const Transformation& transformation,
                                                              const Worktree* worktree) {
    auto secrets = resolve(transformation.secrets);
    if (!secrets) return fail(secrets.error());
    auto environment = resolve(transformation.environment);
    if (!environment) return fail(environment.error());
    // One that is not stored is another one each time.
    const bool stored = !transformation.uuid.is_nil();
    const std::string key = (stored ? transformation.uuid : Uuid::random()).text() + "/" +
                            std::to_string(transformation.version) + "/" +
                            (worktree != nullptr ? worktree->branch + "/" + worktree->commit : "");
    const auto known = known_.find(key);
    const bool same = known != known_.end() && known->second.secrets == *secrets &&
                      known->second.environment == *environment;
    if (same) return known->second.plan;

    Known fresh{std::move(*secrets), std::move(*environment), nullptr};
    auto made = make_plan(transformation, worktree, fresh);
    if (!made) return fail(made.error());
    // New secrets get children of their own; the old ones end when nobody asks for them.
    (*made)->key = known == known_.end() ? key : key + "/" + Uuid::random().text();
    fresh.plan = std::move(*made);
    if (!stored) return fresh.plan;
    if (known_.size() >= plans_kept) known_.clear();
    return (known_[key] = std::move(fresh)).plan;
}

Result<std::shared_ptr<HostPlan>> HostedTransform::make_plan(const Transformation& transformation,
                                                             const Worktree* worktree,
                                                             const Known& known) const {
    FoundTransform code{transformation.file, transformation.class_name};
    auto plan = std::make_shared<HostPlan>();
    if (worktree != nullptr) {
        if (const std::string& name = transformation.repository->transform; !name.empty()) {
            auto found = sources_.finder(worktree->root, name);
            if (!found) return fail(found.error());
            code = std::move(*found);
            if (!transformation.class_name.empty()) code.class_name = transformation.class_name;
        }
        if (auto file = file_in(*worktree, code.file); !file) return fail(file.error());
        plan->readable.push_back(worktree->root);
    }
    OptionWriter writer(plan->load, SecretForm::plain);
    append_code(writer, transformation, worktree, code);
    append_texts(writer, "secrets", known.secrets);
    append_texts(writer, "modules", sources_.modules);
    writer.finish();
    HostCommand command = sources_.command(transformation.runtime);
    plan->command = std::move(command.words);
    plan->program = command.program;
    plan->environment = known.environment;
    plan->limits.timeout = transformation.timeout;
    plan->limits.memory_bytes = std::uint64_t{transformation.memory_mb} << 20;
    plan->limits.cpu_seconds = transformation.cpu_seconds;
    plan->limits.output_bytes = transformation.output_bytes;
    plan->limits.network = transformation.network;
    return plan;
}

}  // namespace herald
