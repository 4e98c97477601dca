#include "store/sqlite/event_index.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/event_types.h"
#include "store/sqlite/event_columns.h"
#include "store/sqlite/event_index_file.h"
#include "store/sqlite/event_scan.h"
#include "store/sqlite/mapped_columns.h"
#include "store/sqlite/tail_columns.h"

namespace herald {
namespace {

template <class Values, class Value>
bool admits(const Values& wanted, const Value& value) {
    return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

/// As admits, for what an event may lack: that is never one of those wanted.
template <class Values, class Value>
bool admits_optional(const Values& wanted, const std::optional<Value>& value) {
    return wanted.empty() || (value && admits(wanted, *value));
}

bool is_one_of(const std::vector<std::string>& wanted, const NodeRef& node) {
    return !node.id.empty() && std::ranges::find(wanted, node.id) != wanted.end();
}

bool type_holds(const EventQuery& query, const Event& event) {
    return query.types.empty() || std::ranges::any_of(query.types, [&](const std::string& type) {
               return type == event.type || (is_glob(type) && glob_match(type, event.type));
           });
}

bool nodes_hold(const EventQuery& query, const Event& event) {
    if (!query.nodes.empty() && !is_one_of(query.nodes, event.node)) {
        return false;
    }
    return query.related.empty() || is_one_of(query.related, event.node) ||
           std::ranges::any_of(event.related,
                               [&](const NodeRef& node) { return is_one_of(query.related, node); });
}

bool time_holds(const EventQuery& query, const Event& event) {
    return (!query.since || *query.since <= event.occurred_at) &&
           (!query.until || event.occurred_at < *query.until);
}

}  // namespace

bool holds(const EventQuery& query, const Event& event) {
    return (!query.level || *query.level == event.level) &&
           (!query.has_children || *query.has_children == event.has_children) &&
           time_holds(query, event) && admits(query.ids, event.id) &&
           admits_optional(query.parents, event.parent) &&
           admits_optional(query.branches, event.branch) &&
           admits_optional(query.accounts, event.account_id) && type_holds(query, event) &&
           nodes_hold(query, event);
}

EventIndex::EventIndex() {
    auto tail = std::make_unique<TailColumns>();
    tail_ = tail.get();
    columns_ = std::move(tail);
}

EventIndex::EventIndex(std::unique_ptr<EventColumns> columns) : columns_(std::move(columns)) {}
EventIndex::~EventIndex() = default;
EventIndex::EventIndex(EventIndex&&) noexcept = default;
EventIndex& EventIndex::operator=(EventIndex&&) noexcept = default;

void EventIndex::append(EventSeq seq, const Event& event) {
    assert(tail_ != nullptr && (size() == 0 || *last() < seq));
    tail_->append(seq, event);
}

std::size_t EventIndex::size() const { return columns_->arrays().rows; }

std::optional<EventSeq> EventIndex::first() const {
    const ColumnArrays arrays = columns_->arrays();
    return arrays.rows == 0 ? std::nullopt : std::optional(arrays.seq_at(0));
}

std::optional<EventSeq> EventIndex::last() const {
    const ColumnArrays arrays = columns_->arrays();
    return arrays.rows == 0 ? std::nullopt : std::optional(arrays.seq_at(arrays.rows - 1));
}

Time EventIndex::earliest() const { return from_micros(columns_->arrays().earliest); }

Time EventIndex::latest() const { return from_micros(columns_->arrays().latest); }

std::vector<EventSeq> EventIndex::search(const EventQuery& query, std::size_t limit,
                                         std::optional<EventSeq> resume) const {
    const ColumnArrays arrays = columns_->arrays();
    std::uint32_t begin = 0;
    std::uint32_t end = arrays.rows;
    for (const auto behind : {query.after, resume}) {
        if (behind && query.order == Order::newest_first) {
            end = std::min(end, arrays.row_from(static_cast<std::uint64_t>(*behind)));
        } else if (behind) {
            const std::uint32_t row = arrays.row_from(static_cast<std::uint64_t>(*behind));
            const bool is_there = row < arrays.rows && arrays.seq_at(row) == *behind;
            begin = std::max(begin, is_there ? row + 1 : row);
        }
    }
    if (begin >= end || limit == 0) {
        return {};
    }
    std::vector<EventSeq> found;
    for (const std::uint32_t row :
         EventScan(*columns_, query).rows(begin, end, query.order, limit)) {
        found.push_back(arrays.seq_at(row));
    }
    return found;
}

std::uint64_t EventIndex::count(const EventQuery& query, std::uint64_t cap) const {
    return EventScan(*columns_, query).count(cap);
}

std::vector<EventSeq> EventIndex::find(const EventId& id) const {
    std::vector<std::uint32_t> rows;
    columns_->rows_with(Key::id, id_hash(id), false, rows);
    std::ranges::sort(rows);
    const ColumnArrays arrays = columns_->arrays();
    std::vector<EventSeq> found;
    found.reserve(rows.size());
    for (const std::uint32_t row : rows) {
        found.push_back(arrays.seq_at(row));
    }
    return found;
}

std::vector<std::uint64_t> EventIndex::id_hashes() const { return columns_->hashes(Key::id); }

Result<> EventIndex::save(const std::filesystem::path& path) const {
    return write_file_synced(path, columns_->image());
}

Result<EventIndex> EventIndex::open(const std::filesystem::path& path) {
    auto columns = MappedColumns::open(path);
    if (!columns) {
        return fail(std::move(columns.error()));
    }
    return EventIndex(std::move(*columns));
}

}  // namespace herald
