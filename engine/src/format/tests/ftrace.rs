//! Lines of the kernel's tracer, in the forms that its documentation, trace-cmd and systrace show.

use proptest::prelude::*;

use super::{NOW, attributes, stream};
use crate::event::{Event, Kind};

/// Of each event service, operation and nanoseconds.
fn spans<'e>(events: &'e [Event<'_>]) -> Vec<(&'e str, &'e str, Option<u64>)> {
    events.iter().map(|event| (&*event.service, &*event.operation, event.duration)).collect()
}

#[test]
fn every_form_of_a_head_is_read() {
    let heads = [
        "            bash-1977    [000] .... 17284.993652: ",
        "            bash-1977    [000] ..... 17284.993652: ",
        "            bash-1977    ( 1977) [000] d..2. 17284.993652: ",
        "            bash-1977    (-----) [000] 17284.993652: ",
        "            bash-1977  [000] 17284.993652123: ",
        "bash-1977  [012] d.h1 17284.993652: ",
    ];
    for head in heads {
        let line = format!("{head}kfree: call_site=ffffffff81 ptr=0x1\n");
        let events = stream(&line);
        assert_eq!(spans(&events), [("bash", "kfree", None)], "{head}");
        assert_eq!(events[0].time, Some(NOW));
        assert_eq!(attributes(&events[0])[0], ("call_site".to_owned(), "\"ffffffff81\"".to_owned()));
    }
}

#[test]
fn a_name_may_have_anything_in_it() {
    let data = "     Web Content-12-3456  [000] 1.000001: x: y=1\n kworker/0:1H-kb-77 [001] 1.000002: x: y=1\n  <...>-3456 [000] 1.000003: x: y=1\n";
    let services: Vec<_> = stream(data).iter().map(|event| event.service.clone().into_owned()).collect();
    assert_eq!(services, ["Web Content-12", "kworker", "Web Content-12"]);
}

#[test]
fn a_switch_says_who_ran_and_who_waited() {
    let data = "# tracer: nop\n#\n\
        adbd-10 [000] 5.000100: sched_wakeup: comm=Web Content pid=20 prio=120 success=1 target_cpu=000\n\
        adbd-10 [000] 5.000200: sched_switch: prev_comm=adbd prev_pid=10 prev_prio=120 prev_state=R+ ==> next_comm=Web Content next_pid=20 next_prio=120\n\
        Web Content-20 [000] 5.000500: sched_switch: prev_comm=Web Content prev_pid=20 prev_prio=120 prev_state=S ==> next_comm=adbd next_pid=10 next_prio=120\n\
        adbd-10 [000] 5.000900: sched_switch: prev_comm=adbd prev_pid=10 prev_prio=120 prev_state=S ==> next_comm=swapper/0 next_pid=0 next_prio=120\n";
    assert_eq!(
        spans(&stream(data)),
        [
            ("Web Content", "run queue", Some(100_000)),
            ("Web Content", "on cpu", Some(300_000)),
            ("adbd", "run queue", Some(300_000)),
            ("adbd", "on cpu", Some(400_000)),
        ]
    );
}

#[test]
fn system_calls_take_the_time_between_enter_and_exit() {
    let data = "cat-7 [000] .... 5.000100: sys_enter: NR 0 (3, 7ffd, 20000, 0, 0, 0)\n\
                cat-7 [001] .... 5.000350: sys_exit: NR 0 = 832\n\
                cat-7 [000] .... 5.001000: sys_openat(dfd: ffffff9c, filename: 7f, flags: 80000, mode: 0)\n\
                cat-7 [000] .... 5.001010: sys_openat -> 0xfffffffffffffff3\n\
                cat-7 [000]  5.002000: sys_enter_read:       fd: 0x3, buf: 0x7f, count: 0x20000\n\
                cat-7 [000]  5.002030: sys_exit_read:        0x340\n\
                cat-7 [000]  5.003000: sys_exit_futex:        0xffffffffffffff92\n";
    let events = stream(data);
    assert_eq!(
        spans(&events),
        [
            ("cat", "syscall 0", Some(250_000)),
            ("cat", "openat", Some(10_000)),
            ("cat", "read", Some(30_000)),
            ("cat", "futex", None)
        ]
    );
    assert_eq!((events[1].failed, &*events[1].message), (true, "EACCES"));
    assert!(!events[3].failed, "a wait that has come to its end");
}

