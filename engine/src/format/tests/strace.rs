//! Lines as strace 4.8 to 6.1 writes them, most of them recorded.

use proptest::prelude::*;

use super::{attributes, stream, told};
use crate::event::{Event, Kind, Level};

/// 2026-11-24 in nanoseconds: the day of what has a time of day alone.
const DAY: i64 = super::NOW - super::NOW % (86_400 * 1_000_000_000);

fn only(data: &str) -> Event<'_> {
    let events = stream(data);
    assert_eq!(events.len(), 1, "{events:?}");
    events.into_iter().next().unwrap()
}

#[test]
fn a_call_ends_when_its_duration_is_over() {
    let event = only("20:09:33.816083 mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, -1, 0) = 0x7f9100b03000 <0.000018>\n");
    assert_eq!((event.kind, &*event.operation, event.failed), (Kind::Internal, "mmap", false));
    assert_eq!(event.time, Some(DAY + (20 * 3600 + 9 * 60 + 33) * 1_000_000_000 + 816_101_000));
    assert_eq!(event.duration, Some(18_000));
}

#[test]
fn every_combination_of_flags_is_read() {
    let lines = [
        "close(3)                          = 0",
        "12242 close(3)                          = 0",
        "[pid 12242] close(3)                    = 0",
        "[pid 12242<sh>] close(3)                    = 0",
        "12256 03:47:41 close(3)                = 0",
        "12293<sh> 1795578461.931631 close(3</etc/passwd>)   = 0 <0.000008>",
        "12304      0.000295 close(3)           = 0",
        "12330 03:47:42.275506 (+     0.000294) close(3) = 0 <0.000009>",
        "14145 1795578489.591391613 (+     0.000290462) close(3) = 0 <0.000008122>",
        "[   3] [00007f45ba3a6c47] close(3)     = 0 <0.000007>",
        "1795578489 close(3)                   = 0",
        "     0.000295 close(3) = 0",
    ];
    for line in lines {
        let event = only(line);
        assert_eq!((&*event.operation, event.failed), ("close", false), "{line}");
        let timed = ["03:47", "17955", "0.000295"].iter().any(|stamp| line.contains(stamp));
        assert_eq!(event.time.is_some(), timed, "{line}");
        assert_eq!(event.duration.is_some(), line.contains('<') && line.ends_with('>'), "{line}");
    }
}

#[test]
fn unfinished_and_resumed_are_one_call() {
    let data = "12549 03:47:44.939832 accept4(3<TCP:[127.0.0.1:41969]>,  <unfinished ...>\n\
                12641 03:47:44.939881 getpid() = 12641 <0.000009>\n\
                12549 03:47:44.943608 <... accept4 resumed>{sa_family=AF_INET}, [16], SOCK_CLOEXEC) = 4 <0.003750>\n\
                12549 03:47:44.943947 read(4,  <unfinished ...>\n\
                12641 03:47:44.944000 futex(0x55b1f2e93214, FUTEX_WAIT_PRIVATE, 1, NULL <unfinished ...>\n\
                12549 03:47:44.945947 <... read resumed>\"x\", 1) = 1\n\
                12641 03:47:44.946000 <... futex resumed>) = 0\n";
    let events = stream(data);
    let found: Vec<_> = events.iter().map(|event| (&*event.operation, event.duration.unwrap())).collect();
    assert_eq!(found, [("getpid", 9_000), ("accept4", 3_750_000), ("read", 2_000_000), ("futex", 2_000_000)]);
    assert_eq!(events[1].time.unwrap() % 1_000_000_000, 943_608_000, "a resumed line has the time of the end");
}

#[test]
fn a_call_may_be_interrupted_again() {
    let data = "1000 1700000052.321000 epoll_wait(4, <unfinished ...>\n\
                1000 1700000052.321500 <... epoll_wait resumed> {}, 64, 100 <unfinished ...>\n\
                1000 1700000052.322000 <... epoll_wait resumed> {}, 64, 100) = 1\n";
    let event = only(data);
    assert_eq!(
        (&*event.operation, event.duration, event.time),
        ("epoll_wait", Some(1_000_000), Some(1_700_000_052_322_000_000))
    );
}

