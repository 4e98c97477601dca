#include "async/worker.h"

#include <pthread.h>

namespace herald {

Worker::Worker(std::string name) : name_(std::move(name)), thread_([this] { loop(); }) {
    constexpr std::size_t longest = 15;  // what the kernel keeps of a thread's name
    pthread_setname_np(thread_.native_handle(), name_.substr(0, longest).c_str());
}

Worker::~Worker() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void Worker::post(std::move_only_function<void()> job) {
    bool first = false;
    {
        const std::scoped_lock lock(mutex_);
        first = jobs_.empty();
        jobs_.push_back(std::move(job));
    }
    // Who finds jobs in the queue takes them all, so only the first needs to wake it.
    if (first) wake_.notify_one();
}

void Worker::loop() {
    std::vector<std::move_only_function<void()>> taken;
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
            if (jobs_.empty()) return;
            taken.swap(jobs_);
        }
        for (auto& job : taken) {
            job();
            job = nullptr;  // what it owns goes at once, not with the last of the batch
        }
        taken.clear();
    }
}

}  // namespace herald
