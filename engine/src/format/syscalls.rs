//! System calls that nearly every program makes: a line that names one of them is a tracer's, and not a program's own
//! log of a function of its.

/// Sorted; names of Linux on any architecture, those that strace shows oftenest.
#[rustfmt::skip]
const COMMON: &[&str] = &[
    "accept", "accept4", "access", "arch_prctl", "bind", "bpf", "brk", "capget", "capset", "chdir", "chmod",
    "chown", "clock_gettime", "clock_nanosleep", "clone", "clone3", "close", "close_range", "connect",
    "copy_file_range", "creat", "dup", "dup2", "dup3", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait",
    "epoll_pwait2", "epoll_wait", "eventfd", "eventfd2", "execve", "execveat", "exit", "exit_group", "faccessat",
    "faccessat2", "fadvise64", "fallocate", "fchdir", "fchmod", "fchmodat", "fchown", "fchownat", "fcntl",
    "fcntl64", "fdatasync", "fgetxattr", "flock", "fork", "fstat", "fstat64", "fstatfs", "fstatfs64", "fsync",
    "ftruncate", "futex", "getcwd", "getdents", "getdents64", "getegid", "geteuid", "getgid", "getgroups",
    "getpeername", "getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getrandom", "getrlimit", "getrusage",
    "getsid", "getsockname", "getsockopt", "gettid", "gettimeofday", "getuid", "getxattr", "inotify_add_watch",
    "inotify_init1", "io_getevents", "io_setup", "io_submit", "io_uring_enter", "io_uring_setup", "ioctl", "kill",
    "lchown", "lgetxattr", "link", "linkat", "listen", "llistxattr", "lseek", "lstat", "lstat64", "madvise",
    "membarrier", "memfd_create", "mkdir", "mkdirat", "mlock", "mmap", "mmap2", "mount", "mprotect", "mremap",
    "msync", "munmap", "nanosleep", "newfstatat", "open", "openat", "openat2", "pause", "pidfd_open",
    "pidfd_send_signal", "pipe", "pipe2", "poll", "ppoll", "prctl", "pread64", "preadv", "prlimit64", "pselect6",
    "ptrace", "pwrite64", "pwritev", "read", "readlink", "readlinkat", "readv", "recvfrom", "recvmmsg", "recvmsg",
    "rename", "renameat", "renameat2", "restart_syscall", "rmdir", "rseq", "rt_sigaction", "rt_sigprocmask",
    "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
    "sched_setaffinity", "sched_yield", "select", "sendfile", "sendmmsg", "sendmsg", "sendto", "set_robust_list",
    "set_tid_address", "setgid", "setgroups", "setitimer", "setpgid", "setpriority", "setresgid", "setresuid",
    "setrlimit", "setsid", "setsockopt", "setuid", "shutdown", "sigaltstack", "signalfd4", "socket", "socketpair",
    "splice", "stat", "stat64", "statfs", "statfs64", "statx", "symlink", "symlinkat", "sysinfo", "tgkill",
    "timer_create", "timer_settime", "timerfd_create", "timerfd_settime", "times", "truncate", "umask", "umount2",
    "uname", "unlink", "unlinkat", "unshare", "utimensat", "vfork", "wait4", "waitid", "waitpid", "write", "writev",
];

/// Whether a name is one of them.
pub(super) fn is_common(name: &str) -> bool {
    COMMON.binary_search(&name).is_ok()
}

/// Whether an error of a call is an answer that programs ask for in the ordinary way of things: nothing there yet, or no
/// such file along a search path. What is no answer is a failure.
pub(super) fn is_answer(call: &str, errno: &str) -> bool {
    match errno {
        // Not yet, or begin again; or a library tries what the kernel knows.
        "EAGAIN"
        | "ENOSYS"
        | "EWOULDBLOCK"
        | "EINPROGRESS"
        | "EALREADY"
        | "EINTR"
        | "ERESTARTSYS"
        | "ERESTARTNOINTR"
        | "ERESTARTNOHAND"
        | "ERESTART_RESTARTBLOCK" => true,
        // A wait that is limited has come to its end.
        "ETIMEDOUT" => call.starts_with("futex") || call.ends_with("wait") || call.ends_with("timedwait"),
        "ENOENT" | "ENOTDIR" => {
            ["access", "stat", "open", "readlink", "exec", "getxattr"].iter().any(|looking| call.contains(looking))
        }
        "EEXIST" => call.starts_with("mkdir"),
        "ENODATA" | "EOPNOTSUPP" => call.contains("xattr"),
        // What isatty asks.
        "ENOTTY" => call == "ioctl",
        // Is it seekable? Are there children left?
        "ESPIPE" => call.contains("seek"),
        "ECHILD" => call.starts_with("wait"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted() {
        let mut sorted = COMMON.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(COMMON, sorted);
    }
}
