#include "store/sqlite/event_scan.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <utility>

#include "core/event_types.h"
#include "store/sqlite/event_index.h"

namespace herald {
namespace {

using RowList = std::vector<std::uint32_t>;

/// If ids name at most one row in so many, testing them singly beats testing blocks.
constexpr std::uint32_t few = 16;

void keep_equal(const std::uint8_t* __restrict values, std::uint8_t wanted,
                std::uint8_t* __restrict mask) {
    for (std::size_t i = 0; i < block_rows; ++i) {
        mask[i] &= static_cast<std::uint8_t>(values[i] == wanted);
    }
}

/// Counts rows that stand at `before` up by one; which is all of them in the first set.
void count_up(const RowList& rows, std::uint8_t before, std::uint8_t* __restrict members) {
    const std::span<const std::uint32_t> all(rows);
    if (before == 0) {
        for (const std::uint32_t row : all) {
            members[row] = 1;
        }
        return;
    }
    for (const std::uint32_t row : all) {
        members[row] = static_cast<std::uint8_t>(members[row] + (members[row] == before ? 1 : 0));
    }
}

RowList exact_codes(const EventColumns& columns, Field field,
                    const std::vector<std::string>& names) {
    RowList codes;
    for (const std::string& name : names) {
        if (const auto code = columns.code(field, name)) {
            codes.push_back(*code);
        }
    }
    return codes;
}

RowList type_codes(const EventColumns& columns, const std::vector<std::string>& patterns) {
    RowList codes = exact_codes(columns, Field::type, patterns);
    for (const std::string& pattern : patterns) {
        if (!is_glob(pattern)) {
            continue;
        }
        for (std::uint32_t code = 1; code <= columns.name_count(Field::type); ++code) {
            if (glob_match(pattern, columns.name(Field::type, code))) {
                codes.push_back(code);
            }
        }
    }
    return codes;
}

RowList shape_codes(const EventColumns& columns, const EventQuery& query) {
    RowList codes;
    for (std::uint32_t code = 1; code <= columns.name_count(Field::shape); ++code) {
        const Shape shape = Shape::read(columns.name(Field::shape, code));
        if ((!query.level || shape.level == *query.level) &&
            (!query.has_children || shape.has_children == *query.has_children)) {
            codes.push_back(code);
        }
    }
    return codes;
}

}  // namespace

bool EventScan::Mask::any() const {
    std::uint64_t found = 0;
    for (std::size_t i = 0; i < block_rows; i += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, rows.data() + i, 8);
        found |= word;
    }
    return found != 0;
}

EventScan::EventScan(const EventColumns& columns, const EventQuery& query)
    : arrays_(columns.arrays()), nothing_(arrays_.rows == 0) {
    // Cheapest first: each step ends the work of those behind it when it finds nothing.
    if (!nothing_) {
        take_time(query);
    }
    if (!nothing_) {
        take_names(columns, query);
    }
    if (!nothing_) {
        take_ids(columns, query);
    }
}

void EventScan::take_time(const EventQuery& query) {
    if ((query.since && to_micros(*query.since) > arrays_.latest) ||
        (query.until && to_micros(*query.until) <= arrays_.earliest)) {
        nothing_ = true;
        return;
    }
    TimeTest test{.earliest = arrays_.earliest, .latest = arrays_.latest};
    if (query.since) {
        test.earliest = std::max(test.earliest, to_micros(*query.since));
    }
    if (query.until) {
        test.latest = std::min(test.latest, to_micros(*query.until) - 1);
    }
    if (test.earliest > test.latest) {
        nothing_ = true;
    } else if (test.earliest > arrays_.earliest || test.latest < arrays_.latest) {
        time_ = test;
    }
}

void EventScan::take_names(const EventColumns& columns, const EventQuery& query) {
    if (!query.accounts.empty()) {
        take_codes(columns, Field::account, exact_codes(columns, Field::account, query.accounts));
    }
    if (!query.branches.empty()) {
        take_codes(columns, Field::branch, exact_codes(columns, Field::branch, query.branches));
    }
    if (query.level || query.has_children) {
        take_codes(columns, Field::shape, shape_codes(columns, query));
    }
    if (!query.types.empty() && !nothing_) {
        take_codes(columns, Field::type, type_codes(columns, query.types));
    }
}

void EventScan::take_codes(const EventColumns& columns, Field field, RowList codes) {
    if (codes.empty()) {
        nothing_ = true;
        return;
    }
    std::ranges::sort(codes);
    codes.erase(std::ranges::unique(codes).begin(), codes.end());
    const std::uint32_t names = columns.name_count(field);
    const bool every_row_has_one = field == Field::type || field == Field::shape;
    if (every_row_has_one && codes.size() == names) {
        return;
    }
    codes_.emplace_back(arrays_.codes[index_of(field)], names, codes);
}

