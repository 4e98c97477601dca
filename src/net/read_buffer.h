#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace herald {

/// Bytes that have been received and not yet used. Grows when it must; its memory is not zeroed.
class ReadBuffer {
public:
    /// Room behind the bytes, at least `least` bytes. Invalidates view().
    [[nodiscard]] std::span<char> room(std::size_t least) {
        if (size_ - end_ < least) make_room(least);
        return {data_.get() + end_, size_ - end_};
    }
    void filled(std::size_t n) { end_ += n; }
    [[nodiscard]] std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
    [[nodiscard]] bool empty() const { return begin_ == end_; }
    void used(std::size_t n) {
        begin_ += n;
        if (begin_ == end_) begin_ = end_ = 0;
    }
    /// Gives back memory beyond `most` when nothing is in it.
    void shrink(std::size_t most) {
        if (!empty() || size_ <= most) return;
        data_.reset();
        size_ = 0;
    }

private:
    void make_room(std::size_t least) {
        const std::size_t held = end_ - begin_;
        if (size_ - held >= least) {
            std::memmove(data_.get(), data_.get() + begin_, held);
        } else {
            const std::size_t size = std::max(held + least, size_ * 2);
            auto data = std::make_unique_for_overwrite<char[]>(size);
            if (held > 0) std::memcpy(data.get(), data_.get() + begin_, held);
            data_ = std::move(data);
            size_ = size;
        }
        begin_ = 0;
        end_ = held;
    }

    std::unique_ptr<char[]> data_;
    std::size_t size_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace herald
