#include "transform/jq_host.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "base/sanitizers.h"
#include "support/temp_dir.h"

namespace herald {
namespace {

using test::TempDir;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Answer {
    char kind = 0;  ///< 0: the host has ended
    std::string payload;
    std::string notes;

    [[nodiscard]] std::string message() const {
        return JsonView(payload).string("message").value_or(payload);
    }
    [[nodiscard]] std::string failure_class() const {
        return JsonView(payload).string("class").value_or("");
    }
};

/// A host in a process of its own, in a folder of its own.
class JqHost : public ::testing::Test {
protected:
    void TearDown() override { end(); }

    void start(std::string_view program, std::string_view more = "") {
        std::string load = R"({"runtime":"jq","source":)";
        append_json_string(load, program);
        load += more;
        load += "}";
        start_with(load);
    }

    void start_with(const std::string& load, rlim_t memory = 0) {
        end();
        int pair[2];
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        pid = fork();
        if (pid == 0) {
            close(pair[0]);
            if (memory != 0) {
                const rlimit limit{memory, memory};
                setrlimit(RLIMIT_AS, &limit);
            }
            std::filesystem::current_path(folder.path());
            _exit(run_jq_host(pair[1]));
        }
        close(pair[1]);
        fd = pair[0];
        send('L', load);
    }

    void end() {
        if (fd >= 0) close(fd);
        if (pid > 0) waitpid(pid, &status, 0);
        fd = -1;
        pid = 0;
        buffer.clear();
    }

    void send(char kind, std::string_view payload) const {
        std::string frame;
        for (int shift = 0; shift < 32; shift += 8) {
            frame += static_cast<char>((payload.size() + 1) >> shift);
        }
        frame += kind;
        frame += payload;
        for (std::string_view rest = frame; !rest.empty();) {
            const auto size = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
            if (size <= 0) return;
            rest.remove_prefix(static_cast<std::size_t>(size));
        }
    }

