#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/sqlite/event_columns.h"
#include "store/sqlite/event_index_file.h"

namespace herald {

/// A whole file, mapped for reading.
class Mapping {
public:
    static std::optional<Mapping> map(const std::filesystem::path& path);
    ~Mapping();
    Mapping(Mapping&& other) noexcept;
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;

    [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
    /// Gives the pages read so far back to the system's cache: most of what a check reads once
    /// (the pairs) no search reads again.
    void release() const;

private:
    explicit Mapping(std::span<const std::byte> bytes) : bytes_(bytes) {}
    std::span<const std::byte> bytes_;
};

/// The columns of a sealed segment, used in place in their mapped file.
class MappedColumns final : public EventColumns {
public:
    /// Only open() can make one.
    class Token {
        friend class MappedColumns;
        Token() = default;
    };
    MappedColumns(Token, Mapping mapping, const FileHeader& header, const Layout& layout);

    /// Errc::invalid when there is no such file or it does not check out.
    static Result<std::unique_ptr<MappedColumns>> open(const std::filesystem::path& path);

    [[nodiscard]] ColumnArrays arrays() const override { return arrays_; }
    [[nodiscard]] std::uint32_t name_count(Field field) const override;
    [[nodiscard]] std::string_view name(Field field, std::uint32_t code) const override;
    [[nodiscard]] std::optional<std::uint32_t> code(Field field,
                                                    std::string_view name) const override;
    void rows_with(Key key, std::uint64_t hash, bool primary_only,
                   std::vector<std::uint32_t>& out) const override;
    [[nodiscard]] std::vector<std::uint64_t> hashes(Key key) const override;
    [[nodiscard]] std::vector<std::byte> image() const override;

private:
    struct Names {
        std::span<const std::uint64_t> ends;
        std::string_view text;
    };
    struct Pairs {
        std::uint64_t bucket_bits = 0;
        std::span<const std::uint32_t> buckets;
        std::span<const std::uint64_t> hashes;
        std::span<const Tag> tags;
    };

    template <class T>
    [[nodiscard]] std::span<const T> array(std::size_t place, std::size_t size) const;
    /// Whether every number that leads to another place leads into the file.
    [[nodiscard]] bool is_consistent() const;
    [[nodiscard]] bool codes_fit(std::size_t field) const;

    Mapping mapping_;
    ColumnArrays arrays_;
    std::array<Names, field_count> names_;
    std::array<Pairs, key_count> pairs_;
};

}  // namespace herald
