//! Tables as the tools of BCC and bpftrace print them.

use proptest::prelude::*;

use super::super::{Format, Reader};
use super::{NOW, attributes, stream, told};
use crate::event::{Event, Kind};

/// Nanoseconds since the epoch of a time of day of today.
fn at(hour: i64, minute: i64, second: i64) -> i64 {
    const DAY: i64 = 86_400_000_000_000;
    NOW - NOW % DAY + (hour * 3600 + minute * 60 + second) * 1_000_000_000
}

/// The first event of a table.
fn row<'a>(header: &str, row: &str, data: &'a mut String) -> Event<'a> {
    *data = format!("Tracing... Hit Ctrl-C to end.\n{header}\n{row}\n");
    let mut events = stream(data);
    assert_eq!(events.len(), 2, "{events:?}");
    events.remove(1)
}

/// Header, row, and of its event service, operation and duration.
const TOOLS: &[(&str, &str, &str, &str, Option<u64>)] = &[
    ("PID    COMM      FD ERR PATH", "1576   snmpd      9   0 /proc/net/dev", "snmpd", "open", None),
    (
        "TIME(s)       PID    COMM               FD ERR PATH",
        "0.000289999   1956   supervise           9   0 supervise/status.new",
        "supervise",
        "open",
        None,
    ),
    (
        "PCOMM            PID    PPID   RET ARGS",
        "bash             15887  1      0 /usr/bin/man ls",
        "bash",
        "exec",
        None,
    ),
    (
        "TIME     TIME(s) PCOMM            PID    PPID  RET ARGS",
        "14:08:23 2.849   mount            18049  1045    0 /bin/mount -p",
        "mount",
        "exec",
        None,
    ),
    (
        "TIME(s)     COMM           PID    DISK    T SECTOR     BYTES   LAT(ms)",
        "0.000004    supervise      1950   xvda1   W 13092560   4096       0.74",
        "supervise",
        "block write",
        Some(740_000),
    ),
    (
        "TIME     COMM           PID    T BYTES   OFF_KB   LAT(ms) FILENAME",
        "06:35:01 cron           16464  R 1249    0          16.05 common-auth",
        "cron",
        "read",
        Some(16_050_000),
    ),
    (
        "TIME(s)  COMM           PID    D BYTES   LAT(ms) FILENAME",
        "0.052    man            9647   W 8192       1.06 data1",
        "man",
        "write",
        Some(1_060_000),
    ),
    (
        "PID   COMM       LADDR           LPORT RADDR           RPORT TX_KB RX_KB MS",
        "3277  redis-serv 127.0.0.1       28527 127.0.0.1       46644     0     0 0.28",
        "redis-serv",
        "connection",
        Some(280_000),
    ),
    (
        "PID    COMM         IP SADDR            DADDR            DPORT LAT(ms)",
        "1201   wget         4  10.153.223.157   23.23.100.231    80    1.65",
        "wget",
        "connect",
        Some(1_650_000),
    ),
    (
        "TIME     COMM             TID           LAT(us)",
        "04:16:32 cc1              12924           12739",
        "cc1",
        "run queue",
        Some(12_739_000),
    ),
    (
        "TIME      PID    COMM                  LATms HOST",
        "06:10:24  28011  wget                  90.00 www.iovisor.org",
        "wget",
        "resolve",
        Some(90_000_000),
    ),
    (
        "TIME(s)        PID          MS QUERY",
        "1.315800       25776  2000.999 call getproduct(97)",
        "",
        "query",
        Some(2_000_999_000),
    ),
    (
        "COMM           PID    LAT(us)             RVAL FUNC",
        "kworker/0:2    27077     7.46 ffff90054f9f8e40 __kmalloc",
        "kworker",
        "__kmalloc",
        Some(7_460),
    ),
    (
        "SKADDR           C-PID C-COMM     LADDR           LPORT RADDR           RPORT OLDSTATE    -> NEWSTATE    MS",
        "ffff9fd7e8192000 0     swapper/5  100.66.100.185  63446 52.33.159.26    80    SYN_SENT    -> ESTABLISHED 1.373",
        "swapper",
        "SYN_SENT",
        Some(1_373_000),
    ),
    (
        "COMM             PID     TID     MNT_NS      CALL",
        "mount            710     710     4026531840  mount(\"/mnt\", \"/mnt\", \"\", MS_MGC_VAL|MS_BIND, \"\") = 0",
        "mount",
        "mount",
        None,
    ),
    (
        "PCOMM            PID    PPID   TID    AGE(s)  EXIT_CODE",
        "bash             19003  17656  19003  1.65    code 65",
        "bash",
        "exit",
        Some(1_650_000_000),
    ),
    (
        "TIME(ms)     DISK    COMM           PID    LAT(ms)",
        "611          nvme0n1 bash           4179         0",
        "bash",
        "",
        Some(0),
    ),
    (
        "PID    COMM             FUNC             -",
        "4402   bash             sys_execve       /usr/bin/man",
        "bash",
        "sys_execve",
        None,
    ),
];