#[test]
fn children_are_of_their_parents_program_until_they_execute_another() {
    let data = "7 execve(\"/usr/bin/sh\", [\"sh\"], 0x7ffc /* 35 vars */) = 0\n\
                7 vfork( <unfinished ...>\n\
                8 rt_sigprocmask(SIG_SETMASK, [], ~[], 8) = 0\n\
                8 execve(\"/usr/sbin/cat\", [\"cat\"], 0x55a /* 35 vars */) = -1 ENOENT (No such file or directory)\n\
                8 execve(\"/usr/bin/cat\", [\"cat\"], 0x55a /* 35 vars */ <unfinished ...>\n\
                7 <... vfork resumed>)              = 8\n\
                8 <... execve resumed>) = 0\n\
                8 brk(NULL)                         = 0x55bf306cc000\n\
                8 clone(child_stack=NULL, flags=CLONE_VM) = 9\n\
                9 brk(NULL)                         = 0x55bf306cc000\n\
                8 +++ killed by SIGSEGV (core dumped) +++\n\
                7 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=8} ---\n\
                7 exit_group(3)                     = ?\n\
                7 +++ exited with 3 +++\n";
    let events = stream(data);
    let services: Vec<_> = events.iter().map(|event| (&*event.service, &*event.operation)).collect();
    assert_eq!(
        services,
        [
            ("sh", "execve"),
            ("sh", "rt_sigprocmask"),
            ("sh", "execve"),
            ("sh", "vfork"),
            ("cat", "execve"),
            ("cat", "brk"),
            ("cat", "clone"),
            ("cat", "brk"),
            ("cat", ""),
            ("sh", ""),
            ("sh", "exit_group"),
            ("sh", ""),
        ]
    );
    let ends: Vec<_> = events
        .iter()
        .filter(|event| event.kind == Kind::Log)
        .map(|event| (&*event.message, event.level, event.failed))
        .collect();
    assert_eq!(
        ends,
        [
            ("killed by SIGSEGV (core dumped)", Level::Error, true),
            ("SIGCHLD {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=8}", Level::Info, false),
            ("exited with 3", Level::Warn, false),
        ]
    );
}

#[test]
fn where_there_is_one_process_its_id_is_left_out() {
    let data = "03:47:44.119180 execve(\"/usr/bin/sh\", [\"sh\"], 0x7ffe /* 35 vars */) = 0\n\
                03:47:44.122025 vfork(strace: Process 12512 attached\n \
                <unfinished ...>\n\
                [pid 12512] 03:47:44.122121 getpid() = 12512\n\
                [pid 12511] 03:47:44.122183 <... vfork resumed>) = 12512\n\
                [pid 12511] 03:47:44.122228 wait4(-1,  <unfinished ...>\n\
                [pid 12512] 03:47:44.126076 +++ exited with 1 +++\n\
                <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 1}], 0, NULL) = 12512\n";
    let events = stream(data);
    assert_eq!(
        told(&events),
        [
            ("sh", "execve", ""),
            ("sh", "getpid", ""),
            ("sh", "vfork", ""),
            ("sh", "", "exited with 1"),
            ("sh", "wait4", "")
        ]
    );
    assert_eq!(events[2].duration, Some(158_000));
}

