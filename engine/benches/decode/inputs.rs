//! What the formats are fed with: made up, each as the program writes it that the format is of, of services, calls and
//! times that vary as real ones do. The same bytes on every run.

use std::fmt::Write as _;

use tracegist_engine::format::Format;

/// Marsaglia's xorshift: the same data on every run, with no dependency.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

const SERVICES: [&str; 8] =
    ["frontend", "checkout", "cart", "payment", "shipping", "productcatalog", "quote", "ledger"];
const START: u64 = 1_764_000_000_000_000_000;

/// What a service does.
const RESOURCES: [&str; 10] =
    ["list", "item", "health", "query", "select", "price", "stock", "order", "refund", "address"];

/// Requests of up to 50 spans, grouped by service as the Collector groups them; about 670 bytes a span.
pub(super) fn otlp(spans: usize) -> String {
    let mut random = Random(7);
    let mut out = String::new();
    let mut now = START;
    for _ in 0..spans / 48 {
        out.push_str(r#"{"resourceSpans":["#);
        for (i, service) in SERVICES.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            write!(out, r#"{comma}{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}},{{"key":"host.name","value":{{"stringValue":"trace-host-1"}}}},{{"key":"process.pid","value":{{"intValue":"{}"}}}}]}},"scopeSpans":[{{"scope":{{"name":"otel-sdk","version":"1.2"}},"spans":["#, 1000 + i).unwrap();
            for j in 0..6 {
                now += random.below(200_000);
                let comma = if j > 0 { "," } else { "" };
                let failed = random.below(100) == 0;
                let status = if failed {
                    format!(
                        r#"{{"code":2,"message":"upstream timeout after {}ms calling payment"}}"#,
                        random.below(3000)
                    )
                } else {
                    "{}".to_owned()
                };
                write!(out, r#"{comma}{{"traceId":"{:016x}{:016x}","spanId":"{:016x}","parentSpanId":"{:016x}","name":"GET /{service}/v1/{}","kind":{},"startTimeUnixNano":"{now}","endTimeUnixNano":"{}","attributes":[{{"key":"http.request.method","value":{{"stringValue":"GET"}}}},{{"key":"url.path","value":{{"stringValue":"/{service}/item/{}"}}}},{{"key":"http.response.status_code","value":{{"intValue":"{}"}}}},{{"key":"net.peer.ip","value":{{"stringValue":"10.{}.{}.7"}}}},{{"key":"thread.id","value":{{"intValue":"{}"}}}}],"status":{status}}}"#,
                    random.next(), random.next(), random.next(), random.next(), RESOURCES[usize::try_from(random.below(10)).unwrap()],
                    1 + random.below(3), now + random.below(50_000_000),
                    random.below(1_000_000), if failed { 500 } else { 200 }, random.below(256), random.below(256), random.below(64)).unwrap();
            }
            out.push_str("]}]}");
        }
        out.push_str("]}\n");
    }
    out
}

/// Log lines of a structured logger, about 200 bytes each.
fn json(lines: usize) -> String {
    let mut random = Random(7);
    let mut out = String::new();
    for i in 0..lines {
        let service = SERVICES[i % SERVICES.len()];
        writeln!(out, r#"{{"timestamp":"2026-11-24T23:{:02}:{:02}.{:06}Z","level":"{}","logger":"app.{service}","message":"request {} took {} ms","trace_id":"{:016x}{:016x}","user_id":{}}}"#,
            i / 60 % 60, i % 60, random.below(1_000_000), ["info", "info", "warning", "error"][i % 4],
            random.below(100_000), random.below(500), random.next(), random.next(), random.below(10_000)).unwrap();
    }
    out
}

/// Syslog, Java and access-log lines, about 110 bytes each.
fn text(lines: usize) -> String {
    let mut random = Random(7);
    let mut out = String::new();
    for i in 0..lines {
        let (minute, second) = (i / 60 % 60, i % 60);
        match i % 3 {
            0 => writeln!(out, "Nov 24 23:{minute:02}:{second:02} web-3 sshd[{}]: Failed password for invalid user admin from 10.0.{}.{} port 22 ssh2", random.below(30_000), random.below(256), random.below(256)),
            1 => writeln!(out, "2026-11-24 23:{minute:02}:{second:02},{:03} INFO  [http-{}] com.example.OrderService - order {} accepted for customer {}", random.below(1000), random.below(32), random.below(100_000), random.below(10_000)),
            _ => writeln!(out, "10.0.{}.{} - - [24/Nov/2026:23:{minute:02}:{second:02} +0000] \"GET /item/{} HTTP/1.1\" 200 {} \"-\" \"curl/8.5.0\"", random.below(256), random.below(256), random.below(100_000), random.below(50_000)),
        }.unwrap();
    }
    out
}

fn clock(ns: u64) -> String {
    let seconds = ns / 1_000_000_000 % 86_400;
    format!("{:02}:{:02}:{:02}.{:06}", seconds / 3600, seconds / 60 % 60, seconds % 60, ns / 1000 % 1_000_000)
}

const CALLS: [&str; 6] = ["read", "write", "openat", "futex", "epoll_wait", "recvfrom"];

/// `strace -f -tt -T`, some calls unfinished and resumed.
fn strace(lines: usize) -> String {
    let mut random = Random(7);
    let (mut out, mut now) = (String::new(), START);
    for i in 0..lines {
        now += random.below(300_000);
        let (pid, took, clock) = (4000 + i % 4, random.below(900), clock(now));
        match random.below(8) {
            0 => writeln!(out, "{pid} {clock} openat(AT_FDCWD, \"/etc/shop/{}.conf\", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory) <0.{took:06}>", random.below(100)),
            1 => writeln!(out, "{pid} {clock} futex(0x7f12a4000b60, FUTEX_WAIT_PRIVATE, 2, NULL <unfinished ...>\n{} {clock} getpid() = {pid} <0.000002>\n{pid} {clock} <... futex resumed>) = 0 <0.{took:06}>", 4000 + (i + 1) % 4),
            call => writeln!(out, "{pid} {clock} {}({}, \"GET /item/{} HTTP/1.1\\r\\nHost: shop\"..., 8192) = {} <0.{took:06}>", CALLS[usize::try_from(call).unwrap_or(0) % 6], 3 + random.below(9), random.below(100_000), random.below(8192)),
        }
        .unwrap();
    }
    out
}

/// Comma-separated values with a header row.
fn delimited(lines: usize) -> String {
    let mut random = Random(7);
    let mut out = String::from("time,service,operation,duration_ms,status,trace_id\n");
    for i in 0..lines {
        writeln!(
            out,
            "2026-11-24T23:{:02}:{:02}.{:03}Z,{},GET /item/{},{}.{},{},{:016x}{:016x}",
            i / 60 % 60,
            i % 60,
            random.below(1000),
            SERVICES[i % 8],
            random.below(50),
            random.below(500),
            random.below(10),
            if random.below(50) == 0 { 503 } else { 200 },
            random.next(),
            random.next()
        )
        .unwrap();
    }
    out
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

fn part(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn pair(key: &str, value: &str) -> Vec<u8> {
    let (mut any, mut pair) = (Vec::new(), Vec::new());
    part(&mut any, 1, value.as_bytes());
    part(&mut pair, 1, key.as_bytes());
    part(&mut pair, 2, &any);
    pair
}

/// Requests of 48 spans in protobuf, each after its length; about 230 bytes a span.
fn otlp_proto(spans: usize) -> Vec<u8> {
    let mut random = Random(7);
    let (mut out, mut now) = (Vec::new(), START);
    for _ in 0..spans / 48 {
        let mut request = Vec::new();
        for service in SERVICES {
            let (mut resource, mut scope, mut spans) = (Vec::new(), Vec::new(), Vec::new());
            part(&mut resource, 1, &pair("service.name", service));
            part(&mut resource, 1, &pair("host.name", "trace-host-1"));
            for _ in 0..6 {
                now += random.below(200_000);
                let mut span = Vec::new();
                part(&mut span, 1, &[random.next().to_be_bytes(), random.next().to_be_bytes()].concat());
                part(&mut span, 2, &random.next().to_be_bytes());
                part(&mut span, 4, &random.next().to_be_bytes());
                part(&mut span, 5, format!("GET /{service}/v1/query").as_bytes());
                span.extend([6 << 3, 2]);
                span.push(7 << 3 | 1);
                span.extend(now.to_le_bytes());
                span.push(8 << 3 | 1);
                span.extend((now + random.below(50_000_000)).to_le_bytes());
                part(&mut span, 9, &pair("http.request.method", "GET"));
                part(&mut span, 9, &pair("url.path", &format!("/{service}/item/{}", random.below(1_000_000))));
                part(&mut span, 9, &pair("net.peer.ip", &format!("10.{}.{}.7", random.below(256), random.below(256))));
                part(&mut spans, 2, &span);
            }
            part(&mut scope, 1, &resource);
            part(&mut scope, 2, &spans);
            part(&mut request, 1, &scope);
        }
        varint(&mut out, request.len() as u64);
        out.extend(request);
    }
    out
}

/// `biosnoop`.
fn table(lines: usize) -> String {
    let mut random = Random(7);
    let mut out = String::from("TIME(s)     COMM           PID     DISK      T SECTOR     BYTES  LAT(ms)\n");
    for i in 0..lines {
        writeln!(
            out,
            "{:<11} {:<14} {:<7} {:<9} {} {:<10} {:<6} {:>7}.{:02}",
            format!("{}.{:06}", i / 100, i % 100 * 10_000),
            SERVICES[i % 8],
            1000 + i % 8,
            "nvme0n1",
            ["R", "W"][i % 2],
            random.below(1 << 30),
            4096,
            random.below(40),
            random.below(100)
        )
        .unwrap();
    }
    out
}

/// Calls nested three deep, and whole events, on four threads.
fn chrome(calls: usize) -> String {
    let mut random = Random(7);
    let (mut out, mut now) = (String::from("[\n"), 1_000_u64);
    for i in 0..calls / 4 {
        let tid = i % 4;
        let mut event = |ph: &str, name: &str, more: &str| {
            now += random.below(200);
            writeln!(
                out,
                r#"{{"ph":"{ph}","cat":"shop","name":"{name}","pid":1,"tid":{tid},"ts":{now}.{:03}{more}}},"#,
                random.below(1000)
            )
            .unwrap();
        };
        event("B", "handle", r#","args":{"path":"/cart","user":17}"#);
        event("B", "query", r#","args":{"table":"items"}"#);
        event("X", "parse", r#","dur":41.5"#);
        event("E", "query", "");
        event("X", "render", r#","dur":120.25"#);
        event("E", "handle", "");
    }
    out
}

/// Traces of 24 spans, one to a line, as Jaeger's query service gives them.
fn jaeger(spans: usize) -> String {
    let mut random = Random(7);
    let (mut out, mut now) = (String::new(), START / 1000);
    for _ in 0..spans / 24 {
        let trace = random.next();
        write!(out, r#"{{"traceID":"{trace:016x}","spans":["#).unwrap();
        for i in 0..24 {
            now += random.below(200);
            write!(out, r#"{}{{"traceID":"{trace:016x}","spanID":"{:016x}","operationName":"GET /{}/item","references":[{{"refType":"CHILD_OF","traceID":"{trace:016x}","spanID":"{:016x}"}}],"startTime":{now},"duration":{},"tags":[{{"key":"span.kind","type":"string","value":"server"}},{{"key":"http.status_code","type":"int64","value":{}}}],"logs":[],"processID":"p{}"}}"#, if i > 0 { "," } else { "" }, random.next(), SERVICES[i % 8], random.next(), random.below(50_000), if random.below(100) == 0 { 500 } else { 200 }, i % 8).unwrap();
        }
        out.push_str(r#"],"processes":{"#);
        for (i, service) in SERVICES.iter().enumerate() {
            write!(out, r#"{}"p{i}":{{"serviceName":"{service}","tags":[{{"key":"hostname","type":"string","value":"web-{i}"}}]}}"#, if i > 0 { "," } else { "" }).unwrap();
        }
        out.push_str("}}\n");
    }
    out
}

/// Lists of 24 spans, one to a line.
fn zipkin(spans: usize) -> String {
    let mut random = Random(7);
    let (mut out, mut now) = (String::new(), START / 1000);
    for _ in 0..spans / 24 {
        let trace = random.next();
        for i in 0..24 {
            now += random.below(200);
            write!(out, r#"{}{{"traceId":"{trace:016x}","id":"{:016x}","parentId":"{:016x}","kind":"SERVER","name":"get /item","timestamp":{now},"duration":{},"localEndpoint":{{"serviceName":"{}","ipv4":"10.0.0.{i}"}},"tags":{{"http.path":"/item/{}","http.status_code":"200"}}}}"#, if i > 0 { "," } else { "[" }, random.next(), random.next(), 1 + random.below(50_000), SERVICES[i % 8], random.below(100_000)).unwrap();
        }
        out.push_str("]\n");
    }
    out
}

/// Functions entered and left, on four threads.
fn calls(calls: usize) -> String {
    let mut random = Random(7);
    let (mut out, mut now) = (String::new(), START / 1000);
    for i in 0..calls / 2 {
        let thread = i % 4;
        for (kind, function) in [("enter", "handle"), ("enter", "query"), ("leave", "query"), ("leave", "handle")] {
            now += random.below(300);
            writeln!(out, r#"{{"timestamp": {}.{:06}, "thread_id": {thread}, "event_type": "{kind}", "data": {{"function": "shop.{function}", "line": {}}}}}"#, now / 1_000_000, now % 1_000_000, random.below(900)).unwrap();
        }
    }
    out
}

/// Switches and system calls of the kernel's tracer.
fn ftrace(lines: usize) -> String {
    let mut random = Random(7);
    let (mut out, mut now) = (String::from("# tracer: nop\n#\n"), 50_260_000_000_u64);
    for i in 0..lines / 4 {
        let (pid, service, next) = (1000 + i % 8, SERVICES[i % 8], (i + 1) % 8);
        let mut line = |text: String| {
            now += random.below(60);
            writeln!(
                out,
                "{service:>16}-{pid:<5} [00{}] d... {}.{:06}: {text}",
                i % 2,
                now / 1_000_000,
                now % 1_000_000
            )
            .unwrap();
        };
        line(format!(
            "sys_enter_openat: dfd: 0xffffff9c, filename: 0x7ffe{i:08x}, flags: 0x00080000, mode: 0x00000000"
        ));
        line(format!("sys_exit_openat: 0x{:x}", 3 + i % 9));
        line(format!("sched_wakeup: comm={} pid={} prio=120 target_cpu=001", SERVICES[next], 1000 + next));
        line(format!(
            "sched_switch: prev_comm={service} prev_pid={pid} prev_prio=120 prev_state=S ==> next_comm={} next_pid={} next_prio=120",
            SERVICES[next],
            1000 + next
        ));
    }
    out
}

/// Samples with stacks of five frames.
fn perf(samples: usize) -> String {
    let mut random = Random(7);
    let (mut out, mut now) = (String::new(), 202_513_000_000_u64);
    for i in 0..samples {
        now += 1000;
        writeln!(
            out,
            "{:<15} {:>5} [00{}] {}.{:06}:    1001001 cpu-clock: ",
            SERVICES[i % 8],
            1000 + i % 8,
            i % 2,
            now / 1_000_000,
            now % 1_000_000
        )
        .unwrap();
        for depth in 0..5 {
            writeln!(
                out,
                "\t{:>16x} _ZN4shop6handle17h{:016x}E+0x{:x} (/usr/bin/{})",
                random.next() >> 16,
                7 + depth + random.below(8),
                random.below(900),
                SERVICES[i % 8]
            )
            .unwrap();
        }
        out.push('\n');
    }
    out
}

/// `uftrace replay`.
fn uftrace(calls: usize) -> String {
    let mut random = Random(7);
    let mut out = String::from("# DURATION     TID     FUNCTION\n");
    for i in 0..calls / 3 {
        let tid = 1000 + i % 4;
        writeln!(out, "            [{tid:>6}] | handle() {{\n {:>3}.{:03} us [{tid:>6}] |   parse_{}();\n {:>3}.{:03} us [{tid:>6}] |   query();\n {:>3}.{:03} us [{tid:>6}] | }} /* handle */", random.below(300), random.below(1000), random.below(20), random.below(300), random.below(1000), 600 + random.below(300), random.below(1000)).unwrap();
    }
    out
}

/// What babeltrace prints of the kernel.
fn lttng(lines: usize) -> String {
    let mut random = Random(7);
    let (mut out, mut now) = (String::new(), START);
    for i in 0..lines / 2 {
        let fields =
            format!("{{ cpu_id = {} }}, {{ procname = \"{}\", tid = {} }}", i % 2, SERVICES[i % 8], 1000 + i % 8);
        let mut line = |text: String| {
            now += random.below(60_000);
            writeln!(out, "[{}{:03}] (+0.0000{:05}) web-1 {text}", clock(now), now % 1000, now % 100_000).unwrap();
        };
        line(format!(
            "syscall_entry_openat: {fields}, {{ dfd = -100, filename = \"/etc/passwd\", flags = 524288, mode = 0 }}"
        ));
        line(format!("syscall_exit_openat: {fields}, {{ ret = {} }}", 3 + i % 9));
    }
    out
}

/// Input of a format, one to three megabytes.
pub(super) fn of(format: Format) -> Vec<u8> {
    match format {
        Format::Otlp => otlp(5_000).into(),
        Format::Json => json(15_000).into(),
        Format::Text => text(25_000).into(),
        Format::Strace => strace(20_000).into(),
        Format::Delimited => delimited(20_000).into(),
        Format::OtlpProto => otlp_proto(8_000),
        Format::Table => table(20_000).into(),
        Format::Chrome => chrome(20_000).into(),
        Format::Jaeger => jaeger(5_000).into(),
        Format::Zipkin => zipkin(8_000).into(),
        Format::Calls => calls(10_000).into(),
        Format::Ftrace => ftrace(20_000).into(),
        Format::Perf => perf(5_000).into(),
        Format::Uftrace => uftrace(20_000).into(),
        Format::Lttng => lttng(15_000).into(),
    }
}
