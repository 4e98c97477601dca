#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "async/task_group.h"
#include "async/wheel.h"
#include "base/json.h"
#include "base/metrics.h"
#include "support/run.h"
#include "transform/host_pool.h"

namespace herald::test {

/// A host of a few lines: its code is a Python function `transform(text)` that gives a text.
inline constexpr std::string_view small_host = R"(
import json, os, struct, sys, time

def read(size):
    data = b''
    while len(data) < size:
        part = os.read(3, size - len(data))
        if not part:
            os._exit(0)
        data += part
    return data

def put(kind, text):
    data = kind + (text if isinstance(text, bytes) else text.encode())
    data = struct.pack('<I', len(data)) + data
    while data:
        data = data[os.write(3, data):]

def fail(kind, error):
    message = type(error).__name__ + ': ' + str(error)
    put(b'F', json.dumps({'class': kind, 'message': message, 'line': 1}))

names = {'put': put}
while True:
    data = read(struct.unpack('<I', read(4))[0])
    kind, text = data[:1], data[1:].decode()
    if kind == b'L':
        try:
            exec(json.loads(text)['source'], names)
            put(b'R', b'')
        except Exception as error:
            fail('CONFIG', error)
    else:
        try:
            put(b'B', names['transform'](text))
        except Exception as error:
            fail('TRANSFORM', error)
            if names.get('leaves'):
                time.sleep(0.05)
                os._exit(0)
)";

inline HostPlan plan_of(std::string_view source) {
    HostPlan plan;
    plan.command = {"/usr/bin/python3", "-I", "-S", "-c", std::string(small_host)};
    plan.load = "{\"source\":";
    append_json_string(plan.load, source);
    plan.load += '}';
    plan.key = source;
    return plan;
}

inline std::shared_ptr<const HostPlan> shared_plan(HostPlan plan) {
    return std::make_shared<const HostPlan>(std::move(plan));
}
inline std::shared_ptr<const HostPlan> shared_plan(std::string_view source) {
    return shared_plan(plan_of(source));
}

/// A pool on a loop of its own, stopped at the end.
class HostPoolTest : public testing::Test {
public:
    ~HostPoolTest() override { stop(); }

protected:
    void stop() {
        if (pool_) run(loop, pool_->stop());
        pool_.reset();
    }
    HostPool& pool(HostPoolOptions options = {}) {
        if (!pool_) {
            pool_ = std::make_unique<HostPool>(loop.get_executor(), wheel, metrics, options);
        }
        return *pool_;
    }
    HostAnswer ask(std::shared_ptr<const HostPlan> plan, std::string_view input) {
        return run(loop, pool().run(std::move(plan), input));
    }
    HostAnswer ask(std::string_view source, std::string_view input = "x") {
        return ask(shared_plan(source), input);
    }
    /// All at once; the answers in the order of the inputs.
    std::vector<HostAnswer> ask_all(const std::shared_ptr<const HostPlan>& plan,
                                    const std::vector<std::string>& inputs) {
        std::vector<HostAnswer> answers(inputs.size());
        TaskGroup tasks(loop.get_executor());
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            tasks.start(ask_one(plan, inputs[i], answers[i]));
        }
        run(loop, tasks.join());
        return answers;
    }
    boost::asio::awaitable<void> ask_one(std::shared_ptr<const HostPlan> plan,
                                         std::string_view input, HostAnswer& answer) {
        answer = co_await pool().run(std::move(plan), input);
        ended.push_back(std::string(input));
    }
    std::uint64_t failures(std::string_view reason) {
        return metrics
            .counter("herald_transform_failures_total", "", Metrics::label("reason", reason))
            .value();
    }

    boost::asio::io_context loop;
    Wheel wheel{loop.get_executor()};
    Metrics metrics;
    std::vector<std::string> ended;  ///< the inputs, in the order of their answers

private:
    std::unique_ptr<HostPool> pool_;
};

inline std::string member(const HostAnswer& answer, std::string_view name) {
    if (answer.kind != HostAnswer::Kind::failure) return "no failure: " + answer.payload;
    return JsonView(answer.payload).string(name).value_or("");
}
inline std::string message(const HostAnswer& answer) { return member(answer, "message"); }

}  // namespace herald::test