#[test]
fn an_error_is_a_failure_unless_it_is_an_answer() {
    let data = "access(\"/etc/ld.so.preload\", R_OK) = -1 ENOENT (No such file or directory) <0.000019>\n\
                connect(3, {sa_family=AF_INET, sin_port=htons(1)}, 16) = -1 ECONNREFUSED (Connection refused) <0.000019>\n\
                futex(0x1, FUTEX_WAIT, 1, NULL) = -1 EAGAIN (Resource temporarily unavailable)\n\
                openat(AT_FDCWD, \"/etc/shadow\", O_RDONLY) = -1 EACCES (Permission denied)\n\
                rt_sigsuspend([], 8) = ? ERESTARTNOHAND (To be restarted if no handler)\n\
                unlink(\"/x\") = -1 ENOENT (No such file or directory)\n";
    let events = stream(data);
    let failed: Vec<_> = events.iter().map(|event| event.failed).collect();
    assert_eq!(failed, [false, true, false, true, false, true]);
    assert_eq!(events[1].message, "ECONNREFUSED (Connection refused)");
    let pairs = [("errno", "\"EACCES\""), ("result", "\"-1\""), ("path", "\"/etc/shadow\"")];
    assert_eq!(attributes(&events[3]), pairs.map(|(key, value)| (key.to_owned(), value.to_owned())));
}

#[test]
fn what_a_program_wrote_does_not_end_its_call() {
    let event = only("1 write(1, \"a) = 3 <0.5>\\\" = \", 16) = 16 <0.000100>\n");
    assert_eq!((event.duration, event.failed), (Some(100_000), false));
    let event = only("1 read(3</tmp/a = b>, \"\", 1) = 0 (Timeout)\n");
    assert_eq!(attributes(&event)[1..], [("result".into(), "\"0\"".into()), ("path".into(), "\"/tmp/a = b\"".into())]);
}

#[test]
fn a_stack_goes_with_its_call() {
    let data = "12360 03:47:42.458795 brk(NULL)         = 0x556b4a1fe000\n \
                > /usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2(_dl_catch_error+0x26f0) [0x1ab70]\n \
                > /usr/bin/dash(+0x0) [0x4781]\n";
    assert_eq!(only(data).operation, "brk");
}

#[test]
fn steps_add_up() {
    let data = "     0.000000 brk(NULL) = 0x1\n     0.000250 close(3) = 0\n     1.000000 close(4) = 0\n";
    let events = stream(data);
    let since: Vec<_> = events.iter().map(|event| event.time.unwrap() - super::NOW).collect();
    assert_eq!(since, [0, 250_000, 1_000_250_000]);
}

#[test]
fn other_lines_are_text() {
    let data = "1000 1700000052.321000 close(3)                = 0\n\
                this line is not valid strace output and should be skipped\n";
    assert_eq!(stream(data)[1].kind, Kind::Log);
}

proptest! {
    /// Calls of several processes, some cut in two, come back as they were.
    #[test]
    fn what_is_written_is_read(
        calls in prop::collection::vec((1_u32..5, 0..4_usize, 0_i64..1_000_000, any::<bool>(), "[ -~]{0,12}"), 1..40),
    ) {
        const CALLS: [&str; 4] = ["read", "write", "futex", "openat"];
        const START: i64 = 1_700_000_000;
        let (mut out, mut expected, mut open) = (String::new(), Vec::new(), std::collections::BTreeMap::new());
        let mut now = 0_i64;
        let mut clock = |by: i64| {
            now += by;
            (format!("{}.{:06}", START + now / 1_000_000, now % 1_000_000), START * 1_000_000_000 + now * 1000)
        };
        for (pid, call, took, cut, text) in &calls {
            let (start, ns) = clock(10);
            if let Some((call, since)) = open.remove(pid) {
                out += &format!("{pid} {start} <... {call} resumed>{text:?}, 1) = 1\n");
                expected.push((call, ns, u64::try_from(ns - since).unwrap()));
            } else if *cut {
                out += &format!("{pid} {start} {}({text:?}, <unfinished ...>\n", CALLS[*call]);
                open.insert(pid, (CALLS[*call], ns));
            } else {
                out += &format!("{pid} {start} {}(3, {text:?}, 64) = 0 <0.{took:06}>\n", CALLS[*call]);
                expected.push((CALLS[*call], ns + took * 1000, u64::try_from(took * 1000).unwrap()));
            }
        }
        let events = stream(&out);
        let found: Vec<_> = events.iter().map(|event| (&*event.operation, event.time.unwrap(), event.duration.unwrap())).collect();
        prop_assert_eq!(found, expected);
    }
}