#[test]
fn each_tool_is_known_by_its_columns() {
    for (header, line, service, operation, took) in TOOLS {
        let mut data = String::new();
        let event = row(header, line, &mut data);
        assert_eq!((&*event.service, &*event.operation, event.duration), (*service, *operation, *took), "{line}");
        assert_eq!(event.kind, Kind::Internal, "{line}");
        assert!(!event.failed);
    }
}

#[test]
fn times_of_day_and_times_since_the_start_are_told_apart() {
    let data = "TIME     COMM             TID           LAT(us)\n\
                20:16:32 cc1              12924           12739\n\
                TIME(s)  COMM           PID    D BYTES   LAT(ms) FILENAME\n\
                0.000    man            9647   R 8192       1.06 data1\n\
                1.250    man            9647   R 8192       1.06 data1\n";
    let times: Vec<_> = stream(data).iter().map(|event| event.time.unwrap()).collect();
    assert_eq!(times, [at(20, 16, 32), NOW, NOW + 1_250_000_000]);
}

#[test]
fn names_of_programs_may_have_blanks() {
    let data = "TIME(s)       ACTION TID    COMM             SOCKET                    FD    NAME\n\
                0.000000000   SEND   2576   Web Content      24:socket:[39763]         51    N/A\n\
                0.000000000   SEND   2576   firefox          24:socket:[39763]         51\n";
    assert_eq!(told(&stream(data)), [("Web Content", "SEND", ""), ("firefox", "SEND", "")]);
}

#[test]
fn errors_have_names_and_answers_are_none() {
    let data = "PID    COMM      FD ERR PATH\n\
                1576   snmpd     -1   2 /proc/net/dev\n\
                1576   snmpd     -1  13 /etc/shadow\n\
                TIME      PID    COMM             SIG  TPID   RESULT\n\
                12:11:34  13967  bash             9    1024   -3\n";
    let events = stream(data);
    let failed: Vec<_> = events.iter().map(|event| (event.failed, &*event.message)).collect();
    assert_eq!(failed, [(false, ""), (true, "EACCES"), (true, "ESRCH")]);
    let pairs = [("pid", "1576"), ("fd", "-1"), ("err", "13"), ("path", "\"/etc/shadow\"")];
    assert_eq!(attributes(&events[1]), pairs.map(|(key, value)| (key.to_owned(), value.to_owned())));
}

#[test]
fn sums_and_histograms_are_rejected_as_such() {
    let data = "% time     seconds  usecs/call     calls    errors syscall\n\
                ------ ----------- ----------- --------- --------- ----------------\n \
                37.70    0.000161           4        34        13 openat\n \
                22.72    0.000097           3        30           mmap\n\
                100.00    0.000427           2       144        18 total\n\
                \u{20}    usecs               : count     distribution\n\
                \u{20}        4 -> 7          : 12       |****                |\n\
                [4, 8)                12 |@@@@                  |\n\
                [1K, 2K)              12 |@@@@                  |\n\
                SYSCALL                   COUNT\n\
                read                         12\n\
                started again\n";
    let mut context = super::CONTEXT;
    let (mut reader, mut events, mut rest, mut reasons) = (Reader::default(), Vec::new(), data.as_bytes(), Vec::new());
    while let Some(record) = reader.next(rest, None, &mut context, usize::MAX, &mut events) {
        rest = &rest[record.bytes.len()..];
        reasons.extend(record.found.err().map(|refusal| refusal.reason()));
    }
    assert_eq!(reasons, ["totals, not events"; 7]);
    assert_eq!(told(&events), [("", "", "usecs               : count     distribution"), ("", "", "started again")]);
    assert_eq!(reader.format, Some(Format::Table));
}

#[test]
fn lines_between_the_rows_are_text() {
    let data = "PID    COMM      FD ERR PATH\nPossibly lost 12 samples\n1576   snmpd      9   0 /proc/net/dev\n";
    let kinds: Vec<_> = stream(data).iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [Kind::Log, Kind::Internal]);
}

proptest! {
    /// Rows of programs of any name come back as they were.
    #[test]
    fn what_is_written_is_read(
        rows in prop::collection::vec(("[a-z][a-z:.-]{0,6}( [A-Za-z]{1,6}){0,2}", 1_u32..99_999, "[RW]", 0_u64..9_999_999, "[a-z/ .]{0,9}[a-z]"), 1..20),
    ) {
        let mut out = "TIME     COMM           PID    T BYTES   OFF_KB   LAT(ms) FILENAME\n".to_owned();
        for (comm, pid, letter, took, file) in &rows {
            let (whole, part) = (took / 1000, took % 1000);
            out += &format!("06:35:01 {comm:<14} {pid:<6} {letter} 1249    0        {whole:>5}.{part:03} {file}\n");
        }
        let events = stream(&out);
        let found: Vec<_> = events.iter().map(|event| (&*event.service, &*event.operation, event.duration.unwrap())).collect();
        let expected: Vec<_> = rows.iter().map(|(comm, _, letter, took, _)| (comm.as_str(), if letter == "R" { "read" } else { "write" }, took * 1000)).collect();
        prop_assert_eq!(found, expected);
    }
}
