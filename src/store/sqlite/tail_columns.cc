#include "store/sqlite/tail_columns.h"

#include <algorithm>

#include "store/sqlite/event_index.h"
#include "store/sqlite/event_index_file.h"

namespace herald {

std::uint32_t NameTable::add(std::string_view name) {
    if (last_ != no_code && names_[last_ - 1] == name) {
        return last_;
    }
    auto found = codes_.find(name);
    if (found == codes_.end()) {
        found = codes_.emplace(std::string(name), size() + 1).first;
        names_.push_back(found->first);
    }
    last_ = found->second;
    return last_;
}

std::optional<std::uint32_t> NameTable::find(std::string_view name) const {
    const auto found = codes_.find(name);
    return found == codes_.end() ? std::nullopt : std::optional(found->second);
}

void PairTable::add(std::uint64_t hash, Tag tag) {
    if (pairs_.size() == heads_.size()) {
        grow();
    }
    std::uint32_t& head = heads_[slot(hash)];
    next_.push_back(head);
    head = static_cast<std::uint32_t>(pairs_.size());
    pairs_.push_back({.hash = hash, .tag = tag});
}

void PairTable::grow() {
    heads_.assign(std::max<std::size_t>(64, heads_.size() * 2), end);
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
        std::uint32_t& head = heads_[slot(pairs_[i].hash)];
        next_[i] = head;
        head = static_cast<std::uint32_t>(i);
    }
}

void PairTable::rows_with(std::uint64_t hash, bool primary_only,
                          std::vector<std::uint32_t>& out) const {
    if (heads_.empty()) {
        return;
    }
    for (std::uint32_t at = heads_[slot(hash)]; at != end; at = next_[at]) {
        const Pair& pair = pairs_[at];
        if (pair.hash == hash && (!primary_only || pair.tag.primary())) {
            out.push_back(pair.tag.row());
        }
    }
}

void TailColumns::append(EventSeq seq, const Event& event) {
    if (rows_ % block_rows == 0) {
        grow();
    }
    seqs_[rows_] = static_cast<std::uint64_t>(seq);
    note_time(to_micros(event.occurred_at));

    set_code(Field::type, names_[index_of(Field::type)].add(event.type));
    if (event.branch) {
        set_code(Field::branch, names_[index_of(Field::branch)].add(*event.branch));
    }
    if (event.account_id) {
        set_code(Field::account, names_[index_of(Field::account)].add(*event.account_id));
    }
    const auto shape = Shape{.level = event.level, .has_children = event.has_children}.name();
    set_code(Field::shape,
             names_[index_of(Field::shape)].add(std::string_view(shape.data(), shape.size())));

    pairs(Key::id).add(id_hash(event.id), Tag::make(rows_, true));
    if (event.parent) {
        pairs(Key::parent).add(id_hash(*event.parent), Tag::make(rows_, true));
    }
    note_nodes(event);
    ++rows_;
}

void TailColumns::grow() {
    const std::size_t size = (blocks_.size() + 1) * block_rows;
    seqs_.resize(size);
    times_.resize(size);
    for (auto& column : codes_) {
        column.resize(size, no_code);
    }
    blocks_.emplace_back();
}

void TailColumns::note_time(std::int64_t micros) {
    times_[rows_] = micros;
    BlockTimes& block = blocks_.back();
    const bool first_of_block = rows_ % block_rows == 0;
    block.earliest = first_of_block ? micros : std::min(block.earliest, micros);
    block.latest = first_of_block ? micros : std::max(block.latest, micros);
    earliest_ = rows_ == 0 ? micros : std::min(earliest_, micros);
    latest_ = rows_ == 0 ? micros : std::max(latest_, micros);
}

void TailColumns::note_nodes(const Event& event) {
    if (!event.node.id.empty()) {
        pairs(Key::node).add(text_hash(event.node.id), Tag::make(rows_, true));
    }
    for (const NodeRef& node : event.related) {
        if (!node.id.empty() && node.id != event.node.id) {
            pairs(Key::node).add(text_hash(node.id), Tag::make(rows_, false));
        }
    }
}

void TailColumns::set_code(Field field, std::uint32_t code) {
    codes_[index_of(field)][rows_] = code;
}

ColumnArrays TailColumns::arrays() const {
    ColumnArrays arrays{.rows = rows_,
                        .first_seq = rows_ == 0 ? 0 : seqs_.front(),
                        .seqs = seqs_.data(),
                        .times = times_.data(),
                        .blocks = blocks_.data(),
                        .earliest = earliest_,
                        .latest = latest_,
                        .codes = {}};
    for (std::size_t i = 0; i < field_count; ++i) {
        arrays.codes[i] = {.data = codes_[i].data(), .width = 4};
    }
    return arrays;
}

std::uint32_t TailColumns::name_count(Field field) const { return names(field).size(); }

std::string_view TailColumns::name(Field field, std::uint32_t code) const {
    return names(field).name(code);
}

std::optional<std::uint32_t> TailColumns::code(Field field, std::string_view name) const {
    return names(field).find(name);
}

void TailColumns::rows_with(Key key, std::uint64_t hash, bool primary_only,
                            std::vector<std::uint32_t>& out) const {
    pairs_[index_of(key)].rows_with(hash, primary_only, out);
}

std::vector<std::uint64_t> TailColumns::hashes(Key key) const {
    std::vector<std::uint64_t> out;
    out.reserve(pairs(key).pairs().size());
    for (const PairTable::Pair& pair : pairs(key).pairs()) {
        out.push_back(pair.hash);
    }
    return out;
}

std::vector<std::byte> TailColumns::image() const { return make_image(*this); }

}  // namespace herald
