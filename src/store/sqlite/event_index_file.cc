#include "store/sqlite/event_index_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <string>
#include <system_error>
#include <type_traits>

#include "store/sqlite/crc32c.h"
#include "store/sqlite/tail_columns.h"

namespace herald {
namespace {

static_assert(std::is_trivially_copyable_v<FileHeader>);
static_assert(sizeof(Tag) == 4);

constexpr std::size_t alignment = 64;

/// Hands out places one behind the other.
class Places {
public:
    explicit Places(std::size_t start) : at_(round_up(start)) {}

    std::size_t take(std::size_t bytes) {
        const std::size_t place = at_;
        at_ = round_up(at_ + bytes);
        return place;
    }
    [[nodiscard]] std::size_t total() const { return at_; }

private:
    static std::size_t round_up(std::size_t size) {
        return (size + alignment - 1) / alignment * alignment;
    }
    std::size_t at_;
};

std::uint64_t width_for(std::uint32_t greatest) {
    return greatest < 256 ? 1 : greatest < 65'536 ? 2 : 4;
}

/// About 16 pairs to a bucket: two cache misses a look-up, and 3 % more file.
std::uint64_t bucket_bits_for(std::size_t pairs) {
    const std::size_t buckets = std::bit_floor(std::max<std::size_t>(pairs / 16, 1));
    return static_cast<std::uint64_t>(std::countr_zero(buckets));
}

FileHeader describe(const TailColumns& tail, const ColumnArrays& arrays) {
    FileHeader header{.magic = file_magic,
                      .version = file_version,
                      .rows = arrays.rows,
                      .first_seq = arrays.first_seq,
                      .earliest = arrays.earliest,
                      .latest = arrays.latest};
    if (arrays.rows > 0) {
        const std::uint64_t last = arrays.seqs[arrays.rows - 1];
        header.has_seqs = last - arrays.first_seq + 1 == arrays.rows ? 0 : 1;
    }
    for (const Field field : all_fields) {
        const std::size_t i = index_of(field);
        const NameTable& names = tail.names(field);
        header.code_width[i] = width_for(names.size());
        header.name_count[i] = names.size();
        for (std::uint32_t code = 1; code <= names.size(); ++code) {
            header.name_bytes[i] += names.name(code).size();
        }
    }
    for (const Key key : all_keys) {
        header.pair_count[index_of(key)] = tail.pairs(key).pairs().size();
        header.bucket_bits[index_of(key)] = bucket_bits_for(tail.pairs(key).pairs().size());
    }
    return header;
}

class ImageWriter {
public:
    ImageWriter(const FileHeader& header, const Layout& layout)
        : header_(header), layout_(layout), bytes_(layout.total) {}

    void put_rows(const ColumnArrays& arrays);
    void put_field(const NameTable& names, const CodeColumn& column, std::size_t field);
    void put_pairs(std::vector<PairTable::Pair> pairs, std::size_t key);
    std::vector<std::byte> finish();

private:
    template <class T>
    void put(std::size_t place, std::span<const T> values) {
        if (!values.empty()) {
            std::memcpy(bytes_.data() + place, values.data(), values.size_bytes());
        }
    }
    template <class T>
    void put_codes(std::size_t place, const CodeColumn& column,
                   const std::vector<std::uint32_t>& new_codes);

