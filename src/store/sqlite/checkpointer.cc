#include "store/sqlite/checkpointer.h"

namespace herald::sqlite {

namespace {

/// A log that grows to so many times its length while it is copied grows faster than the disk takes
/// it: commits wait.
constexpr int longest_log = 16;

/// What could not be copied stays in the log, which is read as well: the next time copies it. The
/// commit behind which this happens is on disk already.
void try_checkpoint(const Database& db) {
    try {
        db.checkpoint();
    } catch (const Failure&) {
        return;
    }
}

}  // namespace

Checkpointer::Checkpointer(const std::filesystem::path& file, Database& writer, int long_log)
    : writer_(writer),
      beside_(file, Access::read_write),
      long_log_(long_log),
      begins_at_(long_log) {
    writer_.on_commit([this](int pages) { committed(pages); });
}

Checkpointer::~Checkpointer() { writer_.on_commit(nullptr); }

void Checkpointer::committed(int pages) {
    if (copying_) {
        if (pages >= longest_log * long_log_) thread_.join();
        if (!copied_) return;
        copying_ = false;
        try_checkpoint(writer_);
        // Where a reader keeps the log from its new beginning, it is not copied at every commit.
        begins_at_ = pages + long_log_;
    } else if (pages < begins_at_ - long_log_) {
        begins_at_ = long_log_;  // it has begun anew
    }
    if (copying_ || pages < begins_at_) return;
    copying_ = true;
    copied_ = false;
    thread_ = std::jthread([this] {
        try_checkpoint(beside_);
        copied_ = true;
    });
}

}  // namespace herald::sqlite
