#include "core/window.h"

#include <algorithm>

namespace herald {

void Window::succeeded(std::size_t most) {
    if (deaf_ > 0) --deaf_;
    const auto top = static_cast<double>(std::max<std::size_t>(most, 1));
    size_ = std::min(size_ + (trusting_ ? 1.0 : 1.0 / size_), top);
    if (size_ >= top) trusting_ = true;
}

void Window::failed() {
    if (deaf_ > 0) --deaf_;
    trusting_ = false;
    size_ = std::max(size_ - 1.0, 1.0);
}

void Window::pushed_back(std::size_t on_the_way) {
    trusting_ = false;
    if (deaf_ > 0) {
        --deaf_;
        return;
    }
    size_ = std::max(size_ / 2.0, 1.0);
    deaf_ = on_the_way;
}

void Window::shut() {
    size_ = restart;
    trusting_ = false;
    deaf_ = 0;
}

}  // namespace herald
