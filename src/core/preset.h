#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace herald {

/// What a person gives when a preset is used. "{name}" stands for it in the preset's texts.
struct PresetParameter {
    std::string name;
    std::string description;
    std::string example;
    bool secret = false;  ///< has to be a reference (core/reference.h)
    std::optional<std::string> otherwise;  ///< when it is not given; nullopt: it is required

    bool operator==(const PresetParameter&) const = default;
};

/// How a well-known receiver is served: data, out of which a webhook is made, and where the
/// receiver wants another body than the event's, a transformation.
struct Preset {
    std::string name;
    std::vector<PresetParameter> parameters;
    std::string webhook;         ///< canonical JSON, as for the API, with placeholders
    std::string transformation;  ///< the same; empty: none
};

using PresetValues = std::vector<std::pair<std::string, std::string>>;

/// What a preset becomes, as canonical JSON for the API.
struct UsedPreset {
    std::string webhook;
    std::string transformation;  ///< to be created first; empty: none
};

/// Reads a preset's document, as GET /api/v1/presets/{name} gives it. What it does not know stays
/// unread. The error says that it is none.
[[nodiscard]] Result<Preset> read_preset(JsonView document);

/// Puts the values in place of the parameters. The webhook has this name; the transformation has
/// one as near to it as such names may be, and the webhook refers to it. The error names each
/// parameter that is missing, unknown or wrong, and what it is for.
[[nodiscard]] Result<UsedPreset> use(const Preset& preset, std::string_view name,
                                     const PresetValues& values);

/// The name of a transformation for a webhook of this name: letters, digits, "-", "_" and ".".
[[nodiscard]] std::string transformation_name(std::string_view webhook_name);

}  // namespace herald
