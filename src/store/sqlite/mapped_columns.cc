#include "store/sqlite/mapped_columns.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "store/sqlite/crc32c.h"

namespace herald {

std::optional<Mapping> Mapping::map(const std::filesystem::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return std::nullopt;
    }
    struct stat status = {};
    void* start = MAP_FAILED;
    if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
        start =
            ::mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_SHARED, fd, 0);
    }
    ::close(fd);
    if (start == MAP_FAILED) {
        return std::nullopt;
    }
    return Mapping(
        {static_cast<const std::byte*>(start), static_cast<std::size_t>(status.st_size)});
}

Mapping::Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

Mapping::~Mapping() {
    if (!bytes_.empty()) {
        ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
    }
}

void Mapping::release() const {
    ::madvise(const_cast<std::byte*>(bytes_.data()), bytes_.size(), MADV_DONTNEED);
}

Result<std::unique_ptr<MappedColumns>> MappedColumns::open(const std::filesystem::path& path) {
    const auto invalid = [&](std::string_view why) {
        return fail(Errc::invalid, "event index " + path.string() + ": " + std::string(why));
    };
    auto mapping = Mapping::map(path);
    if (!mapping) {
        return invalid("missing, empty or not readable");
    }
    const auto bytes = mapping->bytes();
    FileHeader header;
    if (bytes.size() < sizeof header) {
        return invalid("too short");
    }
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.magic != file_magic || header.version != file_version) {
        return invalid("not an index of this version");
    }
    if (header.file_bytes != bytes.size()) {
        return invalid("not as long as it was written");
    }
    if (crc32c(bytes.subspan(crc_starts)) != header.crc) {
        return invalid("its check sum does not fit");
    }
    const auto layout = lay_out(header);
    if (!layout || layout->total != bytes.size()) {
        return invalid("its sizes do not fit");
    }
    auto columns = std::make_unique<MappedColumns>(Token{}, std::move(*mapping), header, *layout);
    if (!columns->is_consistent()) {
        return invalid("its parts do not fit together");
    }
    columns->mapping_.release();
    return columns;
}

MappedColumns::MappedColumns(Token, Mapping mapping, const FileHeader& header, const Layout& layout)
    : mapping_(std::move(mapping)) {
    const std::size_t blocks = blocks_for(header.rows);
    arrays_.rows = static_cast<std::uint32_t>(header.rows);
    arrays_.first_seq = header.first_seq;
    if (header.has_seqs != 0) {
        arrays_.seqs = array<std::uint64_t>(layout.seqs, header.rows).data();
    }
    arrays_.times = array<std::int64_t>(layout.times, blocks * block_rows).data();
    arrays_.blocks = array<BlockTimes>(layout.blocks, blocks).data();
    arrays_.earliest = header.earliest;
    arrays_.latest = header.latest;
    for (std::size_t i = 0; i < field_count; ++i) {
        arrays_.codes[i] = {.data = mapping_.bytes().data() + layout.codes[i],
                            .width = static_cast<std::uint32_t>(header.code_width[i])};
        const auto text = array<char>(layout.names[i], header.name_bytes[i]);
        names_[i] = {.ends = array<std::uint64_t>(layout.name_ends[i], header.name_count[i]),
                     .text = {text.data(), text.size()}};
    }
    for (std::size_t i = 0; i < key_count; ++i) {
        const std::size_t pairs = header.pair_count[i];
        const std::size_t buckets = (std::size_t{1} << header.bucket_bits[i]) + 1;
        pairs_[i] = {.bucket_bits = header.bucket_bits[i],
                     .buckets = array<std::uint32_t>(layout.buckets[i], buckets),
                     .hashes = array<std::uint64_t>(layout.hashes[i], pairs),
                     .tags = array<Tag>(layout.tags[i], pairs)};
    }
}

template <class T>
std::span<const T> MappedColumns::array(std::size_t place, std::size_t size) const {
    return {reinterpret_cast<const T*>(mapping_.bytes().data() + place), size};
}

bool MappedColumns::is_consistent() const {
    for (std::size_t i = 0; i < field_count; ++i) {
        const auto ends = names_[i].ends;
        if (!std::ranges::is_sorted(ends) ||
            (ends.empty() ? 0 : ends.back()) != names_[i].text.size() || !codes_fit(i)) {
            return false;
        }
    }
    return std::ranges::all_of(pairs_, [&](const Pairs& pairs) {
        return std::ranges::is_sorted(pairs.buckets) &&
               pairs.buckets.back() == pairs.hashes.size() &&
               std::ranges::all_of(pairs.tags, [&](Tag tag) { return tag.row() < arrays_.rows; });
    });
}

bool MappedColumns::codes_fit(std::size_t field) const {
    const CodeColumn& column = arrays_.codes[field];
    const std::size_t names = names_[field].ends.size();
    const auto fit = [&]<class T>(const T* codes) {
        T greatest = 0;
        for (std::size_t row = 0; row < blocks_for(arrays_.rows) * block_rows; ++row) {
            greatest = std::max(greatest, codes[row]);
        }
        return greatest <= names;
    };
    switch (column.width) {
        case 1: return fit(static_cast<const std::uint8_t*>(column.data));
        case 2: return fit(static_cast<const std::uint16_t*>(column.data));
        default: return fit(static_cast<const std::uint32_t*>(column.data));
    }
}

std::uint32_t MappedColumns::name_count(Field field) const {
    return static_cast<std::uint32_t>(names_[index_of(field)].ends.size());
}

std::string_view MappedColumns::name(Field field, std::uint32_t code) const {
    const Names& names = names_[index_of(field)];
    const std::uint64_t begin = code == 1 ? 0 : names.ends[code - 2];
    return names.text.substr(begin, names.ends[code - 1] - begin);
}

std::optional<std::uint32_t> MappedColumns::code(Field field, std::string_view wanted) const {
    std::uint32_t low = 1;
    std::uint32_t high = name_count(field) + 1;
    while (low < high) {
        const std::uint32_t middle = low + (high - low) / 2;
        if (name(field, middle) < wanted) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const bool found = low <= name_count(field) && name(field, low) == wanted;
    return found ? std::optional(low) : std::nullopt;
}

void MappedColumns::rows_with(Key key, std::uint64_t hash, bool primary_only,
                              std::vector<std::uint32_t>& out) const {
    const Pairs& pairs = pairs_[index_of(key)];
    const std::uint64_t bucket = pairs.bucket_bits == 0 ? 0 : hash >> (64 - pairs.bucket_bits);
    const auto begin = pairs.hashes.begin() + pairs.buckets[bucket];
    const auto end = pairs.hashes.begin() + pairs.buckets[bucket + 1];
    const auto [first, last] = std::equal_range(begin, end, hash);
    const auto from = static_cast<std::size_t>(first - pairs.hashes.begin());
    const auto tags = pairs.tags.subspan(from, static_cast<std::size_t>(last - first));

    // A node of every event gives 65,536 rows a segment: grow once, write without branches.
    std::size_t size = out.size();
    out.resize(size + tags.size());
    for (const Tag tag : tags) {
        out[size] = tag.row();
        size += !primary_only || tag.primary() ? 1 : 0;
    }
    out.resize(size);
}

std::vector<std::uint64_t> MappedColumns::hashes(Key key) const {
    const auto hashes = pairs_[index_of(key)].hashes;
    return {hashes.begin(), hashes.end()};
}

std::vector<std::byte> MappedColumns::image() const {
    const auto bytes = mapping_.bytes();
    return {bytes.begin(), bytes.end()};
}

}  // namespace herald
