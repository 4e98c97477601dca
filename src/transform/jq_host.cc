#include "transform/jq_host.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "transform/assets.h"
#include "transform/host_redactor.h"
#include "transform/jq_program.h"

namespace herald {

namespace {

constexpr std::size_t head_bytes = 4;
constexpr std::size_t read_bytes = 1U << 18;
constexpr std::size_t write_bytes = 1U << 18;  // of answers that wait for each other
constexpr long write_after = 2'000'000;        // nanoseconds; answers wait no longer
constexpr std::size_t notes_bytes = 4'096;
constexpr std::size_t message_bytes = 400;

/// The answers. They are written together, and none waits while a program runs long: who hangs is
/// blamed for the first answer that is missing, so those before it have to be out.
class Answers {
public:
    explicit Answers(int fd) : fd_(fd) {
        struct sigaction action{};
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        action.sa_sigaction = [](int, siginfo_t* info, void*) {
            const int before = errno;
            static_cast<Answers*>(info->si_value.sival_ptr)->alarm();
            errno = before;
        };
        sigaction(SIGALRM, &action, nullptr);
        sigevent event{};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = SIGALRM;
        event.sigev_value.sival_ptr = this;
        has_timer_ = timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
    }
    ~Answers() {
        if (has_timer_) timer_delete(timer_);
    }
    Answers(const Answers&) = delete;
    Answers& operator=(const Answers&) = delete;

    void add(char kind, std::string_view payload) {
        if (written_.load(std::memory_order_relaxed) == text_.size()) clear();
        const auto size = static_cast<std::uint32_t>(payload.size() + 1);
        for (int shift = 0; shift < 32; shift += 8) text_ += static_cast<char>(size >> shift);
        text_ += kind;
        text_ += payload;
        if (text_.size() > write_bytes) return flush();
        if (!armed_.exchange(true, std::memory_order_relaxed)) arm();
    }

    void flush() {
        write_all();
        clear();
    }

    /// Between these two nothing is added, so that the alarm may write.
    void program_begins() { running_.store(true, std::memory_order_release); }
    void program_ended() { running_.store(false, std::memory_order_release); }

private:
    void clear() {
        text_.clear();
        written_.store(0, std::memory_order_relaxed);
    }

    void arm() {
        itimerspec after{};
        after.it_value.tv_nsec = write_after;
        if (!has_timer_ || timer_settime(timer_, 0, &after, nullptr) != 0) flush();
    }

    /// In the signal's handler: calls only what may be called there.
    void alarm() {
        armed_.store(false, std::memory_order_relaxed);
        if (running_.load(std::memory_order_acquire)) write_all();
    }

    void write_all() {
        const std::size_t at = written_.load(std::memory_order_relaxed);
        write(std::string_view(text_).substr(at));
        written_.store(text_.size(), std::memory_order_relaxed);
    }

    void write(std::string_view text) const {
        while (!text.empty()) {
            const auto size = ::write(fd_, text.data(), text.size());
            if (size < 0 && errno != EINTR) _exit(1);  // herald has gone
            if (size > 0) text.remove_prefix(static_cast<std::size_t>(size));
        }
    }

    int fd_;
    timer_t timer_{};
    bool has_timer_ = false;
    std::string text_;
    std::atomic<std::size_t> written_ = 0;  ///< of text_
    std::atomic<bool> running_ = false;
    std::atomic<bool> armed_ = false;
};

struct Header {
    std::string name;
    JqProgram value;
};

using Loaded = std::expected<void, JqFailure>;

/// At most `size` bytes of it, and no half of a character.
void cut(std::string& text, std::size_t size) {
    if (text.size() <= size) return;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
    text.resize(size);
}

std::string one_line(std::string text) {
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    }
    if (text.size() > message_bytes) {
        cut(text, message_bytes - 3);
        text += "...";
    }
    return text;
}

class JqHost {
public:
    explicit JqHost(int fd) : fd_(fd), answers_(fd) {}

    int serve() {
        std::string data(read_bytes, '\0');
        std::size_t end = 0;  // of what has been read
        for (;;) {
            std::string_view rest(data.data(), end);
            while (const auto size = whole_frame(rest)) {
                const std::string_view frame = rest.substr(head_bytes, *size);
                if (!take(frame.front(), frame.substr(1))) {
                    answers_.flush();
                    return 0;
                }
                rest.remove_prefix(head_bytes + *size);
            }
            answers_.flush();
            end = rest.size();
            std::memmove(data.data(), rest.data(), end);
            if (data.size() - end < read_bytes / 2) data.resize(data.size() * 2);
            const auto got = ::read(fd_, data.data() + end, data.size() - end);
            if (got == 0) return 0;
            if (got < 0 && errno != EINTR) return 1;
            if (got > 0) end += static_cast<std::size_t>(got);
        }
    }

private:
    /// The length of the frame that `data` begins with, when all of it is there.
    static std::optional<std::size_t> whole_frame(std::string_view data) {
        if (data.size() <= head_bytes) return std::nullopt;
        std::size_t size = 0;
        for (std::size_t i = 0; i < head_bytes; ++i) {
            size |= std::size_t{static_cast<unsigned char>(data[i])} << (8 * i);
        }
        if (size == 0 || data.size() - head_bytes < size) return std::nullopt;
        return size;
    }

    /// False: this was the last one.
    bool take(char kind, std::string_view payload) {
        if (kind == 'L') return load(payload);
        if (kind != 'T' || !body_) return false;
        transform(payload);
        return true;
    }

    bool load(std::string_view text) {
        const auto json = canonical_json(text);
        if (!json) return false;
        const Loaded loaded = load_programs(JsonView(*json));
        if (!loaded) {
            fail("CONFIG", loaded.error());
            return false;
        }
        answers_.add('R', {});
        answers_.flush();
        return true;
    }

