//! A line each of many programs: when, how grave, who, and what is left of it as the message.
#![allow(clippy::needless_raw_string_hashes)] // Lines are put in as they are.

use super::samples::{Sample, compare};

#[test]
fn a_line_of_each_program_is_what_it_means() {
    compare(PROGRAMS, None);
}

/// A program, a line of it, and what it says.
const PROGRAMS: &[Sample] = &[
    (
        "AWS's load balancer",
        r#"https 2026-11-24T23:42:01.186641Z app/my-lb/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://www.example.com:443/ HTTP/1.1" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:x "Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com" "arn:aws:acm" 1 2026-11-24T23:42:01.100000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-""#,
        r#"server 0.186641 took 0.171 by my-lb in GET / trace 7259 | "#,
    ),
    (
        "Apache's errors",
        r#"[Tue Nov 24 23:42:01.123456 2026] [proxy:error] [pid 12:tid 34] [client 10.0.0.1:5] AH00898: Error reading from remote server"#,
        r#"log 0.123456 error failed | [pid 12:tid 34] [client 10.0.0.1:5] AH00898: Error reading from remote server"#,
    ),
    (
        "auditd",
        r#"type=SYSCALL msg=audit(1795563721.123:456): arch=c000003e syscall=59 success=yes exit=0 comm="ls" exe="/bin/ls""#,
        r#"log 0.123 by auditd in SYSCALL | arch=c000003e syscall=59 success=yes exit=0 comm="ls" exe="/bin/ls""#,
    ),
    (
        "Cassandra",
        r#"ERROR [CompactionExecutor:1] 2026-11-24 23:42:01,123 CassandraDaemon.java:228 - Exception in thread"#,
        r#"log 0.123 error failed in CassandraDaemon.java | Exception in thread"#,
    ),
    (
        "Catalina",
        r#"24-Nov-2026 23:42:01.123 SEVERE [main] org.apache.catalina.core.StandardService.start Failed to start"#,
        r#"log 0.123 error failed in org.apache.catalina.core.StandardService.start | Failed to start"#,
    ),
    (
        "Celery",
        r#"[2026-11-24 23:42:01,123: ERROR/MainProcess] Task x.y[4bf92f35-77b3-4da6-a3ce-929d0e0e4736] raised unexpected: ValueError()"#,
        r#"log 0.123 error failed | Task x.y[4bf92f35-77b3-4da6-a3ce-929d0e0e4736] raised unexpected: ValueError()"#,
    ),
    (
        "ClickHouse",
        r#"2026.11.24 23:42:01.123456 [ 45 ] {4bf92f35-77b3} <Error> executeQuery: Code: 62"#,
        r#"log 0.123456 error failed | executeQuery: Code: 62"#,
    ),
    (
        "Cisco",
        r#"*Nov 24 23:42:01.123: %LINK-3-UPDOWN: Interface Gi0/1, changed state to down"#,
        r#"log 0.123 error failed in LINK-3-UPDOWN | Interface Gi0/1, changed state to down"#,
    ),
    (
        "Serilog, compact",
        r#"{"@t":"2026-11-24T23:42:01.123Z","@mt":"Paid {Amount}","@l":"Error","Amount":3,"SourceContext":"Shop.Pay","@tr":"4bf92f3577b34da6a3ce929d0e0e4736","@sp":"00f067aa0ba902b7"}"#,
        r#"log 0.123 error failed in Shop.Pay trace 4736 span 02b7 | Paid {Amount}"#,
    ),
    ("compose", r#"web_1  | 2026-11-24T23:42:01Z ERROR boom"#, r#"log 0 error failed by web_1 | boom"#),
    (
        "Consul",
        r#"2026-11-24T23:42:01.123Z [ERROR] agent.server: boom: error="x""#,
        r#"log 0.123 error failed in agent.server | boom: error="x""#,
    ),
    (
        "Lambda",
        r#"2026-11-24T23:42:01.123Z	4bf92f35-77b3-4da6-a3ce-929d0e0e4736	ERROR	boom"#,
        r#"log 0.123 error failed | boom"#,
    ),
    (
        "Datadog",
        r#"{"timestamp":1795563721123,"status":"error","service":"pay","message":"boom","dd":{"trace_id":"123","span_id":"7"}}"#,
        r#"log 0.123 error failed by pay trace 007b span 0007 | boom"#,
    ),
    (
        "Django",
        r#"[24/Nov/2026 23:42:01] "GET /x/ HTTP/1.1" 500 1234"#,
        r#"server 0 failed in GET /x/ | 500 Internal Server Error"#,
    ),
    (
        "Elasticsearch",
        r#"[2026-11-24T23:42:01,123][ERROR][o.e.b.Bootstrap          ] [node-1] boom"#,
        r#"log 0.123 error failed in o.e.b.Bootstrap | [node-1] boom"#,
    ),
    ("Elixir", r#"23:42:01.123 [error] GenServer terminating"#, r#"log 0.123 error failed | GenServer terminating"#),
    ("env_logger", r#"[2026-11-24T23:42:01Z ERROR shop::pay] boom"#, r#"log 0 error failed in shop::pay | boom"#),
    (
        "Envoy",
        r#"[2026-11-24T23:42:01.123Z] "GET /cart HTTP/1.1" 503 UF 0 91 250 - "-" "curl" "4bf92f35-77b3-4da6-a3ce-929d0e0e4736" "cart" "10.0.0.1:80""#,
        r#"server 0.373 failed took 0.25 in GET /cart | 503 Service Unavailable"#,
    ),
    (
        "gunicorn",
        r#"[2026-11-24 23:42:01 +0000] [7] [ERROR] Worker (pid:9) was sent SIGKILL!"#,
        r#"log 0 error failed | Worker (pid:9) was sent SIGKILL!"#,
    ),
    (
        "Jenkins",
        r#"2026-11-24 23:42:01.123+0000 [id=45]	SEVERE	h.m.Queue#run: boom"#,
        r#"log 0.123 error failed | h.m.Queue#run: boom"#,
    ),
    (
        "the journal, short ISO",
        r#"2026-11-24T23:42:01+0100 web-3 sshd[123]: Accepted publickey for root from 10.0.0.1 port 22"#,
        r#"log -3600 by sshd | Accepted publickey for root from 10.0.0.1 port 22"#,
    ),
    (
        "Juniper",
        r#"<28>1 2026-11-24T23:42:01.123Z r1 mib2d 123 SNMP_TRAP_LINK_DOWN [junos@2636.1.1.1.2.18 ifIndex="5"] ifIndex 5 down"#,
        r#"log 0.123 warn by mib2d | ifIndex 5 down"#,
    ),
    (
        "Kafka",
        r#"[2026-11-24 23:42:01,123] ERROR [KafkaServer id=0] Fatal error (kafka.server.KafkaServer)"#,
        r#"log 0.123 error failed in kafka.server.KafkaServer | [KafkaServer id=0] Fatal error"#,
    ),
    ("logback", r#"23:42:01.123 [main] ERROR c.e.Orders - boom"#, r#"log 0.123 error failed in c.e.Orders | boom"#),
    (
        "Android",
        r#"11-24 23:42:01.123  1234  5678 E AndroidRuntime: FATAL EXCEPTION: main"#,
        r#"log 0.123 error failed in AndroidRuntime | FATAL EXCEPTION: main"#,
    ),
    (
        "Android, brief",
        r#"E/AndroidRuntime( 1234): FATAL EXCEPTION: main"#,
        r#"log ? error failed in AndroidRuntime | FATAL EXCEPTION: main"#,
    ),
    (
        "Monolog",
        r#"[2026-11-24T23:42:01.123456+00:00] app.ERROR: boom {"a":1} []"#,
        r#"log 0.123456 error failed in app | boom {"a":1} []"#,
    ),
    ("NLog", r#"2026-11-24 23:42:01.1234|ERROR|Shop.Pay|boom"#, r#"log 0.1234 error failed in Shop.Pay | boom"#),
    (
        "PHP-FPM",
        r#"[24-Nov-2026 23:42:01] WARNING: [pool www] child 7 exited on signal 11 (SIGSEGV) after 1.5 seconds from start"#,
        r#"log 0 warn | [pool www] child 7 exited on signal 11 (SIGSEGV) after 1.5 seconds from start"#,
    ),
    (
        "RabbitMQ",
        r#"2026-11-24 23:42:01.123456+00:00 [error] <0.123.0> closing AMQP connection"#,
        r#"log 0.123456 error failed | <0.123.0> closing AMQP connection"#,
    ),
    (
        "slog",
        r#"time=2026-11-24T23:42:01.123Z level=ERROR msg="boom at sea" service=pay"#,
        r#"log 0.123 error failed by pay | boom at sea"#,
    ),
    (
        "Spring Boot",
        r#"2026-11-24T23:42:01.123Z ERROR 1 --- [pay] [nio-8080-exec-1] c.e.PayController : boom"#,
        r#"log 0.123 error failed in c.e.PayController | boom"#,
    ),
    (
        "tracing",
        r#"2026-11-24T23:42:01.123456Z ERROR request{id=7}: shop::pay: boom a=1"#,
        r#"log 0.123456 error failed in shop::pay | boom a=1"#,
    ),
    (
        "Varnish",
        r#"10.0.0.1 - - [24/Nov/2026:23:42:01 +0000] "GET http://x/ HTTP/1.1" 200 12 "-" "curl""#,
        r#"server 0 in GET / | "#,
    ),
];