#[test]
fn what_begins_and_is_not_traced_to_its_end_is_told_without() {
    let data = "ls-7 [000] 5.000100: sys_enter_openat: dfd: 0x1\n\
                ls-7 [000] 5.000200: sys_enter_openat: dfd: 0x1\n\
                ls-7 [000] 5.000300: sys_enter_close: fd: 0x1\n\
                ls-7 [000] 5.000400: irq_handler_entry: irq=16 name=eth0\n\
                ls-7 [000] 5.000500: irq_handler_entry: irq=16 name=eth0\n";
    // The first of each may yet end.
    assert_eq!(
        spans(&stream(data)),
        [("ls", "openat", None), ("ls", "close", None), ("ls", "irq_handler_entry", None)]
    );
}

#[test]
fn what_begins_and_ends_takes_time() {
    let data = "<idle>-0 [003] d.h1 5.000100: irq_handler_entry: irq=16 name=eth0\n\
                <idle>-0 [003] d.h1 5.000130: irq_handler_exit: irq=16 ret=handled\n\
                <idle>-0 [003] ..s1 5.000200: softirq_entry: vec=3 [action=NET_RX]\n\
                <idle>-0 [003] ..s1 5.000260: softirq_exit: vec=3 [action=NET_RX]\n\
                kworker/0:1-33 [000] .... 5.000300: workqueue_execute_start: work struct 0000000b: function vmstat_update\n\
                kworker/0:1-33 [000] .... 5.000340: workqueue_execute_end: work struct 0000000b: function vmstat_update\n\
                dd-9 [000] d... 5.000400: block_rq_issue: 8,0 W 4096 () 1234 + 8 [dd]\n\
                <idle>-0 [001] d.h. 5.004400: block_rq_complete: 8,0 W () 1234 + 8 [0]\n\
                <idle>-0 [001] d.h. 5.004500: block_rq_complete: 8,0 W () 9999 + 8 [0]\n";
    assert_eq!(
        spans(&stream(data)),
        [
            ("kernel", "irq_handler eth0", Some(30_000)),
            ("kernel", "softirq NET_RX", Some(60_000)),
            ("kworker", "workqueue_execute vmstat_update", Some(40_000)),
            ("dd", "block_rq", Some(4_000_000)),
            ("swapper", "block_rq_complete", None),
        ]
    );
}

#[test]
fn marks_of_programs_are_spans() {
    let data = "RenderThread-12 (10) [000] ...1 5.000000: tracing_mark_write: B|10|draw\n\
                RenderThread-12 (10) [000] ...1 5.000100: tracing_mark_write: B|10|upload: 3|gpu\n\
                ui-10 (10) [001] ...1 5.000150: tracing_mark_write: S|10|launch|7\n\
                RenderThread-12 (10) [000] ...1 5.000400: tracing_mark_write: E|10\n\
                RenderThread-12 (10) [000] ...1 5.001000: print: E\n\
                RenderThread-12 (10) [000] ...1 5.002000: tracing_mark_write: F|10|launch|7\n\
                RenderThread-12 (10) [000] ...1 5.002000: tracing_mark_write: C|10|queued|3\n\
                ui-10 (10) [000] ...1 5.003000: tracing_mark_write: hello world\n";
    let events = stream(data);
    assert_eq!(
        spans(&events),
        [
            ("ui", "upload: 3", Some(300_000)),
            ("RenderThread", "draw", Some(1_000_000)),
            ("ui", "launch", Some(1_850_000)),
            ("ui", "queued", None),
            ("ui", "", None),
        ]
    );
    assert_eq!(events[1].own, Some(700_000));
    assert_eq!((events[4].kind, &*events[4].message), (Kind::Log, "hello world"));
}

