#pragma once

#include <memory>
#include <string>

#include "api/api.h"
#include "base/result.h"

namespace herald {

/// The sample of an event type, as an event of now. Errc::invalid when there is none, about the
/// member at `pointer` that asked for it.
[[nodiscard]] Result<std::shared_ptr<const Event>> sample_event(const ApiParts& parts,
                                                                const std::string& type,
                                                                const std::string& pointer);

}  // namespace herald
