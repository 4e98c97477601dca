// What code in a host cannot do. Each test runs Python in a real host.
#include "transform/sandbox.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/small_host.h"
#include "support/temp_dir.h"
#include "transform/spawn.h"

namespace herald {
namespace {

using test::message;
using test::plan_of;
using test::run;
using test::shared_plan;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

/// What the system gives; the tests of what it has not are left out.
class SandboxTest : public test::HostPoolTest {
protected:
    static bool has(SandboxLayer layer) {
        static const SandboxReport report = sandbox_support();
        return report.has(layer);
    }
    /// The result of a Python expression in a host, or its failure.
    std::string value_of(const std::string& expression, HostLimits limits = {},
                         std::vector<std::filesystem::path> readable = {}) {
        HostPlan plan = plan_of("import os, signal, socket\ndef transform(text): return str(" +
                                expression + ")");
        plan.limits = limits;
        plan.readable = std::move(readable);
        const HostAnswer answer = ask(shared_plan(plan), "x");
        return answer.kind == HostAnswer::Kind::failure ? message(answer) : answer.payload;
    }
};

std::filesystem::path a_file(const test::TempDir& folder) {
    const auto path = folder.path() / "secret";
    std::ofstream(path) << "of herald";
    std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
    std::filesystem::permissions(path, std::filesystem::perms::all);
    return path;
}

/// A listener on 127.0.0.1; it takes connections by itself.
struct Listener {
    Listener() : socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        const int bound = ::bind(socket.number(), reinterpret_cast<sockaddr*>(&address), size);
        if (bound != 0 || ::listen(socket.number(), 8) != 0) std::abort();
        ::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&address), &size);
        port = std::to_string(ntohs(address.sin_port));
    }
    Descriptor socket;
    std::string port;
};

TEST_F(SandboxTest, TheReportNamesEveryWall) {
    const auto all = sandbox_support().by_name();
    EXPECT_EQ(all.size(), 9U);
    for (const auto& [name, there] : all) RecordProperty(std::string(name), there);
    EXPECT_TRUE(has(SandboxLayer::limits));
    EXPECT_TRUE(has(SandboxLayer::no_new_privileges));
    EXPECT_TRUE(has(SandboxLayer::no_capabilities));
    EXPECT_FALSE(SandboxReport{}.has(SandboxLayer::calls));
}

TEST_F(SandboxTest, AHostHasTheWallsOfTheReport) {
    HostPlan plan = plan_of("def transform(text): return text");
    Worker worker("test");
    HostProcess process(loop.get_executor(), shared_plan(plan));
    ASSERT_TRUE(run(loop, process.start(worker)));
    EXPECT_EQ(process.sandbox().layers, sandbox_support().layers);
    process.kill();
    run(loop, process.end(worker));
}

TEST_F(SandboxTest, NothingButItsSocketIsInherited) {
    const Descriptor left_open(::open("/dev/zero", O_RDONLY));
    const Descriptor high(::fcntl(left_open.number(), F_DUPFD, 200));
    const std::string code =
        "sorted((int(n), os.readlink('/proc/self/fd/' + n)) for n in os.listdir('/proc/self/fd')"
        " if os.path.exists('/proc/self/fd/' + n))";
    const std::string open = value_of(code);
    EXPECT_THAT(open, StartsWith("[(0, '/dev/null'), (1, '/dev/null'), (2, '/dev/null'), "
                                 "(3, 'socket:["));
    EXPECT_EQ(std::ranges::count(open, '('), 4) << open;
}

TEST_F(SandboxTest, TheEnvironmentIsWhatIsDeclared) {
    ::setenv("HERALD_TOKEN_OF_THE_TEST", "secret", 1);
    HostPlan plan = plan_of(
        "def transform(text): return open('/proc/self/environ').read().replace(chr(0), ';')");
    plan.environment = {{"A", "1"}, {"TZ", "UTC"}};
    EXPECT_EQ(ask(shared_plan(plan), "x").payload, "A=1;TZ=UTC;");
    ::unsetenv("HERALD_TOKEN_OF_THE_TEST");
}

TEST_F(SandboxTest, SignalsAreAsAProgramExpectsThem) {
    EXPECT_EQ(value_of("signal.pthread_sigmask(signal.SIG_BLOCK, [])"), "set()");
    EXPECT_EQ(value_of("[l for l in open('/proc/self/status') if l.startswith('SigBlk')]"),
              "['SigBlk:\\t0000000000000000\\n']");
}

