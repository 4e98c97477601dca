#pragma once

#include <atomic>
#include <filesystem>
#include <thread>

#include "store/sqlite/sqlite.h"

namespace herald::sqlite {

/// Copies a file's write-ahead log back into it beside the commits, on a thread of its own: it
/// takes as long as dozens of commits, and the one that did it by itself would make all wait that
/// are behind it. Once the thread is done, the next commit copies the little that came meanwhile,
/// and the log begins anew. Used by the writer's thread, as the connection is.
class Checkpointer {
public:
    /// Takes care of the log of `file`, which `writer` has open and which must outlive this.
    Checkpointer(const std::filesystem::path& file, Database& writer,
                 int long_log = long_log_pages);
    ~Checkpointer();
    Checkpointer(const Checkpointer&) = delete;
    Checkpointer& operator=(const Checkpointer&) = delete;

private:
    void committed(int pages);

    Database& writer_;
    const Database beside_;  ///< the thread's
    const int long_log_;  ///< pages
    int begins_at_;
    bool copying_ = false;
    std::atomic<bool> copied_ = false;
    std::jthread thread_;
};

}  // namespace herald::sqlite
