//! System calls that nearly every program makes: a line that names one of them is a tracer's, and not a program's own
//! log of a function of its. And the errors that calls return.

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

/// What Linux calls its errors, but for a few architectures. Sorted.
#[rustfmt::skip]
const ERRORS: &[(u64, &str)] = &[
    (1, "EPERM"), (2, "ENOENT"), (3, "ESRCH"), (4, "EINTR"), (5, "EIO"), (6, "ENXIO"),
    (7, "E2BIG"), (8, "ENOEXEC"), (9, "EBADF"), (10, "ECHILD"), (11, "EAGAIN"), (12, "ENOMEM"),
    (13, "EACCES"), (14, "EFAULT"), (15, "ENOTBLK"), (16, "EBUSY"), (17, "EEXIST"), (18, "EXDEV"),
    (19, "ENODEV"), (20, "ENOTDIR"), (21, "EISDIR"), (22, "EINVAL"), (23, "ENFILE"), (24, "EMFILE"),
    (25, "ENOTTY"), (26, "ETXTBSY"), (27, "EFBIG"), (28, "ENOSPC"), (29, "ESPIPE"), (30, "EROFS"),
    (31, "EMLINK"), (32, "EPIPE"), (33, "EDOM"), (34, "ERANGE"), (35, "EDEADLOCK"), (36, "ENAMETOOLONG"),
    (37, "ENOLCK"), (38, "ENOSYS"), (39, "ENOTEMPTY"), (40, "ELOOP"), (42, "ENOMSG"), (43, "EIDRM"),
    (44, "ECHRNG"), (45, "EL2NSYNC"), (46, "EL3HLT"), (47, "EL3RST"), (48, "ELNRNG"), (49, "EUNATCH"),
    (50, "ENOCSI"), (51, "EL2HLT"), (52, "EBADE"), (53, "EBADR"), (54, "EXFULL"), (55, "ENOANO"),
    (56, "EBADRQC"), (57, "EBADSLT"), (59, "EBFONT"), (60, "ENOSTR"), (61, "ENODATA"), (62, "ETIME"),
    (63, "ENOSR"), (64, "ENONET"), (65, "ENOPKG"), (66, "EREMOTE"), (67, "ENOLINK"), (68, "EADV"),
    (69, "ESRMNT"), (70, "ECOMM"), (71, "EPROTO"), (72, "EMULTIHOP"), (73, "EDOTDOT"), (74, "EBADMSG"),
    (75, "EOVERFLOW"), (76, "ENOTUNIQ"), (77, "EBADFD"), (78, "EREMCHG"), (79, "ELIBACC"), (80, "ELIBBAD"),
    (81, "ELIBSCN"), (82, "ELIBMAX"), (83, "ELIBEXEC"), (84, "EILSEQ"), (85, "ERESTART"), (86, "ESTRPIPE"),
    (87, "EUSERS"), (88, "ENOTSOCK"), (89, "EDESTADDRREQ"), (90, "EMSGSIZE"), (91, "EPROTOTYPE"), (92, "ENOPROTOOPT"),
    (93, "EPROTONOSUPPORT"), (94, "ESOCKTNOSUPPORT"), (95, "ENOTSUP"), (96, "EPFNOSUPPORT"), (97, "EAFNOSUPPORT"), (98, "EADDRINUSE"),
    (99, "EADDRNOTAVAIL"), (100, "ENETDOWN"), (101, "ENETUNREACH"), (102, "ENETRESET"), (103, "ECONNABORTED"), (104, "ECONNRESET"),
    (105, "ENOBUFS"), (106, "EISCONN"), (107, "ENOTCONN"), (108, "ESHUTDOWN"), (109, "ETOOMANYREFS"), (110, "ETIMEDOUT"),
    (111, "ECONNREFUSED"), (112, "EHOSTDOWN"), (113, "EHOSTUNREACH"), (114, "EALREADY"), (115, "EINPROGRESS"), (116, "ESTALE"),
    (117, "EUCLEAN"), (118, "ENOTNAM"), (119, "ENAVAIL"), (120, "EISNAM"), (121, "EREMOTEIO"), (122, "EDQUOT"),
    (123, "ENOMEDIUM"), (124, "EMEDIUMTYPE"), (125, "ECANCELED"), (126, "ENOKEY"), (127, "EKEYEXPIRED"), (128, "EKEYREVOKED"),
    (129, "EKEYREJECTED"), (130, "EOWNERDEAD"), (131, "ENOTRECOVERABLE"), (132, "ERFKILL"),
];

/// The name of an error.
pub(super) fn errno(number: u64) -> Option<&'static str> {
    ERRORS.binary_search_by_key(&number, |(number, _)| *number).ok().map(|index| ERRORS[index].1)
}

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
        assert!(ERRORS.is_sorted());
        assert_eq!(errno(111), Some("ECONNREFUSED"));
    }
}
