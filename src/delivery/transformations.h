#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "async/clock.h"
#include "async/worker.h"
#include "base/result.h"
#include "core/transformation.h"
#include "delivery/catalog.h"
#include "store/store.h"

namespace herald {

/// The transformations in memory, and the one way to change them (the store first, then memory). A
/// change takes effect for the next delivery; one that is tried again sends what was made for it.
/// Lives on the loop thread.
class Transformations {
public:
    using Entry = std::shared_ptr<const Transformation>;

    /// `catalog`: whose webhooks may not lose theirs. All must outlive it.
    Transformations(Store& store, Worker& writer, const Catalog& catalog, const Clock& clock);

    /// Reads all of them from the store.
    boost::asio::awaitable<Result<>> load();

    /// By name or uuid; null: unknown.
    [[nodiscard]] Entry find(std::string_view name_or_uuid) const;
    /// By name.
    [[nodiscard]] std::vector<Entry> all() const;
    /// The names of the webhooks that use it.
    [[nodiscard]] std::vector<std::string> users(const Transformation& transformation) const;

    /// Gives uuid and times, stores. Errc::conflict: the name is taken.
    boost::asio::awaitable<Result<Entry>> create(Transformation transformation);
    /// Replaces the one with this uuid. `expected_version` as of If-Match.
    boost::asio::awaitable<Result<Entry>> update(Transformation transformation,
                                                 std::optional<std::uint64_t> expected_version);
    /// Errc::conflict: webhooks use it, which the error names.
    boost::asio::awaitable<Result<>> remove(Uuid uuid,
                                            std::optional<std::uint64_t> expected_version);

private:
    Entry place(Transformation transformation);

    Store& store_;
    Worker& writer_;
    const Catalog& catalog_;
    const Clock& clock_;
    std::map<std::string, Entry, std::less<>> by_name_;
};

}  // namespace herald
