#include "transform/jq_program.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "core/limits.h"

namespace herald {

namespace {

constexpr std::size_t notes_bytes = 8'192;  // more than is kept, since secrets get shorter

void append_message(std::string& out, jv message) {
    const JqValue value(message);
    if (value.kind() == JV_KIND_STRING) {
        out += value.text();
    } else if (!append_jq_value(out, value)) {
        out += "...";
    }
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

/// jq: "jq: error: syntax error, unexpected ... at <top-level>, line 2:\n<text>\njq: 1 compile
/// error\n".
JqFailure compile_failure(std::string text) {
    JqFailure failure;
    constexpr std::string_view place = ", line ";
    if (const auto at = text.find(place); at != text.npos) {
        int line = 0;
        const char* begin = text.data() + at + place.size();
        if (std::from_chars(begin, text.data() + text.size(), line).ec == std::errc{}) {
            failure.line = line;
        }
    }
    if (const auto end = text.find("\njq: error: "); end != text.npos) text.resize(end);
    if (const auto end = text.rfind("\njq: "); end != text.npos) text.resize(end);
    text.erase(text.find_last_not_of(" \n") + 1);
    replace_all(text, " (Unix shell quoting issues?)", "");
    replace_all(text, "jq: error: ", "");
    replace_all(text, "<top-level>", "<transformation>");
    failure.message = text.empty() ? "jq cannot compile the program" : std::move(text);
    return failure;
}

}  // namespace

JqProgram::JqProgram() : texts_(std::make_unique<Texts>()), state_(jq_init()) {
    if (!state_) return;
    const auto error = [](void* texts, jv message) {
        std::string& out = static_cast<Texts*>(texts)->errors;
        append_message(out, message);
        out += '\n';
    };
    const auto debug = [](void* texts, jv message) {
        std::string& out = static_cast<Texts*>(texts)->notes;
        std::string text;
        append_message(text, message);
        if (out.size() < notes_bytes) out += text.substr(0, notes_bytes - out.size()) + '\n';
    };
    jq_set_error_cb(state_.get(), error, texts_.get());
    jq_set_debug_cb(state_.get(), debug, texts_.get());
}

std::expected<JqProgram, JqFailure> JqProgram::compile(const std::string& source,
                                                       const std::vector<std::string>& folders,
                                                       const JqValue& secrets) {
    JqProgram program;
    jq_state* state = program.state_.get();
    if (state == nullptr) return std::unexpected(JqFailure{"there is no memory for jq", {}});
    jv paths = jv_array();
    for (const std::string& folder : folders) {
        paths = jv_array_append(paths, jv_string(folder.c_str()));
    }
    jq_set_attr(state, jv_string("JQ_LIBRARY_PATH"), paths);
    jq_set_attr(state, jv_string("JQ_ORIGIN"), jv_string(folders.front().c_str()));
    jq_set_attr(state, jv_string("PROGRAM_ORIGIN"), jv_string(folders.back().c_str()));
    if (source.find('\0') != source.npos) {
        return std::unexpected(JqFailure{"the program has a character U+0000", {}});
    }
    jv values = jv_object_set(jv_object(), jv_string("secrets"), secrets.copy());
    if (jq_compile_args(state, source.c_str(), values) == 0) {
        return std::unexpected(compile_failure(std::move(program.texts_->errors)));
    }
    return program;
}

std::expected<JqValue, JqFailure> JqProgram::run(const JqValue& input) {
    jq_state* state = state_.get();
    jq_start(state, input.copy(), 0);
    JqValue result(jq_next(state));
    if (!result.valid()) {
        std::string message;
        if (jq_halted(state) != 0) {
            message = "the program called halt";
        } else if (jv_invalid_has_msg(result.copy()) == 0) {
            message = "the program gave no result (empty); it must give exactly one";
        } else {
            append_message(message, jv_invalid_get_msg(result.release()));
        }
        return std::unexpected(JqFailure{std::move(message), {}});
    }
    const JqValue more(jq_next(state));
    std::string message;
    if (more.valid()) {
        message =
            "the program gave more than one result; it must give exactly one: put [...] "
            "around it";
    } else if (jv_invalid_has_msg(more.copy()) != 0) {
        append_message(message, jv_invalid_get_msg(more.copy()));
    } else if (jq_halted(state) != 0) {
        message = "the program called halt";
    } else {
        return result;
    }
    return std::unexpected(JqFailure{std::move(message), {}});
}

}  // namespace herald
