//! What programs write, as they write it, and all that is read of it. Reviewed line by line: each must be what it means.
#![allow(clippy::needless_raw_string_hashes)] // Lines are put in as they are.

use super::super::{Context, Format, Reader};
use super::NOW;
use super::loggers::describe;

/// A program, lines of it, and what they say.
pub(super) type Sample = (&'static str, &'static str, &'static str);

/// The format that lines are taken for, and what they say.
fn read(lines: &str) -> (Option<Format>, String) {
    let mut reader = Reader::default();
    let mut context = Context { received: NOW, ..Context::default() };
    let (mut rest, mut found, mut events) = (lines.as_bytes(), Vec::new(), Vec::new());
    while let Some(record) = reader.next(rest, None, &mut context, usize::MAX, &mut events) {
        rest = &rest[record.bytes.len()..];
        found.extend(record.found.as_ref().err().map(ToString::to_string));
        for event in events.drain(..) {
            reader.last = event.time.or(reader.last);
            found.push(describe(&event));
        }
    }
    (reader.format, found.join("\n"))
}

/// Say of all samples at once which do not say what they should, or are not taken for a format.
pub(super) fn compare<'a>(samples: impl IntoIterator<Item = &'a Sample>, format: Option<Format>) {
    let mut wrong = String::new();
    for (program, lines, expected) in samples {
        let (told, found) = read(lines);
        if found != *expected || (format.is_some() && told != format) {
            wrong.push_str(&format!("== {program}: {told:?}\n-- expected\n{expected}\n-- found\n{found}\n"));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn what_programs_write_is_what_they_mean() {
    compare(TEXT.iter().chain(JSON), None);
}

const TEXT: &[Sample] = &[
    (
        "uWSGI",
        r#"[pid: 7|app: 0|req: 3/7] 10.1.2.3 (bob) {44 vars in 812 bytes} [Tue Nov 24 23:42:01 2026] POST /api/orders?x=1 => generated 4521 bytes in 132 msecs (HTTP/1.1 503) 4 headers in 127 bytes (1 switches on core 0)
spawned uWSGI worker 1 (pid: 7, cores: 1)
"#,
        r#"server 0.132 failed took 0.132 in POST /api/orders | 503 Service Unavailable
log ? | spawned uWSGI worker 1 (pid: 7, cores: 1)"#,
    ),
    (
        "PostgreSQL, plain",
        r#"2026-11-24 23:42:01.250 CET [4530] app@shop ERROR:  duplicate key value violates unique constraint "orders_pkey"
2026-11-24 23:42:01.250 CET [4530] app@shop DETAIL:  Key (id)=(42) already exists.
2026-11-24 23:42:01.250 CET [4530] app@shop STATEMENT:  INSERT INTO orders VALUES (42)
2026-11-24 23:42:02.000 UTC [4531] LOG:  duration: 1532.244 ms  statement: SELECT * FROM orders
	WHERE id > 5
"#,
        r#"log -3599.75 error failed | duplicate key value violates unique constraint "orders_pkey"
server 1 info took 1.532244 by postgresql in SELECT orders | duration: 1532.244 ms  statement: SELECT * FROM orders"#,
    ),
    (
        "PostgreSQL, with its session",
        r#"2026-11-24 23:42:01 UTC [4531]: [3-1] user=app,db=shop,app=psql,client=10.0.0.1 WARNING:  there is no transaction in progress
2026-11-24 23:42:01 UTC [4531]: [4-1] user=app,db=shop,app=psql,client=10.0.0.1 LOG:  duration: 2.500 ms  execute <unnamed>: UPDATE orders SET x = 1
2026-11-24 23:42:01 UTC [4531]: [5-1] user=app,db=shop,app=psql,client=10.0.0.1 ERROR:  relation "x" does not exist at character 15
2026-11-24 23:42:01 UTC [4531]: [6-1] user=app,db=shop,app=psql,client=10.0.0.1 STATEMENT:  select * from x
"#,
        r#"log 0 warn | there is no transaction in progress
server 0 info took 0.0025 by postgresql in UPDATE orders | duration: 2.500 ms  execute <unnamed>: UPDATE orders SET x = 1
log 0 error failed | relation "x" does not exist at character 15"#,
    ),
    (
        "PostgreSQL, separated by commas",
        r#"2026-11-24 23:42:01.500 UTC,"app","shop",4530,"10.0.0.1:51234",65e8a1f0.11b2,3,"INSERT",2026-11-24 23:40:40 UTC,4/12,0,ERROR,23505,"duplicate key value violates unique constraint ""orders_pkey""","Key (id)=(42) already exists.",,,,,"INSERT INTO orders VALUES (42)",,,"psql","client backend",,0
2026-11-24 23:42:02.000 UTC,,,4531,,65e8a1f0.11b3,1,,2026-11-24 23:40:40 UTC,,0,LOG,00000,"checkpoint complete",,,,,,,,,"","checkpointer",,0
2026-11-24 23:42:03.000 UTC,"app","shop",4530,"[local]",65e8a1f0.11b2,4,"SELECT",2026-11-24 23:40:40 UTC,4/12,0,LOG,00000,"duration: 250.000 ms  statement: SELECT 1",,,,,,,,,"psql","client backend",,0
"#,
        r#"log 0.5 error failed | duplicate key value violates unique constraint "orders_pkey"
log 1 info | checkpoint complete
server 2 info took 0.25 by postgresql in SELECT | duration: 250.000 ms  statement: SELECT 1"#,
    ),
    (
        "MySQL",
        r#"2026-11-24T23:42:01.123456Z 12 [Warning] [MY-013360] [Server] Plugin mysql_native_password reported: ''
2026-11-24T23:42:01.123456Z 0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections.
2026-11-24 23:42:01 140 [Note] InnoDB: Buffer pool(s) load completed at 261124 23:42:01
"#,
        r#"log 0.123456 warn | [MY-013360] [Server] Plugin mysql_native_password reported: ''
log 0.123456 info | [MY-010931] [Server] /usr/sbin/mysqld: ready for connections.
log 0 info | InnoDB: Buffer pool(s) load completed at 261124 23:42:01"#,
    ),
    (
        "MySQL's slow log",
        r#"# Time: 2026-11-24T23:42:01.500000Z
# User@Host: app[app] @ web-1 [10.0.0.5]  Id:    12
# Query_time: 3.201455  Lock_time: 0.000021 Rows_sent: 1  Rows_examined: 1200345
use shop;
SET timestamp=1795563718;
SELECT COUNT(*) FROM orders
  WHERE note LIKE '%x%';
# User@Host: root[root] @ localhost []  Id:    13
# Query_time: 0.250000  Lock_time: 0.000000 Rows_sent: 0  Rows_examined: 0
SET timestamp=1795563725;
DELETE FROM t;
"#,
        r#"server 0.5 took 3.201455 by mysql in SELECT orders | SELECT COUNT(*) FROM orders
server 0.5 took 0.25 by mysql in DELETE t | DELETE FROM t;"#,
    ),
    (
        "MongoDB before 4.4",
        r#"2026-11-24T23:42:01.500+0000 I COMMAND  [conn12] command shop.orders command: find { find: "orders" } planSummary: COLLSCAN numYields:9 reslen:120 protocol:op_msg 312ms
2026-11-24T23:42:01.500+0000 E STORAGE  [initandlisten] no space
"#,
        r#"log 0.5 info took 0.312 in COMMAND | [conn12] command shop.orders command: find { find: "orders" } planSummary: COLLSCAN numYields:9 reslen:120 protocol:op_msg 312ms
log 0.5 error failed in STORAGE | [initandlisten] no space"#,
    ),
    (
        "HAProxy",
        r#"Nov 24 23:42:01 lb1 haproxy[14389]: 10.0.1.2:33318 [24/Nov/2026:23:42:00.500] https~ app/<NOSRV> 0/-1/-1/-1/50 503 212 - - SC-- 1/1/1/1/0 0/0 "POST /pay HTTP/2.0"
Nov 24 23:42:01 lb1 haproxy[14387]: 10.0.1.2:33313 [24/Nov/2026:23:41:56.000] fnt bck/srv1 0/0/5000 212 -- 0/0/0/0/3 0/0
Nov 24 23:42:01 lb1 haproxy[14387]: Server app/srv2 is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms.
"#,
        r#"server -0.45 failed took 0.05 by haproxy in POST /pay | 503 Service Unavailable
server 0 took 5 by haproxy in fnt | 
log 0 by haproxy | Server app/srv2 is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms."#,
    ),
    (
        "W3C, whose fields change",
        r#"#Software: Microsoft Internet Information Services 10.0
#Version: 1.0
#Date: 2026-11-24 23:41:00
#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port c-ip sc-status sc-substatus sc-win32-status time-taken
2026-11-24 23:42:01 10.0.0.2 POST /shop/pay id=3 443 10.9.8.7 500 0 64 2187
#Fields: time cs-method cs-uri sc-status time-taken
23:42:02 GET /health?deep=1 200 3
#Date: 2026-11-25 00:00:00
00:00:01 GET /health 404 2
"#,
        r#"server 0 failed took 2.187 in POST /shop/pay | 500 Internal Server Error
server 1 took 0.003 in GET /health | 
server 1080 took 0.002 in GET /health | "#,
    ),
    (
        "containers",
        r#"2026-11-24T23:42:01.123456789Z stdout F hello world
2026-11-24T23:42:01.250000000+00:00 stderr F {"level":"error","msg":"boom","ts":"2026-11-24T23:42:01.2Z","service":"pay"}
2026-11-24T23:42:01.323456789Z stdout P first half 
2026-11-24T23:42:01.323456790Z stdout F second half
2026-11-24T23:42:01.500000000Z stderr F E1124 23:42:01.499000       1 reflector.go:138] Failed to watch *v1.Pod
"#,
        r#"log 0.123456789 | hello world
log 0.25 error failed by pay | boom
log 0.323456789 | first half
log 0.5 error failed in reflector.go | Failed to watch *v1.Pod"#,
    ),
    (
        "GitHub's runners",
        r#"2026-11-24T23:42:01.1234567Z ##[group]Run actions/checkout@v4
2026-11-24T23:42:01.2500000Z ##[error]Process completed with exit code 1.
"#,
        r#"log 0.1234567 | Run actions/checkout@v4
log 0.25 error failed | Process completed with exit code 1."#,
    ),
    (
        "glog and klog",
        r#"I1124 23:42:01.123456    4242 controller.go:117] "Reconciling" pod="default/x" attempt=3
W20261124 23:42:01.500000 4242 a.cc:1] with the year
F1124 23:42:01.000001 4242 a.cc:1] Check failed: x
"#,
        r#"log 0.123456 info in controller.go | "Reconciling" pod="default/x" attempt=3
log 0.5 warn in a.cc | with the year
log 0.000001 fatal failed in a.cc | Check failed: x"#,
    ),
    (
        "zap's console",
        r#"2026-11-24T23:42:01.123Z	INFO	server/main.go:42	listening	{"addr": ":80", "service": "api"}
1.7955637215e+09	ERROR	setup	starting manager	{"error": "x"}
"#,
        r#"log 0.123 info in server/main.go | listening
log 0.5 error failed in setup | starting manager"#,
    ),
    (
        "TAI64N",
        r#"@400000006b0620ee1dcd6500 starting
@400000006b0620ee1dcd6500 {"level":"error","msg":"x"}
"#,
        r#"log 0.5 | starting
log 0.5 error failed | x"#,
    ),
    (
        "Java, the level first",
        r#"INFO  [main] 2026-11-24 23:42:01,500 CassandraDaemon.java:5 - up
WARN  [2026-11-24 23:42:01,500] io.dropwizard.Server: slow
[ERROR] 2026-11-24 23:42:01 no place
ERROR 1795563721 is no order
"#,
        r#"log 0.5 info in CassandraDaemon.java | up
log 0.5 warn in io.dropwizard.Server | slow
log 0 error failed | no place
log ? error failed | 1795563721 is no order"#,
    ),
    (
        "Java",
        r#"2026-11-24 23:42:01,500 ERROR [http-nio-8080-exec-1] c.e.shop.OrderService - order 17 failed
java.lang.IllegalStateException: no stock
	at com.example.Shop.buy(Shop.java:10)
	... 12 more
Caused by: java.sql.SQLException: x
	at a.b(C.java:1)
2026-11-24T23:42:01.500+00:00 ERROR 1234 --- [shop] [nio-8080-exec-2] [4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7] o.s.web.Dispatcher : traced
[2026-11-24T23:42:01,500][WARN ][o.e.c.r.a.DiskThresholdMonitor] [node-1] high disk watermark
[2026-11-24 23:42:01,500] ERROR [KafkaServer id=1] Fatal error (kafka.server.KafkaServer)
"#,
        r#"log 0.5 error failed in c.e.shop.OrderService | order 17 failed
log 0.5 error failed in o.s.web.Dispatcher | traced
log 0.5 warn in o.e.c.r.a.DiskThresholdMonitor | [node-1] high disk watermark
log 0.5 error failed in kafka.server.KafkaServer | [KafkaServer id=1] Fatal error"#,
    ),
    (
        "Python",
        r#"ERROR:app.db:lost connection
2026-11-24 23:42:01,500 - app.db - ERROR - lost connection
[2026-11-24 23:42:01,500: ERROR/ForkPoolWorker-1] Task app.t[4bf9] raised unexpected: KeyError('x')
Traceback (most recent call last):
  File "/a/b.py", line 3, in f
    g()
KeyError: 'x'
[2026-11-24 23:42:01 +0000] [17] [INFO] Worker exiting (pid: 17)
2026-11-24 23:42:01.500 | ERROR    | app.main:run:42 - loguru
"#,
        r#"log ? error failed in app.db | lost connection
log 0.5 error failed in app.db | lost connection
log 0.5 error failed | Task app.t[4bf9] raised unexpected: KeyError('x')
log 0 info | Worker exiting (pid: 17)
log 0.5 error failed in app.main | run:42 - loguru"#,
    ),
    (
        "PHP's monolog",
        r#"[2026-11-24T23:42:01.500000+00:00] production.ERROR: no such order {"order":17} []
[2026-11-24 23:42:01] local.INFO: hello
"#,
        r#"log 0.5 error failed in production | no such order {"order":17} []
log 0 info in local | hello"#,
    ),
    (
        "etcd before 3.5",
        r#"2026-11-24 23:42:01.500000 E | etcdserver: publish error: timed out
"#,
        r#"log 0.5 error failed in etcdserver | publish error: timed out"#,
    ),
    (
        "the kernel",
        r#"kern  :warn  : [12345.678901] x: low voltage
[12345.678901] usb 1-1: new device
<3>[12345.678901] usb 1-1: gone
"#,
        r#"log ? warn | x: low voltage
log ? | usb 1-1: new device
log ? error failed | usb 1-1: gone"#,
    ),
    (
        "syslog",
        r#"<165>1 2026-11-24T23:42:01.500Z web.example.com evntslog 777 ID47 [exampleSDID@32473 iut="3"] An application event
<34>Nov 24 23:42:01 web su[12]: 'su root' failed
Nov 24 23:42:01 web kernel: [12345.678901] eth0: link down
"#,
        r#"log 0.5 info by evntslog | An application event
log 0 fatal failed by su | 'su root' failed
log 0 by kernel | eth0: link down"#,
    ),
    (
        "web servers",
        r#"2026/11/24 23:42:01 [error] 1234#0: *5 connect() failed (111: Connection refused) while connecting to upstream
[Tue Nov 24 23:42:01.500000 2026] [proxy:error] [pid 12:tid 34] (111)Connection refused: AH00957: HTTP
10.0.0.1 - frank [24/Nov/2026:18:42:01 -0500] "GET /a/b.gif?x=1 HTTP/1.0" 500 2326 "http://r/" "Mozilla/4.08" 0.532 0.530 .
"#,
        r#"log 0 error failed | 1234#0: *5 connect() failed (111: Connection refused) while connecting to upstream
log 0.5 error failed | [pid 12:tid 34] (111)Connection refused: AH00957: HTTP
server 0 failed took 0.532 in GET /a/b.gif | 500 Internal Server Error"#,
    ),
    (
        "babeltrace of a trace without a host",
        r#"[2026-11-24 23:42:01.000000000] (+0.000000000) shop:order_start: { cpu_id = 0 }, { vtid = 5 }, { id = 7 }
[2026-11-24 23:42:01.100000000] (+0.100000000) shop:order_end: { cpu_id = 0 }, { vtid = 5 }, { id = 7, ret = 0 }
"#,
        r#"internal 0.1 took 0.1 by shop in order | "#,
    ),
    (
        "Envoy",
        r#"[2026-11-24T23:42:01.000Z] "GET /cart?x HTTP/2" 503 UF 0 91 2000 - "-" "curl" "id" "shop" "10.0.0.7:80"
"#,
        r#"server 2 failed took 2 in GET /cart | 503 Service Unavailable"#,
    ),
];

