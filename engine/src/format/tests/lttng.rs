//! Lines as babeltrace 1.5 and 2.0 print them, of programs (recorded) and of the kernel.

use proptest::prelude::*;

use super::{attributes, stream, told};
use crate::event::{Event, Kind, Level};

fn spans<'e>(events: &'e [Event<'_>]) -> Vec<(&'e str, &'e str, Option<u64>)> {
    events.iter().map(|event| (&*event.service, &*event.operation, event.duration)).collect()
}

#[test]
fn every_form_of_a_time_is_read() {
    let rest = "lttng_ust_statedump:start: { cpu_id = 1 }, { procname = \"tp-ust\", vpid = 8583, vtid = 8584 }, { }";
    for head in [
        "[06:41:28.984162848] (+?.?????????) vm ",
        "[06:41:28.984162848] (+0.000006339) vm ",
        "[2026-11-25 06:41:28.984162848] (+?.?????????) vm ",
        "[1795588888.984162848] (+0.000006339) vm ",
        "[06:41:28.984162848] vm ",
        "[06:41:28.984162848] (+?.?????????) vm:TRACE_DEBUG_LINE (13) ",
    ] {
        let line = format!("{head}{rest}\n");
        let events = stream(&line);
        assert_eq!(spans(&events), [("tp-ust", "start", None)], "{head}");
        assert_eq!(events[0].time, Some(1_795_588_888_984_162_848), "{head}");
    }
}

#[test]
fn what_a_program_starts_and_ends_is_a_span() {
    let data = "[06:41:29.300000000] (+0.3) vm shop:order_start: { cpu_id = 0 }, { procname = \"tp\", vtid = 7 }, { id = 2, who = \"al \\\"x\\\", {b}\", arr = [ [0] = 97, [1] = 108 ], amount = 3.5 }\n\
                [06:41:29.301600000] (+0.001600000) vm shop:order_end: { cpu_id = 1 }, { procname = \"tp\", vtid = 7 }, { id = 2, status = -5 }\n\
                [06:41:29.400000000] (+0.0984) vm shop:paid: { cpu_id = 1 }, { procname = \"tp\", vtid = 7 }, { id = 2, who = \"al \\\"x\\\", {b}\", arr = [ [0] = 97, [1] = 108 ], kind = ( \"CARD\" : container = 3 ) }\n";
    let events = stream(data);
    assert_eq!(spans(&events), [("tp", "order", Some(1_600_000)), ("tp", "paid", None)]);
    let pairs = [
        ("cpu_id", "1"),
        ("procname", "\"tp\""),
        ("vtid", "7"),
        ("id", "2"),
        ("who", "\"al \\\"x\\\", {b}\""),
        ("arr", "\"[ [0] = 97, [1] = 108 ]\""),
        ("kind", "\"( \\\"CARD\\\" : container = 3 )\""),
    ];
    assert_eq!(attributes(&events[1]), pairs.map(|(key, value)| (key.to_owned(), value.to_owned())));
}

#[test]
fn events_of_the_kernel_mean_what_its_own_tracer_says() {
    let data = "[10:00:00.000100000] (+?.?????????) vm sched_waking: { cpu_id = 0 }, { comm = \"cat\", tid = 7, prio = 20, target_cpu = 0 }\n\
                [10:00:00.000150000] (+0.00005) vm sched_switch: { cpu_id = 0 }, { prev_comm = \"swapper/0\", prev_tid = 0, prev_prio = 20, prev_state = ( \"TASK_RUNNING\" : container = 0 ), next_comm = \"cat\", next_tid = 7, next_prio = 20 }\n\
                [10:00:00.000200000] (+0.00005) vm syscall_entry_openat: { cpu_id = 0 }, { dfd = -100, filename = \"/etc/shadow\", flags = 0 }\n\
                [10:00:00.000250000] (+0.00005) vm syscall_exit_openat: { cpu_id = 0 }, { ret = -13 }\n\
                [10:00:00.000300000] (+0.00005) vm irq_handler_entry: { cpu_id = 0 }, { irq = 16, name = \"eth0\" }\n\
                [10:00:00.000330000] (+0.00003) vm irq_handler_exit: { cpu_id = 0 }, { irq = 16, ret = 1 }\n\
                [10:00:00.000400000] (+0.00007) vm block_rq_issue: { cpu_id = 0 }, { dev = 8388608, sector = 12, nr_sector = 8 }\n\
                [10:00:00.000500000] (+0.0001) vm sched_switch: { cpu_id = 0 }, { prev_comm = \"cat\", prev_tid = 7, prev_prio = 20, prev_state = 1, next_comm = \"swapper/0\", next_tid = 0, next_prio = 20 }\n\
                [10:00:00.002400000] (+0.0019) vm block_rq_complete: { cpu_id = 0 }, { dev = 8388608, sector = 12, nr_sector = 8 }\n";
    let events = stream(data);
    assert_eq!(
        spans(&events),
        [
            ("cat", "run queue", Some(50_000)),
            ("cat", "openat", Some(50_000)),
            ("kernel", "irq_handler eth0", Some(30_000)),
            ("cat", "on cpu", Some(350_000)),
            ("cat", "block_rq", Some(2_000_000)),
        ]
    );
    assert_eq!((events[1].failed, &*events[1].message), (true, "EACCES"));
}

#[test]
fn logs_are_records() {
    let data = "[10:00:00.000100000] (+?.?????????) vm lttng_ust_tracelog:TRACE_WARNING: { cpu_id = 1 }, { line = 7, file = \"tp.c\", func = \"main\", _msg_length = 11, msg = \"low \\\"stock\\\"\" }\n\
                [10:00:00.000200000] (+0.0001) vm lttng_python:event: { cpu_id = 1 }, { asctime = \"x\", msg = \"card declined\", logger_name = \"shop.pay\", funcName = \"f\", int_loglevel = 40 }\n";
    let events = stream(data);
    assert_eq!(
        told(&events),
        [("lttng_ust_tracelog", "", "low \"stock\""), ("lttng_python", "shop.pay", "card declined")]
    );
    assert!(events.iter().all(|event| event.kind == Kind::Log));
    assert_eq!((events[0].level, events[1].level, events[1].failed), (Level::Warn, Level::Error, true));
}

proptest! {
    /// Fields of any text come back as they were.
    #[test]
    fn what_is_written_is_read(values in prop::collection::vec("[ -~]{0,12}", 1..6)) {
        let fields: Vec<_> = values.iter().enumerate().map(|(i, value)| format!("f{i} = {value:?}")).collect();
        let line = format!("[06:41:28.984162848] (+0.000006339) vm shop:sold: {{ cpu_id = 1 }}, {{ {} }}\n", fields.join(", "));
        let events = stream(&line);
        let found: Vec<_> = events[0].attributes.iter().skip(1).map(|(_, value)| value).collect();
        let expected: Vec<_> = values.iter().map(|value| super::super::Attribute::Text(value.into())).collect();
        prop_assert_eq!(found, expected);
    }
}