void EventScan::take_ids(const EventColumns& columns, const EventQuery& query) {
    std::vector<RowList> sets;
    const auto look_up = [&](Key key, bool primary_only, const auto& values, auto hash) {
        if (values.empty() || nothing_) {
            return;
        }
        RowList rows;
        for (const auto& value : values) {
            columns.rows_with(key, hash(value), primary_only, rows);
        }
        nothing_ = rows.empty();
        sets.push_back(std::move(rows));
    };
    look_up(Key::id, false, query.ids, id_hash);
    look_up(Key::parent, false, query.parents, id_hash);
    look_up(Key::node, true, query.nodes, text_hash);
    look_up(Key::node, false, query.related, text_hash);
    if (!nothing_ && !sets.empty()) {
        take_rows(std::move(sets));
    }
}

void EventScan::take_rows(std::vector<RowList> sets) {
    std::ranges::sort(sets, {}, &RowList::size);
    const bool is_short = sets.front().size() <= arrays_.rows / few;
    if (sets.size() > 1 || !is_short) {
        members_.resize(blocks_for(arrays_.rows) * block_rows);
        for (const RowList& rows : sets) {
            // A row counts up only once a set, so that one named twice is not taken for two.
            const std::uint8_t before = member_of_all_++;
            count_up(rows, before, members_.data());
        }
    }
    if (is_short) {
        list_ = std::move(sets.front());
        std::ranges::sort(*list_);
        list_->erase(std::ranges::unique(*list_).begin(), list_->end());
    }
}

bool EventScan::row_holds(std::uint32_t row) const {
    return (members_.empty() || members_[row] == member_of_all_) &&
           (!time_ || time_->holds(arrays_.times[row])) &&
           std::ranges::all_of(codes_, [&](const CodeTest& test) { return test.holds(row); });
}

bool EventScan::test_block(std::size_t block, std::uint32_t begin, std::uint32_t end,
                           Mask& mask) const {
    const std::size_t start = block * block_rows;
    const std::size_t from = begin > start ? begin - start : 0;
    const std::size_t to = std::min<std::size_t>(end - start, block_rows);
    std::memset(mask.rows.data(), 0, block_rows);
    std::memset(mask.rows.data() + from, 1, to - from);

    if (!members_.empty()) {
        keep_equal(members_.data() + start, member_of_all_, mask.rows.data());
        if (!mask.any()) {
            return false;
        }
    }
    for (const CodeTest& test : codes_) {
        test.keep(block, mask.rows.data());
        if (!mask.any()) {
            return false;
        }
    }
    return !time_ || test_times(block, mask);
}

bool EventScan::test_times(std::size_t block, Mask& mask) const {
    const BlockTimes& bounds = arrays_.blocks[block];
    if (time_->earliest <= bounds.earliest && bounds.latest <= time_->latest) {
        return true;
    }
    const std::int64_t* times = arrays_.times + block * block_rows;
    const auto first = static_cast<std::uint64_t>(time_->earliest);
    const std::uint64_t span = static_cast<std::uint64_t>(time_->latest) - first;
    for (std::size_t i = 0; i < block_rows; ++i) {
        const std::uint64_t beyond = static_cast<std::uint64_t>(times[i]) - first;
        mask.rows[i] &= static_cast<std::uint8_t>(beyond <= span);
    }
    return mask.any();
}

std::vector<std::uint32_t> EventScan::rows(std::uint32_t begin, std::uint32_t end, Order order,
                                           std::size_t limit) const {
    if (nothing_ || begin >= end || limit == 0) {
        return {};
    }
    if (list_) {
        return listed(begin, end, order, limit);
    }
    RowList found;
    Mask mask;
    const std::size_t first_block = begin / block_rows;
    const std::size_t blocks = blocks_for(end) - first_block;
    for (std::size_t n = 0; n < blocks; ++n) {
        const bool forward = order == Order::oldest_first;
        const std::size_t block = first_block + (forward ? n : blocks - 1 - n);
        if (!test_block(block, begin, end, mask)) {
            continue;
        }
        for (std::size_t m = 0; m < block_rows; ++m) {
            const std::size_t i = forward ? m : block_rows - 1 - m;
            if (mask.rows[i] != 0) {
                found.push_back(static_cast<std::uint32_t>(block * block_rows + i));
                if (found.size() == limit) {
                    return found;
                }
            }
        }
    }
    return found;
}

std::vector<std::uint32_t> EventScan::listed(std::uint32_t begin, std::uint32_t end, Order order,
                                             std::size_t limit) const {
    RowList found;
    auto first = std::ranges::lower_bound(*list_, begin);
    auto last = std::ranges::lower_bound(*list_, end);
    while (first != last && found.size() < limit) {
        const std::uint32_t row = order == Order::oldest_first ? *first++ : *--last;
        if (row_holds(row)) {
            found.push_back(row);
        }
    }
    return found;
}

std::uint64_t EventScan::count(std::uint64_t cap) const {
    if (nothing_) {
        return 0;
    }
    if (list_) {
        return listed(0, arrays_.rows, Order::oldest_first, cap).size();
    }
    if (!time_ && codes_.empty() && members_.empty()) {
        return std::min<std::uint64_t>(arrays_.rows, cap);
    }
    std::uint64_t total = 0;
    Mask mask;
    for (std::size_t block = 0; block < blocks_for(arrays_.rows) && total < cap; ++block) {
        if (test_block(block, 0, arrays_.rows, mask)) {
            total += static_cast<std::uint64_t>(std::ranges::count(mask.rows, 1));
        }
    }
    return std::min(total, cap);
}

}  // namespace herald
