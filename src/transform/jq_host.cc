#include "transform/jq_host.h"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <expected>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

extern "C" {
#include <jq.h>
#include <jv.h>
}

#include "base/json.h"
#include "core/options.h"
#include "core/redact.h"
#include "transform/assets.h"
#include "transform/frame.h"

namespace herald {

namespace {

/// An owned value of libjq: its functions consume what they are given.
class Value {
public:
    explicit Value(jv value) : value_(value) {}
    ~Value() { jv_free(value_); }
    Value(Value&& other) noexcept : value_(std::exchange(other.value_, jv_invalid())) {}
    Value& operator=(Value&&) = delete;

    [[nodiscard]] jv copy() const { return jv_copy(value_); }
    [[nodiscard]] jv take() { return std::exchange(value_, jv_invalid()); }
    [[nodiscard]] bool valid() const { return jv_is_valid(value_) != 0; }
    [[nodiscard]] jv_kind kind() const { return jv_get_kind(value_); }
    /// Of a text.
    [[nodiscard]] std::string text() const { return jv_string_value(value_); }

private:
    jv value_;
};

struct Fault {
    std::string failure;
    std::string message;
    std::optional<std::int64_t> line = {};
    std::optional<std::int64_t> column = {};
};

/// "jq: error: syntax error, unexpected ... (Unix shell quoting issues?) at <top-level>, line 3:"
Fault compile_fault(const std::vector<std::string>& messages) {
    std::string first = messages.empty() ? "the program cannot be compiled" : messages.front();
    Fault fault{"CONFIG", "", {}, {}};
    constexpr std::string_view mark = ", line ";
    if (const auto at = first.find(mark); at != first.npos) {
        std::int64_t line = 0;
        const char* digits = first.data() + at + mark.size();
        if (std::from_chars(digits, first.data() + first.size(), line).ec == std::errc{}) {
            fault.line = line;
        }
    }
    std::string_view said = std::string_view(first).substr(0, first.find('\n'));
    for (const std::string_view noise : {"jq: error: ", "error: "}) {
        if (said.starts_with(noise)) said.remove_prefix(noise.size());
    }
    said = said.substr(0, said.find(" (Unix shell quoting issues?)"));
    said = said.substr(0, said.find(" at <top-level>"));
    fault.message = said;
    return fault;
}

std::string fault_text(const Fault& fault, const std::vector<std::string>& secrets) {
    std::string message = fault.message;
    mask_secrets(message, secrets);
    std::string out;
    OptionWriter writer(out, SecretForm::plain);
    const auto number = [&](std::string_view name, std::optional<std::int64_t> value) {
        writer.begin(name);
        out += value ? std::to_string(*value) : "null";
    };
    writer.text("class", fault.failure);
    writer.text("message", message);
    number("line", fault.line);
    number("column", fault.column);
    writer.text_or_null("traceback", "");
    writer.finish();
    return out;
}

/// The program of one load frame.
class Program {
public:
    Program() : jq_(jq_init(), close) {}

    /// What is wrong with it, or nothing.
    std::optional<Fault> load(JsonView load);
    /// What it makes of an event, as JSON.
    std::expected<std::string, Fault> run(std::string_view body);
    [[nodiscard]] const std::vector<std::string>& secrets() const { return secrets_; }

private:
    static void close(jq_state* state) { jq_teardown(&state); }
    static void note(void* messages, jv message) {
        Value text(jq_format_error(message));
        static_cast<std::vector<std::string>*>(messages)->push_back(text.text());
    }
    /// The next value, or what is wrong with it. Nothing: there is no more.
    std::expected<std::optional<Value>, Fault> next();