    Answer answer() {
        Answer got;
        for (;;) {
            while (buffer.size() >= 5) {
                std::size_t size = 0;
                for (std::size_t i = 0; i < 4; ++i) {
                    size |= std::size_t{static_cast<unsigned char>(buffer[i])} << (8 * i);
                }
                if (buffer.size() < size + 4) break;
                got.kind = buffer[4];
                std::string payload = buffer.substr(5, size - 1);
                buffer.erase(0, size + 4);
                if (got.kind != 'N') {
                    got.payload = std::move(payload);
                    return got;
                }
                got.notes += payload;
            }
            char part[65'536];
            const auto size = ::read(fd, part, sizeof part);
            if (size <= 0) return {};
            buffer.append(part, static_cast<std::size_t>(size));
        }
    }

    Answer ask(std::string_view event) {
        send('T', event);
        return answer();
    }

    /// What the program makes of the event; the failure's message when it fails.
    std::string result(std::string_view program, std::string_view event,
                       std::string_view more = "") {
        start(program, more);
        Answer got = answer();
        if (got.kind == 'R') got = ask(event);
        return got.kind == 'F' ? got.failure_class() + ": " + got.message() : got.payload;
    }

    TempDir folder;
    pid_t pid = 0;
    int fd = -1;
    int status = 0;
    std::string buffer;
};

std::string example(const std::string& name) {
    std::ifstream in(std::string(HERALD_SOURCE_DIR) + "/examples/" + name + ".json");
    std::ostringstream text;
    text << in.rdbuf();
    return canonical_json(text.str()).value();
}

TEST_F(JqHost, a_program_is_compiled_once_and_answers_in_order) {
    start(".n * 2");
    for (int n = 0; n < 1'000; ++n) send('T', R"({"n":)" + std::to_string(n) + "}");
    ASSERT_EQ(answer().kind, 'R');
    for (int n = 0; n < 1'000; ++n) ASSERT_EQ(answer().payload, std::to_string(2 * n));
}

TEST_F(JqHost, values_come_back_as_they_went_in) {
    for (const std::string& json :
         {example("node_updated"), example("node_created"), example("branch_created")}) {
        EXPECT_EQ(result(".", json), json);
    }
    const std::string odd =
        R"({"z":[],"a":{},"":[null,true,false,"\u00fc\ud83d\ude00\u0000\n\"\\"],)"
        R"("n":[0,-1,1.5,0.1,-2.25e-07]})";
    EXPECT_EQ(result(".", odd), odd);
    EXPECT_EQ(result(".", " { \"a\" : [ 1 , 2 ] } "), R"({"a":[1,2]})");
}

TEST_F(JqHost, integers_up_to_two_to_the_53_are_exact) {
    EXPECT_EQ(result(".", "[9007199254740992,-9007199254740992,9007199254740991]"),
              "[9007199254740992,-9007199254740992,9007199254740991]");
    EXPECT_EQ(result(".", "[1.0,1e3,100000000000000000000,1e400,-1e400,1e-400]"),
              "[1,1000,1e+20,1.7976931348623157e+308,-1.7976931348623157e+308,0]");
    EXPECT_EQ(result("[nan, infinite]", "1"), "[null,1.7976931348623157e+308]");
}

TEST_F(JqHost, large_events_and_answers_pass) {
    const std::string event = '"' + std::string(3'000'000, 'x') + '"';
    EXPECT_EQ(result(".", event), event);
}

TEST_F(JqHost, what_is_no_json_is_a_failure_and_the_host_goes_on) {
    start(".");
    ASSERT_EQ(answer().kind, 'R');
    for (const std::string_view text : {"", "{", "[1,]", "nul", "{\"a\" 1}", "\"a", "\"\\u12\"",
                                        "\"\\ud800x\"", "1 2", "{1:2}", "-", "+1"}) {
        EXPECT_EQ(ask(text).message(), "jq: the event is no JSON that jq can read") << text;
    }
    EXPECT_EQ(ask(std::string(300, '[') + std::string(300, ']')).kind, 'F');
    EXPECT_EQ(ask("1").payload, "1");
}

TEST_F(JqHost, exactly_one_result_is_wanted) {
    EXPECT_EQ(result("empty", "1"),
              "TRANSFORM: jq: the program gave no result (empty); it must give exactly one");
    EXPECT_THAT(result(".[]", "[1,2]"),
                StartsWith("TRANSFORM: jq: the program gave more than one result"));
    EXPECT_THAT(result("repeat(.)", "1"),
                StartsWith("TRANSFORM: jq: the program gave more than one result"));
    EXPECT_EQ(result("1, error(\"late\")", "1"), "TRANSFORM: jq: late");
    EXPECT_EQ(result("halt", "1"), "TRANSFORM: jq: the program called halt");
    EXPECT_EQ(result("\"x\" | halt_error", "1"), "TRANSFORM: jq: the program called halt");
}

TEST_F(JqHost, errors_at_work_are_failures_of_the_event) {
    EXPECT_EQ(result(".a.b", R"({"a":[]})"), "TRANSFORM: jq: Cannot index array with string \"b\"");
    EXPECT_EQ(result("error({a: 1})", "1"), R"(TRANSFORM: jq: {"a":1})");
    start("if . == 1 then error(\"one\") else . end");
    ASSERT_EQ(answer().kind, 'R');
    EXPECT_EQ(ask("1").kind, 'F');
    EXPECT_EQ(ask("2").payload, "2");
}

TEST_F(JqHost, a_program_that_does_not_compile_is_a_fault_of_the_configuration) {
    start("{a: 1,\n b: }");
    const Answer got = answer();
    EXPECT_EQ(got.kind, 'F');
    EXPECT_EQ(got.failure_class(), "CONFIG");
    EXPECT_EQ(got.message(), "jq: syntax error, unexpected '}' at <transformation>, line 2:  b: }");
    EXPECT_EQ(JsonView(got.payload).find("line")->integer(), 2);
    EXPECT_EQ(answer().kind, 0) << "the host has ended";
    EXPECT_THAT(result("nothing", "1"),
                StartsWith("CONFIG: jq: nothing/0 is not defined at <transformation>, line 1"));
    EXPECT_THAT(result("import \"gone\" as g; .", "1"), HasSubstr("module not found: gone"));
    EXPECT_THAT(result("$nothing", "1"), HasSubstr("$nothing is not defined"));
}

TEST_F(JqHost, the_module_herald_is_there_to_import_and_to_include) {
    const std::string event = example("node_updated");
    const std::string title =
        R"x("node.updated InfraInterfaceL3 Ethernet1 (branch alter-interface)")x";
    EXPECT_EQ(result(R"(import "herald" as h; h::title)", event), title);
    EXPECT_EQ(result(R"(include "herald"; title)", event), title);
    EXPECT_THAT(result(R"(import "herald" as h; h::changes | .[0])", event), HasSubstr(" -> "));
    EXPECT_EQ(result(R"(import "herald" as h; "a & <b>" | h::esc)", event),
              R"("a &amp; &lt;b&gt;")");
}

TEST_F(JqHost, times_are_given_as_receivers_want_them) {
    const auto both = R"(import "herald" as h; [h::rfc3339, h::epoch])";
    EXPECT_EQ(result(both, R"({"occured_at":"2025-01-02 03:04:05.123456+00:00"})"),
              R"(["2025-01-02T03:04:05.123456Z",1735787045])");
    EXPECT_EQ(result(both, R"({"occured_at":"2025-01-02 03:04:05+00:00"})"),
              R"(["2025-01-02T03:04:05Z",1735787045])");
    EXPECT_EQ(result(both, R"({"occured_at":"2025-01-02T05:04:05.5+02:00"})"),
              R"(["2025-01-02T05:04:05.5+02:00",1735787045])");
    EXPECT_EQ(result(both, R"({"occured_at":"2025-01-02T03:04:05Z"})"),
              R"(["2025-01-02T03:04:05Z",1735787045])");
    EXPECT_EQ(result(both, "{}"), "[null,null]");
}

TEST_F(JqHost, secrets_are_a_variable_and_never_in_what_people_read) {
    const std::string_view more = R"(,"secrets":{"KEY":"hush\"hush-hush"})";
    EXPECT_EQ(result("$secrets.KEY", "1", more), R"("hush\"hush-hush")");
    EXPECT_EQ(result("error($secrets.KEY)", "1", more), "TRANSFORM: jq: ***");
    EXPECT_EQ(result("error($secrets)", "1", more), R"(TRANSFORM: jq: {"KEY":"***"})");
    // jq cuts long values.
    EXPECT_THAT(result("$secrets.KEY + 1", "1", more), testing::Not(HasSubstr("hush")));
    start("$secrets.KEY | debug", more);
    ASSERT_EQ(answer().kind, 'R');
    const Answer got = ask("1");
    EXPECT_EQ(got.notes, "***\n");
    EXPECT_EQ(got.kind, 'B');
}

TEST_F(JqHost, messages_and_notes_are_bounded_and_whole_characters) {
    start(R"(debug | error("a\n" + .))");
    ASSERT_EQ(answer().kind, 'R');
    std::string event = "\"";
    for (int i = 0; i < 5'000; ++i) event += "\xc3\xbc";
    const Answer got = ask(event + '"');
    EXPECT_LE(got.message().size(), 400U);
    EXPECT_THAT(got.message(), StartsWith("jq: a \xc3\xbc\xc3\xbc"));
    EXPECT_THAT(got.message(), ::testing::EndsWith("\xc3\xbc..."));
    EXPECT_EQ(got.notes.size(), 4'096U);
}

TEST_F(JqHost, url_and_headers_are_programs_too) {
    const std::string_view more =
        R"(,"url":"\"https://x/\\(.id|@uri)\"","headers":{"X-N":".n","X-E":"$secrets.K"})"
        R"(,"secrets":{"K":"kkk"})";
    EXPECT_EQ(result("[.id]", R"({"id":"a b","n":5})", more),
              R"({"body":"[\"a b\"]","url":"https://x/a%20b","headers":{"X-N":"5","X-E":"kkk"}})");
    EXPECT_EQ(result(".", R"({"id":"a","n":[]})", more),
              "TRANSFORM: jq: header X-N: the program must give a text");
    EXPECT_EQ(result(".", R"({"id":"a","n":"a\nX-Evil: 1"})", more),
              "TRANSFORM: jq: header X-N has a control character or more than one line");
    EXPECT_THAT(result(".", "{}", R"(,"url":"{")"),
                StartsWith("CONFIG: jq: the URL's program: syntax error"));
}

TEST_F(JqHost, a_file_of_a_repository_and_its_modules) {
    const TempDir repository;
    std::filesystem::create_directories(repository.path() / "jq");
    std::ofstream(repository.path() / "jq/slack.jq")
        << "import \"names\" as n; import \"herald\" as h; n::name + h::short";
    std::ofstream(repository.path() / "jq/names.jq") << "def name: \"n-\";";
    const std::string root = R"({"root":")" + repository.path().string() + R"(","file":)";
    start_with(root + R"("jq/slack.jq"})");
    ASSERT_EQ(answer().kind, 'R');
    EXPECT_EQ(ask(R"({"event":"e"})").payload, R"("n-e")");
    start_with(root + R"("gone.jq"})");
    EXPECT_EQ(answer().message(), "jq: the repository has no file gone.jq at this commit");
    start_with(root + R"("../out.jq"})");
    EXPECT_EQ(answer().message(), "jq: ../out.jq is outside of its repository");
}

TEST_F(JqHost, answers_before_an_endless_program_are_out) {
    // It holds signals back as long as code that it does not know runs, and libjq is such.
    if (watches_threads) GTEST_SKIP() << "this sanitizer lets no alarm through";
    start("if . == 3 then last(range(0; infinite)) else . end");
    ASSERT_EQ(answer().kind, 'R');
    for (const std::string_view event : {"1", "2", "3", "4"}) send('T', event);
    EXPECT_EQ(answer().payload, "1");
    EXPECT_EQ(answer().payload, "2");
    kill(pid, SIGKILL);
    EXPECT_EQ(answer().kind, 0);
}

TEST_F(JqHost, more_memory_than_it_may_use_ends_it_and_loses_no_answer_before) {
    if (watches_addresses || watches_threads) GTEST_SKIP() << "a sanitizer needs more than that";
    start_with(R"({"source":"if . == 1 then 1 else [range(1e9)] end"})", rlim_t{300} << 20);
    ASSERT_EQ(answer().kind, 'R');
    send('T', "1");
    send('T', "2");
    EXPECT_EQ(answer().payload, "1");
    EXPECT_EQ(answer().kind, 0);
    end();
    EXPECT_TRUE(WIFSIGNALED(status)) << status;
}

/// What receivers want, as people write it.
struct Recipe {
    std::string_view name;
    std::string_view program;
};

constexpr Recipe recipes[] = {
    {"awx_launch", R"jq(import "herald" as h;
{extra_vars: {infrahub_event: .}, limit: h::subject})jq"},
    {"github_dispatch",
     R"jq(import "herald" as h;                                            # repository_dispatch: exactly 10 keys
{event_type: .event[0:100],
 client_payload: {id, event, branch, account_id, occured_at,
                  kind: h::kind, node_id: .data.node_id, display_label: h::subject,
                  changes: h::changes, data: .data}})jq"},
    {"github_workflow",
     R"jq(import "herald" as h;                                            # workflow_dispatch
{ref: "main", inputs: {event: .event, branch: h::on, kind: (h::kind // ""),
                       node_id: (.data.node_id // ""), payload: tojson}})jq"},
    {"gitlab_trigger", R"jq(import "herald" as h;
{ref: "main",
 variables: ({INFRAHUB_EVENT: .event, INFRAHUB_EVENT_ID: .id, INFRAHUB_BRANCH: h::on,
  INFRAHUB_KIND: h::kind, INFRAHUB_NODE_ID: .data.node_id, INFRAHUB_LABEL: h::subject,
  INFRAHUB_PAYLOAD: tojson} | map_values(if . == null then "" else tostring end))})jq"},
    {"slack", R"jq(import "herald" as h;
{text: (h::title | h::esc),
 blocks: ([{type: "header", text: {type: "plain_text", text: (h::title)[0:150]}},
           {type: "context", elements: [{type: "mrkdwn",
             text: ("*" + .event + "* at " + .occured_at + " by " + (.account_id // "system") | h::esc)}]}]
          + (h::changes | if length > 0 then [{type: "section", text: {type: "mrkdwn",
              text: ((.[0:20] | map("• " + h::esc) | join("\n"))[0:2900])}}] else [] end))})jq"},
    {"teams", R"jq(import "herald" as h;
{type: "message", attachments: [{contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null,
  content: {"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", type: "AdaptiveCard", version: "1.2",
    msteams: {width: "Full"},
    body: ([{type: "TextBlock", text: h::title, weight: "Bolder", size: "Medium", wrap: true, style: "heading"},
            {type: "FactSet", facts: [{title: "Event", value: .event}, {title: "Branch", value: h::on},
              {title: "When", value: .occured_at}, {title: "Account", value: (.account_id // "system")}]}]
           + (h::changes | .[0:30] | map({type: "TextBlock", text: ., wrap: true, spacing: "None"})))}}]})jq"},
    {"servicenow_event", R"jq(import "herald" as h;
{records: [{source: "Infrahub", event_class: "infrahub-main", node: h::subject, resource: (h::kind // ""),
  type: .event, metric_name: (.data.fields // [] | join(",")), message_key: .id, severity: "5",
  description: ([h::title] + h::changes | join("\n")),
  time_of_event: (.occured_at[0:19]), additional_info: ({id, branch, account_id} | tojson)}]})jq"},
    {"pagerduty_change", R"jq(import "herald" as h;
{routing_key: $secrets.pagerduty,
 payload: {summary: (h::title)[0:1024], source: "infrahub", timestamp: h::rfc3339,
           custom_details: {event, branch: h::on, account_id, changes: h::changes}}})jq"},
    {"grafana_annotation", R"jq(import "herald" as h;
{time: (h::epoch * 1000), text: ([h::title] + h::changes | join("\n")),
 tags: (["infrahub", .event, "branch:" + h::on, (h::kind // empty)])})jq"},
    {"alertmanager", R"jq(import "herald" as h;
[{labels: {alertname: "InfrahubChange", event: .event, branch: h::on, kind: (h::kind // ""), severity: "info"},
  annotations: {summary: h::title, description: (h::changes | join("\n"))}, startsAt: h::rfc3339}])jq"},
    {"prefect",
     R"jq({parameters: {event: .}, idempotency_key: .id}                                            # Prefect)jq"},
    {"temporal",
     R"jq({workflowType: {name: "InfrahubEvent"}, taskQueue: {name: "infrahub"}, requestId: .id, input: [.]}   # Temporal)jq"},
    {"stackstorm",
     R"jq({trigger: "infrahub.event", payload: .}                                                    # StackStorm)jq"},
    {"splunk",
     R"jq(import "herald" as h; {time: h::epoch, source: "infrahub", sourcetype: "infrahub:event", event: .}   # Splunk)jq"},
    {"netbox", R"jq(import "herald" as h;
(.data.changelog // {}) as $c |
{event: (.data.action // "updated"), timestamp: .occured_at, object_type: (h::kind // .event),
 username: (.account_id // ""), request_id: .id,
 data: ({id: .data.node_id, display: h::subject} + ($c.attributes // {} | map_values(.value))),
 snapshots: {prechange: ($c.attributes // {} | map_values(.value_previous)),
             postchange: ($c.attributes // {} | map_values(.value))}})jq"},
    {"cloudevents",
     R"jq(import "herald" as h;                                            # structured
{specversion: "1.0", id, source: "https://infrahub.example.com", type: .event, time: h::rfc3339,
 subject: ([h::kind, .data.node_id] | map(select(. != null)) | join("/")),
 datacontenttype: "application/json", partitionkey: (.data.node_id // .data.branch_id // .id), data: .}
| with_entries(select(.value != "")))jq"},
};

TEST_F(JqHost, recipes_of_receivers_work_on_every_kind_of_event) {
    for (const Recipe& recipe : recipes) {
        start(recipe.program, R"(,"secrets":{"pagerduty":"key"})");
        ASSERT_EQ(answer().kind, 'R') << recipe.name;
        for (const char* name : {"node_updated", "node_created", "branch_created"}) {
            const Answer got = ask(example(name));
            EXPECT_EQ(got.kind, 'B') << recipe.name << ", " << name << ": " << got.payload;
            EXPECT_EQ(canonical_json(got.payload), got.payload) << recipe.name << ", " << name;
        }
    }
}

}  // namespace
}  // namespace herald
