//! Samples as `perf script` 4.15 to 6.1 prints them, most of them recorded.

use proptest::prelude::*;

use super::super::{Format, Next, detect, next_record};
use super::{NOW, attributes, stream, told};
use crate::event::Event;

fn spans<'e>(events: &'e [Event<'_>]) -> Vec<(&'e str, &'e str, Option<u64>)> {
    events.iter().map(|event| (&*event.service, &*event.operation, event.duration)).collect()
}

#[test]
fn a_sample_with_its_stack_is_one_record() {
    let data = "sh 23492 15890.392117:   10101010 cpu-clock: \n\
                \tffffffff821fa71a __schedule+0x5a ([kernel.kallsyms])\n\
                \t            92ea [unknown] (/usr/bin/dash)\n\
                \n\
                Web Content 23492/23493 [001] 15890.412188:   10101010 cpu-clock:u: \n\
                \t            92ea [unknown] (/usr/bin/dash)\n\
                \u{20} dash[92ea]\n\
                \n\
                sh 23492 15890.412200:      250000 cycles:P: \n\
                \t     7ff5 _ZNSt6vectorIiSaIiEE9push_backEOi+0x1f (/usr/lib/libapp.so)\n\n";
    let events = stream(data);
    assert_eq!(
        spans(&events),
        [
            ("sh", "__schedule", Some(10_101_010)),
            ("Web Content", "[unknown] in dash", Some(10_101_010)),
            ("sh", "std::vector::push_back", None)
        ]
    );
    assert_eq!(events[1].time, Some(NOW + 20_071_000));
    assert!(events[0].raw.ends_with(b"(/usr/bin/dash)"));
    assert_eq!(events[0].own, events[0].duration);
}

#[test]
fn a_sample_to_a_line_is_read_too() {
    let data = "              sh 23492 15890.270526:   10101010 cpu-clock:      557046172cf7 [unknown] (/usr/bin/dash)\n\
                \u{20}             sh 23492 15890.365074:   10101010 cpu-clock:      7ff595fd72a0 _int_free+0x180 (/usr/lib/libc.so.6)\n\
                \u{20}             sh 23492 15890.365075: cpu-clock:      7ff595fd72a0 main (/usr/bin/sh)\n\
                \u{20}23492 15890.270526888: cpu-clock: \n";
    let operations: Vec<_> = stream(data).iter().map(|event| event.operation.clone().into_owned()).collect();
    assert_eq!(operations, ["[unknown] in dash", "_int_free", "main", "cpu-clock"]);
}

#[test]
fn tracepoints_mean_what_the_kernels_tracer_says() {
    let data = "cat  7 [000] 5.000100: syscalls:sys_enter_openat: dfd: 0xffffff9c, filename: 0x7f77\n\
                \t    fdd6b openat+0x3b (/usr/lib/libc.so.6)\n\
                \n\
                cat  7 [000] 5.000200: syscalls:sys_exit_openat: 0xfffffffffffffff3\n\
                cat  7 [000] 5.000300: sched:sched_switch: prev_comm=cat prev_pid=7 prev_prio=120 prev_state=S ==> next_comm=sh next_pid=8 next_prio=120\n\
                sh  8 [000] 5.000700: sched:sched_switch: prev_comm=sh prev_pid=8 prev_prio=120 prev_state=S ==> next_comm=cat next_pid=7 next_prio=120\n\
                sh  8 [000] 5.000800: block:block_touch_buffer: 8,0 sector=12 size=4096\n";
    let events = stream(data);
    assert_eq!(
        spans(&events),
        [("cat", "openat", Some(100_000)), ("sh", "on cpu", Some(400_000)), ("sh", "block_touch_buffer", None)]
    );
    assert!(events[0].failed);
    assert_eq!(attributes(&events[2])[0].0, "sector");
}

#[test]
fn the_header_says_when_it_was() {
    let data = "# ========\n# captured on    : Wed Nov 25 04:07:03 2026\n# cmdline : perf record -g -- sh -c x: y\n\
                # time of first sample : 15890.270526\n# time of last sample : 15890.773275\n# ========\n#\n\
                sh 23492 15890.773275:   10101010 cpu-clock: \n\t            6cf7 main (/usr/bin/dash)\n\n";
    let events = stream(data);
    assert_eq!(told(&events), [("sh", "main", "")]);
    assert_eq!(events[0].time, Some(1_795_579_623_000_000_000));
}

#[test]
fn the_first_line_tells() {
    let sample = b"sh 23492 15890.365074:   10101010 cpu-clock: \n";
    assert_eq!(detect(sample, false), Some(Format::Perf));
    assert_eq!(detect(&sample[..20], false), None);
    assert_eq!(detect(b"# a remark\n", false), None);
    assert_eq!(detect(b"# a remark\n", true), Some(Format::Text));
    assert_eq!(detect(b"# a remark\nstarted\n", false), Some(Format::Text));
    assert_eq!(detect(b"bash-1977 [000] .... 17284.993652: kfree: call_site=1\n", true), Some(Format::Text));
}

#[test]
fn a_sample_ends_where_the_next_one_begins() {
    let data = b"sh 2 1.365074: 1 cpu-clock: \n\t1 a (x)\n";
    assert_eq!(next_record(Some(Format::Perf), data), Next::Incomplete);
    assert_eq!(next_record(Some(Format::Perf), &[data, &b"\n"[..]].concat()), Next::Record(data.len() + 1));
    assert_eq!(next_record(Some(Format::Perf), &[data, &b"sh"[..]].concat()), Next::Record(data.len()));
}

proptest! {
    /// Samples with stacks of any functions come back as they were.
    #[test]
    fn what_is_written_is_read(
        samples in prop::collection::vec(("[a-zA-Z][a-zA-Z0-9:_-]{0,12}( [a-z]{1,4})?", 1_u32..99_999, 1_u64..9_999_999, prop::collection::vec("[a-z_]{1,12}", 1..5)), 1..12),
    ) {
        let (mut out, mut expected) = (String::new(), Vec::new());
        for (comm, pid, period, stack) in &samples {
            out += &format!("{comm} {pid:>5} [003] 15890.365074: {period:>10} cpu-clock: \n");
            for function in stack {
                out += &format!("\t    7f00ab {function}+0x1f (/usr/lib/lib.so)\n");
            }
            out.push('\n');
            expected.push((comm.as_str(), stack[0].as_str(), Some(*period)));
        }
        let events = stream(&out);
        prop_assert_eq!(spans(&events), expected);
    }
}