    FileHeader header_;
    Layout layout_;
    std::vector<std::byte> bytes_;
};

void ImageWriter::put_rows(const ColumnArrays& arrays) {
    const std::size_t blocks = blocks_for(arrays.rows);
    if (header_.has_seqs != 0) {
        put(layout_.seqs, std::span(arrays.seqs, arrays.rows));
    }
    put(layout_.times, std::span(arrays.times, blocks * block_rows));
    put(layout_.blocks, std::span(arrays.blocks, blocks));
}

/// Names are sorted, so that one is found by bisection and what a glob names is mostly one range.
void ImageWriter::put_field(const NameTable& names, const CodeColumn& column, std::size_t field) {
    std::vector<std::uint32_t> order(names.size());
    std::iota(order.begin(), order.end(), 1);
    std::ranges::sort(order, {}, [&](std::uint32_t code) { return names.name(code); });

    std::vector<std::uint32_t> new_codes(names.size() + 1, no_code);
    std::vector<std::uint64_t> ends;
    std::string text;
    for (const std::uint32_t code : order) {
        text += names.name(code);
        ends.push_back(text.size());
        new_codes[code] = static_cast<std::uint32_t>(ends.size());
    }
    put(layout_.name_ends[field], std::span<const std::uint64_t>(ends));
    put(layout_.names[field], std::span<const char>(text));
    switch (header_.code_width[field]) {
        case 1: return put_codes<std::uint8_t>(layout_.codes[field], column, new_codes);
        case 2: return put_codes<std::uint16_t>(layout_.codes[field], column, new_codes);
        default: return put_codes<std::uint32_t>(layout_.codes[field], column, new_codes);
    }
}

template <class T>
void ImageWriter::put_codes(std::size_t place, const CodeColumn& column,
                            const std::vector<std::uint32_t>& new_codes) {
    const std::span old(static_cast<const std::uint32_t*>(column.data), header_.rows);
    std::vector<T> codes;
    codes.reserve(old.size());
    for (const std::uint32_t code : old) {
        codes.push_back(static_cast<T>(new_codes[code]));
    }
    put(place, std::span<const T>(codes));
}

void ImageWriter::put_pairs(std::vector<PairTable::Pair> pairs, std::size_t key) {
    std::ranges::sort(pairs, [](const PairTable::Pair& a, const PairTable::Pair& b) {
        return a.hash != b.hash ? a.hash < b.hash : a.tag.value < b.tag.value;
    });
    const std::uint64_t bits = header_.bucket_bits[key];
    std::vector<std::uint32_t> buckets((std::size_t{1} << bits) + 1, 0);
    std::vector<std::uint64_t> hashes;
    std::vector<Tag> tags;
    for (const PairTable::Pair& pair : pairs) {
        ++buckets[(bits == 0 ? 0 : pair.hash >> (64 - bits)) + 1];
        hashes.push_back(pair.hash);
        tags.push_back(pair.tag);
    }
    std::partial_sum(buckets.begin(), buckets.end(), buckets.begin());
    put(layout_.buckets[key], std::span<const std::uint32_t>(buckets));
    put(layout_.hashes[key], std::span<const std::uint64_t>(hashes));
    put(layout_.tags[key], std::span<const Tag>(tags));
}

std::vector<std::byte> ImageWriter::finish() {
    header_.file_bytes = bytes_.size();
    std::memcpy(bytes_.data(), &header_, sizeof header_);
    header_.crc = crc32c(std::span(bytes_).subspan(crc_starts));
    std::memcpy(bytes_.data(), &header_, sizeof header_);
    return std::move(bytes_);
}

/// A file descriptor that closes itself.
class File {
public:
    File(const std::filesystem::path& path, int flags) : fd_(::open(path.c_str(), flags, 0644)) {}
    ~File() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    [[nodiscard]] bool is_open() const { return fd_ >= 0; }
    [[nodiscard]] bool sync() const { return ::fsync(fd_) == 0; }
    [[nodiscard]] bool write_all(std::span<const std::byte> bytes) const {
        while (!bytes.empty()) {
            const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
            if (written < 0 && errno != EINTR) {
                return false;
            }
            bytes = bytes.subspan(written < 0 ? 0 : static_cast<std::size_t>(written));
        }
        return true;
    }

private:
    int fd_;
};

std::unexpected<Error> cannot(std::string_view what, const std::filesystem::path& path, int code) {
    const bool full = code == ENOSPC || code == EDQUOT;
    return fail(full ? Errc::out_of_space : Errc::unavailable,
                "cannot " + std::string(what) + " " + path.string() + ": " +
                    std::generic_category().message(code));
}

}  // namespace

std::optional<Layout> lay_out(const FileHeader& header) {
    // Every count is at most the file's size, so no sum below can overflow.
    constexpr std::uint64_t greatest_file = std::uint64_t{1} << 40;
    const std::uint64_t most = std::max<std::uint64_t>(header.file_bytes, 1);
    bool sane = header.file_bytes <= greatest_file && header.rows < (std::uint64_t{1} << 31) &&
                header.rows <= most;
    for (std::size_t i = 0; i < field_count; ++i) {
        const std::uint64_t width = header.code_width[i];
        sane = sane && (width == 1 || width == 2 || width == 4) &&
               header.name_count[i] <= header.rows && header.name_bytes[i] <= most;
    }
    for (std::size_t i = 0; i < key_count; ++i) {
        sane = sane && header.pair_count[i] <= most && header.bucket_bits[i] < 32;
    }
    if (!sane) {
        return std::nullopt;
    }
    const std::size_t blocks = blocks_for(header.rows);
    Places places(sizeof(FileHeader));
    Layout layout;
    layout.seqs = places.take(header.has_seqs != 0 ? header.rows * 8 : 0);
    layout.times = places.take(blocks * block_rows * 8);
    layout.blocks = places.take(blocks * sizeof(BlockTimes));
    for (std::size_t i = 0; i < field_count; ++i) {
        layout.codes[i] = places.take(blocks * block_rows * header.code_width[i]);
        layout.name_ends[i] = places.take(header.name_count[i] * 8);
        layout.names[i] = places.take(header.name_bytes[i]);
    }
    for (std::size_t i = 0; i < key_count; ++i) {
        layout.buckets[i] = places.take(((std::size_t{1} << header.bucket_bits[i]) + 1) * 4);
        layout.hashes[i] = places.take(header.pair_count[i] * 8);
        layout.tags[i] = places.take(header.pair_count[i] * 4);
    }
    layout.total = places.total();
    return layout;
}

std::vector<std::byte> make_image(const TailColumns& tail) {
    const ColumnArrays arrays = tail.arrays();
    FileHeader header = describe(tail, arrays);
    header.file_bytes = std::uint64_t{1} << 40;  // not known yet: only a bound
    ImageWriter writer(header, lay_out(header).value());
    writer.put_rows(arrays);
    for (const Field field : all_fields) {
        const std::size_t i = index_of(field);
        writer.put_field(tail.names(field), arrays.codes[i], i);
    }
    for (const Key key : all_keys) {
        writer.put_pairs(tail.pairs(key).pairs(), index_of(key));
    }
    return writer.finish();
}

Result<> write_file_synced(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    const std::filesystem::path temporary = path.string() + ".tmp";
    {
        const File file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
        if (!file.is_open()) {
            return cannot("create", temporary, errno);
        }
        if (!file.write_all(bytes) || !file.sync()) {
            const int code = errno;
            ::unlink(temporary.c_str());
            return cannot("write", temporary, code);
        }
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        const int code = errno;
        ::unlink(temporary.c_str());
        return cannot("rename to", path, code);
    }
    const auto parent = path.parent_path();
    const File directory(parent.empty() ? "." : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!directory.is_open() || !directory.sync()) {
        return cannot("sync the directory of", path, errno);
    }
    return {};
}

}  // namespace herald
