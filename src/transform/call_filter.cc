#include "transform/call_filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>

namespace herald {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_AARCH64;
#else
#error "name this processor's architecture for the filter of system calls"
#endif

constexpr std::uint32_t foreign_calls = 0x40000000;  // x32: other numbers for the same calls

/// Refused whatever the arguments are.
constexpr auto refused = std::to_array<int>({
#ifdef SYS_fork
    SYS_fork,
    SYS_vfork,
    SYS_modify_ldt,
    SYS_iopl,
    SYS_ioperm,
#endif
    // Other processes
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_pidfd_open,
    SYS_pidfd_getfd,
    SYS_pidfd_send_signal,
    SYS_setpriority,
    // The file system and namespaces
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_move_mount,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_unshare,
    SYS_setns,
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    SYS_fanotify_init,
    SYS_quotactl,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    // The kernel itself; io_uring does calls that no filter sees
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_reboot,
    SYS_syslog,
    SYS_vhangup,
    SYS_personality,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_sethostname,
    SYS_setdomainname,
    // Memory that the limits do not count
    SYS_memfd_create,
    SYS_shmget,
    SYS_shmat,
    SYS_msgget,
    SYS_semget,
    SYS_mq_open,
    // Limits
    SYS_setrlimit,
});

constexpr std::uint32_t with_error(int error) {
    return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
}

/// Where the low half of an argument lies (both architectures are little-endian).
constexpr std::size_t low(unsigned argument) {
    return offsetof(seccomp_data, args) + sizeof(std::uint64_t) * argument;
}
constexpr std::size_t high(unsigned argument) { return low(argument) + sizeof(std::uint32_t); }

}  // namespace

CallFilter::CallFilter(bool network) {
    load(offsetof(seccomp_data, arch));
    jump(BPF_JEQ, architecture, 1, 0);
    give(SECCOMP_RET_KILL_PROCESS);
    load(offsetof(seccomp_data, nr));
    jump(BPF_JGE, foreign_calls, 0, 1);
    give(SECCOMP_RET_KILL_PROCESS);
    for (const int call : refused) refuse(call, EPERM);
    special_calls(network);
    give(SECCOMP_RET_ALLOW);
}

void CallFilter::special_calls(bool network) {
    // Threads are allowed, processes are not. clone3 has its flags where no filter can look; the C
    // library falls back to clone.
    refuse(SYS_clone3, ENOSYS);
    jump(BPF_JEQ, SYS_clone, 0, 4);
    load(low(0));
    jump(BPF_JSET, CLONE_THREAD, 0, 1);
    give(SECCOMP_RET_ALLOW);
    give(with_error(EPERM));

    pass_own_pid(SYS_kill);
    pass_own_pid(SYS_tkill);
    pass_own_pid(SYS_tgkill);
    refuse_when_given(SYS_prlimit64, 2);
    pass_only(SYS_socketpair, 0, {AF_UNIX});  // an asyncio loop wakes itself through one
    if (network) {
        pass_only(SYS_socket, 0, {AF_INET, AF_INET6});
    } else {
        refuse(SYS_socket, EPERM);
    }

    // The signal of the CPU limit stays what it is, and so does the one of herald's end.
    jump(BPF_JEQ, SYS_rt_sigaction, 0, 7);
    load(low(0));
    jump(BPF_JEQ, SIGXCPU, 0, 4);
    load(low(1));
    jump(BPF_JEQ, 0, 0, 1);
    give(SECCOMP_RET_ALLOW);
    give(with_error(EPERM));
    give(SECCOMP_RET_ALLOW);
    jump(BPF_JEQ, SYS_prctl, 0, 4);
    load(low(0));
    jump(BPF_JEQ, PR_SET_PDEATHSIG, 0, 1);
    give(with_error(EPERM));
    give(SECCOMP_RET_ALLOW);
}

void CallFilter::load(std::size_t offset) {
    code_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
}

void CallFilter::jump(std::uint16_t code, std::uint32_t value, std::uint8_t yes, std::uint8_t no) {
    const auto what = static_cast<std::uint16_t>(BPF_JMP | code | BPF_K);
    code_.push_back(BPF_JUMP(what, value, yes, no));
}

void CallFilter::give(std::uint32_t answer) { code_.push_back(BPF_STMT(BPF_RET | BPF_K, answer)); }

void CallFilter::refuse(int call, int error) {
    jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 1);
    give(with_error(error));
}

void CallFilter::pass_only(int call, unsigned argument, std::vector<std::uint32_t> values) {
    const auto rest = static_cast<std::uint8_t>(2 * values.size() + 2);
    jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, rest);
    load(low(argument));
    for (const std::uint32_t value : values) {
        jump(BPF_JEQ, value, 0, 1);
        give(SECCOMP_RET_ALLOW);
    }
    give(with_error(EPERM));
}

void CallFilter::pass_own_pid(int call) {
    pass_only(call, 0, {0});
    own_pid_.push_back(code_.size() - 3);
}

void CallFilter::refuse_when_given(int call, unsigned argument) {
    jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 6);
    load(low(argument));
    jump(BPF_JEQ, 0, 0, 3);
    load(high(argument));
    jump(BPF_JEQ, 0, 0, 1);
    give(SECCOMP_RET_ALLOW);
    give(with_error(EPERM));
}

bool CallFilter::install() noexcept {
    const auto pid = static_cast<std::uint32_t>(::syscall(SYS_getpid));
    for (const std::size_t place : own_pid_) code_[place].k = pid;
    const sock_fprog program{.len = static_cast<unsigned short>(code_.size()),
                             .filter = code_.data()};
    return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

}  // namespace herald
