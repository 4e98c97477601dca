#pragma once

#include <memory>

#include "store/sqlite/log_state.h"
#include "store/store.h"

namespace herald::sqlite {

/// A reader with connections of its own. The store may be closed before it.
[[nodiscard]] std::unique_ptr<StoreReader> make_reader(std::shared_ptr<const Shared> shared);

}  // namespace herald::sqlite