TEST_F(SandboxTest, ItCannotForkOrStartPrograms) {
    if (!has(SandboxLayer::calls)) GTEST_SKIP() << "no system call filter here";
    EXPECT_THAT(value_of("os.fork()"), StartsWith("PermissionError"));
    EXPECT_THAT(value_of("os.posix_spawn('/bin/true', ['true'], {})"),
                StartsWith("PermissionError"));
    EXPECT_THAT(value_of("__import__('subprocess').run(['/bin/true'])"),
                StartsWith("PermissionError"));
}

TEST_F(SandboxTest, AForkBombMakesNoProcess) {
    if (!has(SandboxLayer::calls)) GTEST_SKIP() << "no system call filter here";
    const HostAnswer answer = ask(R"(
import os
def transform(text):
    made = 0
    for i in range(100000):
        try:
            if os.fork() == 0: os._exit(0)
            made += 1
        except PermissionError: pass
    return str(made))");
    EXPECT_EQ(answer.payload, "0");
}

TEST_F(SandboxTest, ItMayHaveThreads) {
    const HostAnswer answer = ask(R"(
import threading
def transform(text):
    found = []
    threads = [threading.Thread(target=found.append, args=(i,)) for i in range(10)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return str(len(found)))");
    EXPECT_EQ(answer.payload, "10");
}

TEST_F(SandboxTest, ThreadsWithoutEndAreItsOwnFailure) {
    const HostAnswer answer = ask(R"(
import threading, time
threading.stack_size(1 << 20)
def transform(text):
    for i in range(100000): threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
)");
    EXPECT_EQ(answer.kind, HostAnswer::Kind::failure);
    EXPECT_THAT(message(answer), HasSubstr("can't start new thread"));
    EXPECT_EQ(ask("def transform(text): return text").payload, "x");
}

TEST_F(SandboxTest, AnAsyncioLoopRuns) {
    const HostAnswer answer = ask(R"(
import asyncio
loop = asyncio.new_event_loop()
async def later(): await asyncio.sleep(0.001); return 'done'
def transform(text): return loop.run_until_complete(later()))");
    EXPECT_EQ(answer.payload, "done");
}

TEST_F(SandboxTest, MemoryEndsWhereTheLimitIs) {
    HostLimits limits;
    limits.memory_bytes = 64 << 20;
    EXPECT_THAT(value_of("len(bytearray(60 << 20))", limits), StartsWith("MemoryError"));
    EXPECT_EQ(value_of("len(bytearray(16 << 20))", limits), "16777216");
    EXPECT_THAT(value_of("__import__('mmap').mmap(-1, 8 << 30)", limits),
                HasSubstr("Cannot allocate memory"));
}

TEST_F(SandboxTest, ACrashWithoutMemoryIsSaidToBeOne) {
    HostPlan plan = plan_of(R"(
import os
def transform(text):
    held = []
    try:
        while True: held.append(bytearray(1 << 20))
    except MemoryError: os.abort()
)");
    plan.limits.memory_bytes = 64 << 20;
    const HostAnswer answer = ask(shared_plan(plan), "x");
    EXPECT_THAT(message(answer), StartsWith("its process was out of memory (limit 64 MiB)"));
    EXPECT_EQ(failures("memory"), 1U);
}

TEST_F(SandboxTest, CpuTimeEndsWhereTheLimitIs) {
    HostPlan plan = plan_of(R"(
import signal
def transform(text):
    try: signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    except OSError: pass
    while True: pass
)");
    plan.limits.cpu_seconds = 1;
    const HostAnswer answer = ask(shared_plan(plan), "x");
    EXPECT_EQ(message(answer), "used more than 1 s of CPU time and was ended");
    EXPECT_EQ(failures("cpu"), 1U);
}

TEST_F(SandboxTest, CpuTimeIsCountedForEachEvent) {
    HostPlan plan = plan_of(R"(
import time
def transform(text):
    end = time.process_time() + 0.7
    while time.process_time() < end: pass
    return text
)");
    plan.limits.cpu_seconds = 1;
    pool({.processes_each = 1});
    for (const HostAnswer& answer : ask_all(shared_plan(plan), std::vector<std::string>(6, "x"))) {
        EXPECT_EQ(answer.payload, "x");
    }
}

TEST_F(SandboxTest, ItCannotRaiseItsLimits) {
    if (!has(SandboxLayer::calls)) GTEST_SKIP() << "no system call filter here";
    const std::string set = "__import__('resource').setrlimit(__import__('resource').RLIMIT_";
    EXPECT_THAT(value_of(set + "CPU, (1000, 1000))"), HasSubstr("not allowed to raise"));
    EXPECT_THAT(value_of(set + "DATA, (-1, -1))"), HasSubstr("not allowed to raise"));
    EXPECT_EQ(value_of("__import__('resource').getrlimit(4)"), "(0, 0)");
}

TEST_F(SandboxTest, NoFileIsLargerThanItsLimit) {
    EXPECT_THAT(value_of("open('f', 'wb').write(bytes(20 << 20))"),
                AllOf(HasSubstr("OSError"), HasSubstr("rror")));
    EXPECT_THAT(value_of("[open('/dev/null') for i in range(1000)]"),
                HasSubstr("Too many open files"));
}

TEST_F(SandboxTest, ManyFilesFillNothingButItsOwnFolder) {
    if (!has(SandboxLayer::own_file_system)) GTEST_SKIP() << "no file system of its own here";
    EXPECT_THAT(value_of("[open(str(i), 'wb').write(bytes(1 << 20)) for i in range(60)]"),
                HasSubstr("No space left"));
    EXPECT_THAT(value_of("[open(str(i), 'wb').close() for i in range(5000)]"),
                HasSubstr("No space left"));
}

TEST_F(SandboxTest, WithoutTheNetworkNothingIsReached) {
    if (!has(SandboxLayer::calls) && !has(SandboxLayer::network_namespace)) {
        GTEST_SKIP() << "neither a system call filter nor network namespaces here";
    }
    const Listener listener;
    const std::string connect = "socket.create_connection(('127.0.0.1', " + listener.port + "))";
    EXPECT_THAT(value_of(connect), StartsWith("PermissionError"));
    EXPECT_THAT(value_of("socket.socket(socket.AF_UNIX)"), StartsWith("PermissionError"));
    EXPECT_THAT(value_of("socket.getaddrinfo('example.org', 80)"), StartsWith("gaierror"));
}

TEST_F(SandboxTest, WithTheNetworkItConnects) {
    const Listener listener;
    HostLimits limits;
    limits.network = true;
    const std::string connect =
        "socket.create_connection(('127.0.0.1', " + listener.port + ")).getpeername()[1]";
    EXPECT_EQ(value_of(connect, limits), listener.port);
    if (has(SandboxLayer::calls)) {
        EXPECT_THAT(value_of("socket.socket(socket.AF_UNIX)", limits),
                    StartsWith("PermissionError"));
    }
}

TEST_F(SandboxTest, FilesOfOthersCannotBeRead) {
    if (!has(SandboxLayer::files)) GTEST_SKIP() << "no Landlock here";
    const test::TempDir folder;
    const std::string path = a_file(folder).string();
    EXPECT_THAT(value_of("open('" + path + "').read()"), StartsWith("PermissionError"));
    EXPECT_THAT(value_of("os.listdir('" + folder.path().string() + "')"),
                StartsWith("PermissionError"));
    EXPECT_THAT(value_of("os.listdir('/tmp')"), StartsWith("PermissionError"));
    EXPECT_THAT(value_of("open('/etc/hostname').read()"), StartsWith("PermissionError"));
    EXPECT_THAT(value_of("open('/proc/' + str(os.getppid()) + '/environ').read()"),
                StartsWith("PermissionError"));
    EXPECT_THAT(value_of("open('/proc/self/root" + path + "').read()"),
                StartsWith("PermissionError"));
}

TEST_F(SandboxTest, WhatItIsGivenCanBeReadAndNotWritten) {
    const test::TempDir folder;
    const std::string path = a_file(folder).string();
    EXPECT_EQ(value_of("open('" + path + "').read()", {}, {folder.path()}), "of herald");
    if (!has(SandboxLayer::files) && !has(SandboxLayer::own_file_system)) {
        GTEST_SKIP() << "neither Landlock nor mount namespaces here";
    }
    const auto refused = AnyOf(StartsWith("PermissionError"), HasSubstr("Read-only"));
    for (const std::string& call : {"open('" + path + "', 'w')", "os.truncate('" + path + "', 0)",
                                    "os.unlink('" + path + "')"}) {
        EXPECT_THAT(value_of(call, {}, {folder.path()}), refused);
    }
}

TEST_F(SandboxTest, NothingButItsOwnFolderCanBeWritten) {
    if (!has(SandboxLayer::files) && !has(SandboxLayer::own_file_system)) {
        GTEST_SKIP() << "neither Landlock nor mount namespaces here";
    }
    const test::TempDir folder;
    const std::string path = a_file(folder).string();
    const auto refused = AnyOf(StartsWith("PermissionError"), HasSubstr("Read-only"));
    EXPECT_THAT(value_of("open('" + path + "', 'w')"), refused);
    EXPECT_THAT(value_of("open('" + folder.path().string() + "/new', 'w')"), refused);
    EXPECT_THAT(value_of("os.unlink('" + path + "')"), refused);
    EXPECT_EQ(value_of("open('own', 'w').write('x')"), "1");
    EXPECT_EQ(value_of("open('/dev/null', 'w').write('x')"), "1");
}

TEST_F(SandboxTest, ItsOwnFolderCanBeWrittenAndIsGoneWithIt) {
    const std::string folder = value_of("open('f', 'w').write('x') and os.getcwd()");
    EXPECT_THAT(folder, HasSubstr("herald-host-"));
    EXPECT_TRUE(std::filesystem::exists(folder));
    stop();
    EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(SandboxTest, FoldersOfAHeraldThatWasKilledAreRemoved) {
    const auto parent = std::filesystem::temp_directory_path();
    const pid_t gone = ::fork();
    if (gone == 0) ::_exit(0);
    ::waitpid(gone, nullptr, 0);
    const auto left = parent / ("herald-host-" + std::to_string(gone) + "-abcdef");
    const auto used = parent / ("herald-host-" + std::to_string(::getpid()) + "-abcdef");
    std::filesystem::create_directories(left / "deep");
    std::filesystem::create_directory(used);
    pool();
    stop();
    EXPECT_FALSE(std::filesystem::exists(left));
    EXPECT_TRUE(std::filesystem::exists(used));
    std::filesystem::remove(used);
}

TEST_F(SandboxTest, ItCannotSignalOrTraceHerald) {
    if (!has(SandboxLayer::calls)) GTEST_SKIP() << "no system call filter here";
    EXPECT_THAT(value_of("os.kill(os.getppid(), 0)"), StartsWith("PermissionError"));
    EXPECT_THAT(value_of("os.kill(-1, 9)"), StartsWith("PermissionError"));
    EXPECT_THAT(value_of("os.pidfd_open(os.getppid())"), StartsWith("PermissionError"));
    EXPECT_EQ(value_of("os.kill(os.getpid(), 0)"), "None");
}

TEST_F(SandboxTest, RootIsNobodySpecialInIt) {
    const std::string status =
        "[l for l in open('/proc/self/status') if l.startswith(('CapEff', "
        "'CapBnd', 'CapPrm', 'NoNewPrivs'))]";
    EXPECT_EQ(value_of(status + "[0]"), "CapPrm:\t0000000000000000\n");
    EXPECT_EQ(value_of(status + "[1]"), "CapEff:\t0000000000000000\n");
    EXPECT_EQ(value_of(status + "[3]"), "NoNewPrivs:\t1\n");
    EXPECT_THAT(value_of("os.chroot('.')"), StartsWith("PermissionError"));
}

TEST_F(SandboxTest, ItDoesNotOutliveAHeraldThatIsKilled) {
    // What is left behind becomes a child of ours.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const Descriptor from(ends[0]);
    Descriptor to(ends[1]);
    const pid_t herald = ::fork();
    if (herald == 0) {
        HostPlan plan;
        plan.command = {"/bin/sleep", "1000"};
        const auto host = spawn_host(plan);
        const pid_t pid = host ? host->pid : 0;
        [[maybe_unused]] const auto written = ::write(ends[1], &pid, sizeof pid);
        ::kill(::getpid(), SIGKILL);
    }
    to.close();
    pid_t host = 0;
    ASSERT_EQ(::read(from.number(), &host, sizeof host), static_cast<ssize_t>(sizeof host));
    ::waitpid(herald, nullptr, 0);
    ASSERT_GT(host, 0);
    int status = 0;
    EXPECT_EQ(::waitpid(host, &status, 0), host);
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
    remove_left_folders();
    ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

}  // namespace
}  // namespace herald