#[test]
fn a_trace_may_say_when_it_was() {
    let data = "atrace-1 [001] ...1 100.000000: tracing_mark_write: trace_event_clock_sync: parent_ts=100.0\n\
                atrace-1 [001] ...1 100.000000: tracing_mark_write: trace_event_clock_sync: realtime_ts=1700000000123\n\
                atrace-1 [001] ...1 101.000001: x: y=1\n";
    assert_eq!(stream(data)[0].time, Some(1_700_000_001_123_001_000));
}

#[test]
fn functions_are_told_with_their_callers() {
    let data = "# tracer: function\n\
                bash-1977    [000] .... 17284.993652: sys_close <-system_call_fastpath\n \
                => do_syscall_64\n\
                CPU:1 [LOST 12 EVENTS]\n";
    assert_eq!(spans(&stream(data)), [("bash", "sys_close", None)]);
}

#[test]
fn nested_functions_have_their_own_time() {
    let data = "# tracer: function_graph\n#\n# CPU  DURATION                  FUNCTION CALLS\n# |     |   |                     |   |   |   |\n \
        0)               |  sys_open() {\n \
        0)               |    do_sys_open() {\n \
        0)   0.500 us    |      getname();\n \
        0) + 10.000 us   |      kmem_cache_alloc [slub]();\n \
        0)   ==========> |\n \
        1)   1.000 us    |  other();\n \
        0) ! 150.500 us  |    }\n \
        0) ! 200.000 us  |  } /* sys_open */\n \
        ------------------------------------------\n \
        0)    bash-4802    =>    sshd-1755\n \
        ------------------------------------------\n\n \
        0)   2.000 us    |  } /* entered before */\n \
        0)   2.000 us    |  /* a remark */\n";
    let events = stream(data);
    let found: Vec<_> = events
        .iter()
        .map(|event| (&*event.service, &*event.operation, event.duration.unwrap(), event.own.unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            ("", "getname", 500, 500),
            ("", "kmem_cache_alloc", 10_000, 10_000),
            ("", "other", 1_000, 1_000),
            ("", "do_sys_open", 150_500, 140_000),
            ("", "sys_open", 200_000, 49_500),
            ("sshd", "entered before", 2_000, 2_000),
        ]
    );
}

#[test]
fn nested_functions_may_show_task_and_time() {
    let data = "360.774522 |   1)    sh-4802     |               |  d_free() {\n\
                360.774530 |   1)    sh-4802     |   0.616 us    |    rcu();\n\
                360.774540 |   1)    sh-4802     |   4.000 us    |  }\n";
    let events = stream(data);
    assert_eq!(spans(&events), [("sh", "rcu", Some(616)), ("sh", "d_free", Some(4_000))]);
    assert_eq!(events[1].own, Some(3_384));
}

proptest! {
    /// Switches of two processors: each task ran from the switch that gave it the processor to the one that took it.
    #[test]
    fn what_ran_is_found(steps in prop::collection::vec((0_u32..2, 1_u32..6, 1_i64..5_000), 1..40)) {
        let (mut out, mut expected, mut now) = (String::new(), Vec::new(), 7_000_000_i64);
        let mut running = [(0_u32, 0_i64, false); 2];
        for (cpu, next, step) in steps {
            now += step;
            let (before, since, seen) = running[cpu as usize];
            out += &format!(
                "t{before}-{before} [00{cpu}] d... {}.{:06}: sched_switch: prev_comm=t{before} prev_pid={before} prev_prio=120 prev_state=S ==> next_comm=t{next} next_pid={next} next_prio=120\n",
                now / 1_000_000, now % 1_000_000
            );
            if seen && before > 0 {
                expected.push((format!("t{before}"), Some(u64::try_from((now - since) * 1_000).unwrap())));
            }
            running[cpu as usize] = (next, now, true);
        }
        let events = stream(&out);
        let found: Vec<_> = events.iter().map(|event| (event.service.clone().into_owned(), event.duration)).collect();
        prop_assert_eq!(found, expected);
    }
}
