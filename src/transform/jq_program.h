#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transform/jq_value.h"

extern "C" {
#include <jq.h>
}

namespace herald {

/// Why a program of jq cannot run, or gave no result.
struct JqFailure {
    std::string message;  ///< one line
    std::optional<int> line;
};

/// One compiled program. Modules are looked up in `folders`; `$secrets` is an object.
class JqProgram {
public:
    [[nodiscard]] static std::expected<JqProgram, JqFailure> compile(
        const std::string& source, const std::vector<std::string>& folders, const JqValue& secrets);

    /// The one result for `input`: none and several are failures.
    [[nodiscard]] std::expected<JqValue, JqFailure> run(const JqValue& input);

    /// What `debug` said since it was asked last.
    [[nodiscard]] std::string take_notes() { return std::exchange(texts_->notes, {}); }
    [[nodiscard]] bool has_notes() const { return !texts_->notes.empty(); }

private:
    struct Teardown {
        void operator()(jq_state* state) const { jq_teardown(&state); }
    };
    /// What jq tells through callbacks; stays where it is when the program moves.
    struct Texts {
        std::string errors;
        std::string notes;
    };

    JqProgram();

    std::unique_ptr<Texts> texts_;
    std::unique_ptr<jq_state, Teardown> state_;
};

}  // namespace herald