    std::unique_ptr<jq_state, decltype(&close)> jq_;
    std::vector<std::string> secrets_;
    std::vector<std::string> messages_;
    bool json_ = true;
};

std::optional<Fault> Program::load(JsonView load) {
    std::string source = load.string("source").value_or("");
    const std::string file = load.string("file").value_or("");
    if (!file.empty()) {
        std::ifstream stream(load.string("root").value_or("") + "/" + file, std::ios::binary);
        source.assign(std::istreambuf_iterator<char>(stream), {});
        if (!stream) return Fault{"CONFIG", "cannot read " + file};
    }
    // libjq reads modules from files only.
    std::ofstream("herald.jq", std::ios::binary) << assets::herald_jq;
    jv folders = jv_array_append(jv_array(), jv_string("."));
    if (!file.empty()) {
        folders = jv_array_append(folders, jv_string(load.string("root").value_or("").c_str()));
    }
    jq_set_attr(jq_.get(), jv_string("JQ_LIBRARY_PATH"), folders);
    jq_set_attr(jq_.get(), jv_string("JQ_ORIGIN"), jv_string("."));
    jq_set_attr(jq_.get(), jv_string("PROGRAM_ORIGIN"), jv_string("."));
    jv given = jv_object();
    const JsonView named = load.find("secrets").value_or(JsonView{});
    if (named.is_object()) {
        for (auto items = named.items(); items.next();) {
            const std::string value = items.value().string().value_or("");
            secrets_.push_back(value);
            given = jv_object_set(given, jv_string(items.key().c_str()),
                                  jv_string_sized(value.data(), static_cast<int>(value.size())));
        }
    }
    json_ = load.string("content_type").value_or("").contains("json");
    jq_set_error_cb(jq_.get(), note, &messages_);
    jv arguments = jv_object_set(jv_object(), jv_string("secrets"), given);
    if (jq_compile_args(jq_.get(), source.c_str(), arguments) != 0) return std::nullopt;
    return compile_fault(messages_);
}

std::expected<std::optional<Value>, Fault> Program::next() {
    Value made(jq_next(jq_.get()));
    if (made.valid()) return std::optional<Value>(std::move(made));
    if (jq_halted(jq_.get()) != 0) return std::unexpected(Fault{"TRANSFORM", "the program halted"});
    if (jv_invalid_has_msg(made.copy()) == 0) return std::optional<Value>();
    Value message(jv_invalid_get_msg(made.take()));
    if (message.kind() == JV_KIND_STRING)
        return std::unexpected(Fault{"TRANSFORM", message.text()});
    const Value text(jv_dump_string(message.take(), 0));
    return std::unexpected(Fault{"TRANSFORM", "the program said error(" + text.text() + ")"});
}

std::expected<std::string, Fault> Program::run(std::string_view body) {
    Value input(jv_parse_sized(body.data(), static_cast<int>(body.size())));
    if (!input.valid()) return std::unexpected(Fault{"TRANSFORM", "the event is no JSON"});
    jq_start(jq_.get(), input.take(), 0);
    auto first = next();
    if (!first) return std::unexpected(std::move(first.error()));
    if (!*first) {
        return std::unexpected(
            Fault{"TRANSFORM", "the program made nothing; it has to make one value"});
    }
    auto second = next();
    if (!second) return std::unexpected(std::move(second.error()));
    if (*second) {
        return std::unexpected(Fault{
            "TRANSFORM", "the program made several values; put them into one, such as [ ... ]"});
    }
    if (!json_) {
        if ((*first)->kind() == JV_KIND_STRING) return (*first)->text();
        return std::unexpected(
            Fault{"TRANSFORM", "the content type is no JSON, so the program has to make a text"});
    }
    const Value text(jv_dump_string((*first)->take(), 0));
    return text.text();
}

/// Everything, or the end of the process: nobody listens any more.
bool send(int fd, std::string& out) {
    std::string_view rest = out;
    while (!rest.empty()) {
        const ssize_t sent = ::write(fd, rest.data(), rest.size());
        if (sent <= 0) return false;
        rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    out.clear();
    return true;
}

/// The frames that herald sends: they are taken as they are, since herald wrote them.
class Input {
public:
    explicit Input(int fd) : fd_(fd) {}

    /// Waits for more bytes; false: herald has closed its end.
    bool read() {
        buffer_.erase(0, begin_);
        begin_ = 0;
        constexpr std::size_t at_once = 65'536;
        const std::size_t had = buffer_.size();
        buffer_.resize(had + at_once);
        const ssize_t got = ::read(fd_, buffer_.data() + had, at_once);
        buffer_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        return got > 0;
    }
    std::optional<Frame> next() {
        const std::string_view rest = std::string_view(buffer_).substr(begin_);
        if (rest.size() < frame_head_bytes) return std::nullopt;
        std::uint32_t length = 0;
        std::memcpy(&length, rest.data(), sizeof length);
        if (rest.size() < frame_length_bytes + length) return std::nullopt;
        begin_ += frame_length_bytes + length;
        return Frame{static_cast<FrameKind>(rest[frame_length_bytes]),
                     rest.substr(frame_head_bytes, length - 1)};
    }

private:
    int fd_;
    std::string buffer_;
    std::size_t begin_ = 0;
};
static_assert(std::endian::native == std::endian::little, "lengths are little-endian");

/// Answers one frame; false: there is nothing to go on with.
bool answer(Program& program, const Frame& frame, std::string& out) {
    if (frame.kind == FrameKind::load) {
        const auto canonical = canonical_json(frame.payload);
        const auto fault = program.load(JsonView(canonical ? *canonical : "null"));
        if (!fault) {
            append_frame(out, FrameKind::ready, "");
            return true;
        }
        append_frame(out, FrameKind::failure, fault_text(*fault, program.secrets()));
        return false;
    }
    auto made = program.run(frame.payload);
    if (made) {
        append_frame(out, FrameKind::body, *made);
    } else {
        append_frame(out, FrameKind::failure, fault_text(made.error(), program.secrets()));
    }
    return true;
}

}  // namespace

int run_jq_host(int fd) {
    Program program;
    Input input(fd);
    std::string out;
    while (input.read()) {
        while (const auto frame = input.next()) {
            const bool goes_on = answer(program, *frame, out);
            constexpr std::size_t gathered = 65'536;
            if (!goes_on || out.size() > gathered) {
                if (!send(fd, out) || !goes_on) return 0;
            }
        }
        if (!send(fd, out)) return 0;
    }
    return 0;
}

}  // namespace herald