const JSON: &[Sample] = &[
    (
        "Caddy",
        r#"{"level":"info","ts":1795563721.5,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"10.0.0.1","proto":"HTTP/2.0","method":"GET","host":"shop","uri":"/api/items?id=3"},"duration":0.25,"size":321,"status":502}
{"level":"error","ts":1795563721.5,"logger":"http.log.error","msg":"dial tcp 127.0.0.1:9000: connect: connection refused","request":{"method":"GET","host":"a","uri":"/"},"duration":0.0005,"status":502}
"#,
        r#"server 0.5 info failed took 0.25 in GET /api/items | 502 Bad Gateway
log 0.5 error failed took 0.0005 in http.log.error | dial tcp 127.0.0.1:9000: connect: connection refused"#,
    ),
    (
        "pino-http",
        r#"{"level":30,"time":1795563721500,"pid":12,"hostname":"web","name":"api","req":{"id":1,"method":"GET","url":"/users/3?x=1"},"res":{"statusCode":500},"responseTime":17,"msg":"request completed"}
{"level":50,"time":1795563721500,"pid":12,"hostname":"web","err":{"type":"TypeError","message":"x is undefined","stack":"TypeError: x"},"msg":"x is undefined"}
"#,
        r#"server 0.5 info failed took 0.017 by api in GET /users/3 | 500 Internal Server Error
log 0.5 error failed | x is undefined"#,
    ),
    (
        "nginx, Traefik, Envoy, echo in JSON",
        r#"{"time_iso8601":"2026-11-24T23:42:01+00:00","remote_addr":"10.0.0.1","request":"GET /a?b HTTP/1.1","status":"500","request_time":"0.250"}
{"DownstreamStatus":502,"Duration":250000000,"RequestMethod":"GET","RequestPath":"/a?x=1","RouterName":"app@docker","ServiceName":"app@docker","StartUTC":"2026-11-24T23:42:01Z","level":"info","msg":"","time":"2026-11-24T23:42:01Z"}
{"start_time":"2026-11-24T23:42:01.000Z","method":"GET","path":"/pay","response_code":503,"response_flags":"UH","duration":25,"upstream_cluster":"outbound|80||pay"}
{"time":"2026-11-24T23:42:01.5Z","id":"","remote_ip":"::1","method":"PUT","uri":"/x","status":200,"error":"","latency":12345,"latency_human":"12.345µs"}
{"time":"2026-11-24T23:42:01.5Z","method":"GET","path":"/x","status":500,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7"}
{"time":"2026-11-24T23:42:01.5Z","level":"info","msg":"calling payment","method":"POST","url":"/charge","status":500}
"#,
        r#"server 0 failed took 0.25 in GET /a | 500 Internal Server Error
server 0 info failed took 0.25 by app@docker in GET /a | 502 Bad Gateway
server 0.025 failed took 0.025 in GET /pay | 503 Service Unavailable
server 0.5 took 0.000012345 in PUT /x | 
log 0.5 failed trace 4736 span 02b7 | GET /x 500
log 0.5 info failed | calling payment"#,
    ),
    (
        "MongoDB",
        r#"{"t":{"$date":"2026-11-24T23:42:01.500+00:00"},"s":"I",  "c":"COMMAND",  "id":51803,   "ctx":"conn12","msg":"Slow query","attr":{"type":"command","ns":"shop.orders","durationMillis":412}}
{"t":{"$date":"2026-11-25T00:42:01.500+01:00"},"s":"D2", "c":"REPL","id":1,"ctx":"x","msg":"dbg"}
"#,
        r#"log 0.5 info took 0.412 in COMMAND | Slow query
log 0.5 debug in REPL | dbg"#,
    ),
    (
        "PostgreSQL",
        r#"{"timestamp":"2026-11-24 23:42:01.500 UTC","user":"app","dbname":"shop","pid":4530,"error_severity":"ERROR","state_code":"23505","message":"duplicate key value","application_name":"psql","backend_type":"client backend"}
"#,
        r#"log 0.5 error failed by psql | duplicate key value"#,
    ),
    (
        "Docker",
        r#"{"log":"time=\"2026-11-24T23:42:01Z\" level=warning msg=\"slow\" dur=12ms\n","stream":"stderr","time":"2026-11-24T23:42:01.000000001Z"}
{"log":"part one ","stream":"stdout","time":"2026-11-24T23:42:01.1Z"}
{"log":"part two\n","stream":"stdout","time":"2026-11-24T23:42:01.2Z","attrs":{"tag":"web"}}
"#,
        r#"log 0.000000001 warn | slow
log 0.1 | part one"#,
    ),
    (
        "journald",
        r#"{"__REALTIME_TIMESTAMP":"1795563721500000","_HOSTNAME":"web","SYSLOG_IDENTIFIER":"myapp","PRIORITY":"3","MESSAGE":[104,195,188,27,91,51,49,109,33],"_PID":"7","_SYSTEMD_UNIT":"myapp.service"}
{"__REALTIME_TIMESTAMP":"1795563721500000","_SYSTEMD_UNIT":"db.service","PRIORITY":["6","3"],"MESSAGE":["first","second"]}
"#,
        r#"log 0.5 error failed by myapp | hü!
log 0.5 info by db | first"#,
    ),
    (
        "Google Cloud",
        r#"{"jsonPayload":{"message":"payment failed","order":17},"resource":{"type":"k8s_container","labels":{"container_name":"pay"}},"timestamp":"2026-11-24T23:42:01.5Z","severity":"ERROR","trace":"projects/p/traces/4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7"}
{"httpRequest":{"requestMethod":"GET","requestUrl":"https://shop.example.com/a?b=1","status":502,"latency":"0.125s"},"resource":{"type":"http_load_balancer"},"timestamp":"2026-11-24T23:42:01Z","severity":"WARNING"}
{"protoPayload":{"serviceName":"storage.googleapis.com","methodName":"storage.objects.get","status":{"code":7,"message":"denied"}},"resource":{"type":"gcs_bucket"},"timestamp":"2026-11-24T23:42:01Z","severity":"ERROR"}
"#,
        r#"log 0.5 error failed by pay trace 4736 span 02b7 | payment failed
server 0 warn failed took 0.125 in GET /a | 502 Bad Gateway
log 0 error failed by storage.googleapis.com in storage.objects.get | storage.objects.get: denied"#,
    ),
    (
        "Amazon and Azure",
        r#"{"Records":[{"eventVersion":"1.08","eventTime":"2026-11-24T23:42:01Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","errorCode":"AccessDenied","errorMessage":"Access Denied"}]}
{"time":"2026-11-24T23:42:01.5000000Z","operationName":"Microsoft.Web/sites/log","category":"AppServiceHTTPLogs","resultType":"Failed","durationMs":"135","level":"Error"}
{"timestamp":1795563721500,"message":"START RequestId: 8f5\n","logStreamName":"x","logGroup":"/aws/lambda/pay"}
"#,
        r#"log 0 failed by s3.amazonaws.com in GetObject | GetObject: Access Denied
log 0.5 error failed took 0.135 in AppServiceHTTPLogs | Microsoft.Web/sites/log
log 0.5 by /aws/lambda/pay | START RequestId: 8f5"#,
    ),
    (
        "loguru, falco",
        r#"{"record":{"elapsed":{"seconds":1},"level":{"name":"ERROR","no":40},"message":"disk full","name":"app","time":{"timestamp":1795563721.5}},"text":"2026 | ERROR | disk full"}
{"output":"Shell in a container","priority":"Warning","rule":"Terminal shell","time":"2026-11-24T23:42:01.5Z","output_fields":{}}
"#,
        r#"log 0.5 error failed in app | disk full
log 0.5 warn | Shell in a container"#,
    ),
    (
        "GitHub's audit log",
        r#"{"@timestamp":1795563721500,"_document_id":"abc","action":"repo.create","actor":"octocat","org":"acme","repo":"acme/x"}
"#,
        r#"log 0.5 in repo.create | repo.create"#,
    ),
];