    Loaded load_programs(JsonView load) {
        std::vector<std::string> folders{std::filesystem::current_path()};
        std::ofstream(folders[0] + "/herald.jq") << assets::jq_herald_jq;
        auto source = source_of(load, folders);
        if (!source) return std::unexpected(source.error());
        JqValue secrets(jv_object());
        if (const auto given = load.find("secrets"); given && given->is_object()) {
            if (auto read = reader_.read(given->raw())) secrets = std::move(*read);
            for (auto it = given->items(); it.next();) {
                redactor_.add(it.value().string().value_or(""));
            }
        }
        auto body = JqProgram::compile(*source, folders, secrets);
        if (!body) return std::unexpected(body.error());
        body_ = std::move(*body);
        if (const auto url = load.string("url")) {
            auto program = JqProgram::compile(*url, folders, secrets);
            if (!program) return named("the URL's program", program.error());
            url_ = std::move(*program);
        }
        const auto headers = load.find("headers").value_or(JsonView());
        for (auto it = headers.items(); headers.is_object() && it.next();) {
            auto program = JqProgram::compile(it.value().string().value_or(""), folders, secrets);
            if (!program) return named("the program of header " + it.key(), program.error());
            headers_.push_back({it.key(), std::move(*program)});
        }
        return {};
    }

    static std::unexpected<JqFailure> named(const std::string& what, JqFailure failure) {
        failure.message = what + ": " + failure.message;
        return std::unexpected(std::move(failure));
    }

    /// The program's text; for a file also where its modules may be.
    static std::expected<std::string, JqFailure> source_of(JsonView load,
                                                           std::vector<std::string>& folders) {
        const auto file = load.string("file");
        if (!file) return load.string("source").value_or("");
        std::error_code error;
        const auto root = std::filesystem::canonical(load.string("root").value_or(""), error);
        const auto path = std::filesystem::weakly_canonical(root / *file, error);
        if (error || !(path.native() + '/').starts_with(root.native() + '/')) {
            return std::unexpected(JqFailure{*file + " is outside of its repository", {}});
        }
        std::ifstream in(path);
        std::ostringstream text;
        text << in.rdbuf();
        if (!in) {
            return std::unexpected(
                JqFailure{"the repository has no file " + *file + " at this commit", {}});
        }
        folders.push_back(root);
        folders.push_back(path.parent_path());
        return text.str();
    }

    void transform(std::string_view text) {
        const auto input = reader_.read(text);
        if (!input) return fail("TRANSFORM", {"the event is no JSON that jq can read", {}});
        result_.clear();
        if (auto failure = run(*body_, *input, result_)) return fail("TRANSFORM", *failure);
        if (!url_ && headers_.empty()) {
            note();
            return answers_.add('B', result_);
        }
        std::string request = R"({"body":)";
        append_json_string(request, result_);
        request += R"(,"url":)";
        if (!url_) {
            request += "null";
        } else if (auto failure = run_text(*url_, "the URL", *input, request)) {
            return fail("TRANSFORM", *failure);
        }
        request += R"(,"headers":{)";
        for (Header& header : headers_) {
            if (request.back() != '{') request += ',';
            append_json_string(request, header.name);
            request += ':';
            if (auto failure = run_text(header.value, "header " + header.name, *input, request)) {
                return fail("TRANSFORM", *failure);
            }
        }
        request += "}}";
        note();
        answers_.add('Q', request);
    }

    std::optional<JqFailure> run(JqProgram& program, const JqValue& input, std::string& out) {
        answers_.program_begins();
        auto result = program.run(input);
        answers_.program_ended();
        if (program.has_notes()) notes_ += program.take_notes();
        if (!result) return std::move(result.error());
        if (!append_jq_value(out, *result)) return JqFailure{"the result is nested too deep", {}};
        return std::nullopt;
    }

    /// What a URL or a header is: text, or what can be written as text on one line.
    std::optional<JqFailure> run_text(JqProgram& program, const std::string& what,
                                      const JqValue& input, std::string& out) {
        std::string value;
        if (auto failure = run(program, input, value)) {
            failure->message = what + ": " + failure->message;
            return failure;
        }
        const JsonView view(value);
        if (view.kind() == JsonView::Kind::number || view.kind() == JsonView::Kind::boolean) {
            out += '"' + value + '"';
            return std::nullopt;
        }
        const auto text = view.string();
        if (!text) return JqFailure{what + ": the program must give a text", {}};
        for (const char c : *text) {
            if ((static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f) {
                return JqFailure{what + " has a control character or more than one line", {}};
            }
        }
        out += value;
        return std::nullopt;
    }

    /// What `debug` said, ahead of the answer.
    void note() {
        if (notes_.empty()) return;
        std::string text = redactor_.without_secrets(std::exchange(notes_, {}));
        cut(text, notes_bytes);
        answers_.add('N', text);
    }

    void fail(std::string_view kind, const JqFailure& failure) {
        note();
        std::string text = R"({"class":)";
        append_json_string(text, kind);
        text += R"(,"message":)";
        append_json_string(text, one_line("jq: " + redactor_.without_secrets(failure.message)));
        text += R"(,"line":)" + (failure.line ? std::to_string(*failure.line) : "null");
        text += R"(,"column":null,"traceback":null})";
        answers_.add('F', text);
    }

    int fd_;
    Answers answers_;
    JqReader reader_;
    HostRedactor redactor_;
    std::optional<JqProgram> body_;
    std::optional<JqProgram> url_;
    std::vector<Header> headers_;
    std::string result_;
    std::string notes_;
};

}  // namespace

int run_jq_host(int fd) { return JqHost(fd).serve(); }

}  // namespace herald
