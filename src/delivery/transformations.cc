#include "delivery/transformations.h"

#include <algorithm>
#include <utility>

#include "core/limits.h"

namespace herald {

Transformations::Transformations(Store& store, Worker& writer, const Catalog& catalog,
                                 const Clock& clock)
    : store_(store), writer_(writer), catalog_(catalog), clock_(clock) {}

boost::asio::awaitable<Result<>> Transformations::load() {
    auto job = [&store = store_] { return store.transformations(); };
    auto stored = co_await writer_.run(std::move(job));
    if (!stored) co_return fail(stored.error());
    for (Transformation& one : *stored) place(std::move(one));
    co_return Result<>{};
}

Transformations::Entry Transformations::find(std::string_view name_or_uuid) const {
    if (const auto named = by_name_.find(name_or_uuid); named != by_name_.end()) {
        return named->second;
    }
    const auto uuid = Uuid::parse(name_or_uuid);
    if (!uuid) return nullptr;
    for (const auto& [name, entry] : by_name_) {
        if (entry->uuid == *uuid) return entry;
    }
    return nullptr;
}

std::vector<Transformations::Entry> Transformations::all() const {
    std::vector<Entry> all;
    for (const auto& [name, entry] : by_name_) all.push_back(entry);
    return all;
}

std::vector<std::string> Transformations::users(const Transformation& transformation) const {
    std::vector<std::string> names;
    for (const Catalog::Entry& webhook : catalog_.all()) {
        if (webhook->transformation == transformation.name) names.push_back(webhook->name);
    }
    return names;
}

boost::asio::awaitable<Result<Transformations::Entry>> Transformations::create(
    Transformation transformation) {
    if (by_name_.size() >= limits::transformations) {
        co_return fail(Errc::conflict, "there are " + std::to_string(limits::transformations) +
                                           " transformations, the most allowed: delete one first");
    }
    transformation.uuid = Uuid::random();
    transformation.created_at = clock_.now();
    transformation.updated_at = transformation.created_at;
    transformation.version = 1;
    auto job = [&store = store_, transformation] {
        return store.put_transformation(transformation, std::nullopt);
    };
    auto stored = co_await writer_.run(std::move(job));
    if (!stored) co_return fail(stored.error());
    co_return place(std::move(transformation));
}

boost::asio::awaitable<Result<Transformations::Entry>> Transformations::update(
    Transformation transformation, std::optional<std::uint64_t> expected_version) {
    const Entry current = find(transformation.name);
    if (!current || current->uuid != transformation.uuid) {
        co_return fail(Errc::not_found, "no such transformation");
    }
    const std::uint64_t expected = expected_version.value_or(current->version);
    transformation.created_at = current->created_at;
    transformation.updated_at = clock_.now();
    transformation.version = current->version + 1;
    auto job = [&store = store_, transformation, expected] {
        return store.put_transformation(transformation, expected);
    };
    auto stored = co_await writer_.run(std::move(job));
    if (!stored) co_return fail(stored.error());
    co_return place(std::move(transformation));
}

boost::asio::awaitable<Result<>> Transformations::remove(
    Uuid uuid, std::optional<std::uint64_t> expected_version) {
    const Entry current = find(uuid.text());
    if (!current) co_return fail(Errc::not_found, "no such transformation");
    if (const auto names = users(*current); !names.empty()) {
        std::string list;
        for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
        co_return fail(Errc::conflict, "the transformation is used by " + list +
                                           ": give these webhooks another one, or none, first");
    }
    auto job = [&store = store_, uuid, expected_version] {
        return store.remove_transformation(uuid, expected_version);
    };
    auto removed = co_await writer_.run(std::move(job));
    if (!removed) co_return fail(removed.error());
    by_name_.erase(current->name);
    co_return Result<>{};
}

Transformations::Entry Transformations::place(Transformation transformation) {
    auto entry = std::make_shared<const Transformation>(std::move(transformation));
    by_name_[entry->name] = entry;
    return entry;
}

}  // namespace herald
