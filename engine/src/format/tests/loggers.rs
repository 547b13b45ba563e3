//! What loggers, collectors and clouds write in JSON, a line of each.

use super::super::Format;
use super::samples::{Sample, compare};
use super::{NOW, stream};
use crate::event::Event;

/// What an event says, in a line; times are from the moment that all these lines speak of.
pub(super) fn describe(event: &Event<'_>) -> String {
    let mut out = event.kind.name().to_owned();
    let mut add = |text: String| {
        if !text.is_empty() {
            out.push(' ');
            out.push_str(&text);
        }
    };
    let seconds = |ns: i64| format!("{}", ns as f64 / 1e9);
    add(event.time.map_or_else(|| "?".to_owned(), |time| seconds(time - NOW)));
    add(event.level.name().to_owned());
    add(if event.failed { "failed" } else { "" }.to_owned());
    add(event.duration.map(|ns| format!("took {}", seconds(i64::try_from(ns).unwrap()))).unwrap_or_default());
    for (name, text) in [("by", &event.service), ("in", &event.operation)] {
        add(if text.is_empty() { String::new() } else { format!("{name} {text}") });
    }
    for (name, id) in
        [("trace", u128::from_be_bytes(event.trace)), ("span", event.span.into()), ("below", event.parent.into())]
    {
        add(if id == 0 { String::new() } else { format!("{name} {:04x}", id & 0xFFFF) });
    }
    add(format!("| {}", event.message));
    out
}

#[test]
fn lines_of_loggers_say_what_they_mean() {
    compare(LINES, Some(Format::Json));
}

#[test]
fn a_line_of_a_container_that_was_cut_is_one_event() {
    let lines = [
        "2026-11-24T23:42:01.000000001Z stdout F whole\n",
        "2026-11-24T23:42:01.000000002Z stdout P ERROR first,\n",
        "2026-11-24T23:42:01.000000003Z stderr F of the other output\n",
        "2026-11-24T23:42:01.000000004Z stdout P second,\n",
        "2026-11-24T23:42:01.000000005Z stdout F third\n",
        "2026-11-24T23:42:01.000000006Z stdout F whole again\n",
    ];
    let text = lines.concat();
    let events = stream(&text);
    let messages: Vec<_> = events.iter().map(|event| &*event.message).collect();
    assert_eq!(messages, ["whole", "first,", "of the other output", "whole again"]);
    // Docker's, as JSON.
    let json = lines.map(|line| {
        let (_, rest) = line.split_once(' ').unwrap();
        let (output, rest) = rest.split_at(6);
        let log = rest.strip_prefix(" P ").map_or_else(|| &rest[3..], str::trim_end);
        format!("{}\n", serde_json::json!({"log": log, "stream": output, "time": "2026-11-24T23:42:01Z"}))
    });
    let text = json.concat();
    let messages: Vec<_> = stream(&text).iter().map(|event| event.message.clone().into_owned()).collect();
    assert_eq!(messages, ["whole", "first,", "of the other output", "whole again"]);
}

/// Who writes them, the lines, and what they mean.
const LINES: &[Sample] = &[
    (
        "structlog",
        r#"{"event": "order accepted", "order": 17, "level": "info", "logger": "shop.orders", "timestamp": "2026-11-24T23:42:01.123456Z"}"#,
        "log 0.123456 info in shop.orders | order accepted",
    ),
    (
        "structlog with an exception",
        r#"{"event": "boom", "exception": "Traceback (most recent call last):\n  File \"x.py\", line 1, in <module>\n    f()\nValueError: bad amount", "level": "error", "timestamp": "2026-11-24T23:42:01.123456Z"}"#,
        "log 0.123456 error failed | boom",
    ),
    (
        "pino with pino-http",
        r#"{"level":30,"time":1795563721123,"pid":42,"hostname":"web-3","name":"checkout","msg":"request completed","req":{"id":1,"method":"GET","url":"/cart","headers":{"host":"x"}},"res":{"statusCode":200},"responseTime":12}"#,
        "server 0.123 info took 0.012 by checkout in GET /cart | ",
    ),
    (
        "pino with an error",
        r#"{"level":50,"time":1795563721123,"pid":42,"hostname":"web-3","err":{"type":"Error","message":"connect ECONNREFUSED","stack":"Error: connect ECONNREFUSED\n    at x.js:1:1"},"msg":"payment failed"}"#,
        "log 0.123 error failed | payment failed",
    ),
    (
        "pino with an error alone",
        r#"{"level":50,"time":1795563721123,"pid":42,"hostname":"web-3","err":{"type":"Error","message":"connect ECONNREFUSED","stack":"Error: connect ECONNREFUSED\n    at x.js:1:1"}}"#,
        "log 0.123 error failed | connect ECONNREFUSED",
    ),
    (
        "bunyan",
        r#"{"name":"myapp","hostname":"banana.local","pid":123,"level":40,"component":"dispatcher","msg":"slow","time":"2026-11-24T23:42:01.123Z","v":0}"#,
        "log 0.123 warn by myapp in dispatcher | slow",
    ),
    (
        "zap",
        r#"{"level":"info","ts":1795563721.123456,"logger":"ctrl","caller":"cmd/main.go:42","msg":"reconciled","took":"12.5ms"}"#,
        "log 0.123456 info took 0.0125 in ctrl | reconciled",
    ),
    (
        "zap, sampled time in ISO",
        r#"{"level":"error","ts":"2026-11-24T23:42:01.123Z","caller":"cmd/main.go:42","msg":"failed to fetch","error":"dial tcp: timeout","stacktrace":"main.main\n\t/x.go:1"}"#,
        "log 0.123 error failed | failed to fetch",
    ),
    (
        "zerolog",
        r#"{"level":"warn","time":1795563721,"caller":"main.go:1","error":"file not found","message":"cannot open"}"#,
        "log 0 warn | cannot open",
    ),
    (
        "zerolog, a duration that does not say its unit",
        r#"{"level":"debug","elapsed":12.5,"time":"2026-11-24T23:42:01Z","message":"zerolog has dur in ms"}"#,
        "log 0 debug | zerolog has dur in ms",
    ),
    (
        "logrus",
        r#"{"animal":"walrus","level":"warning","msg":"A group of walrus","size":10,"time":"2026-11-24T23:42:01Z"}"#,
        "log 0 warn | A group of walrus",
    ),
    (
        "winston",
        r#"{"level":"error","message":"winston says","timestamp":"2026-11-24T23:42:01.123Z","service":"user-service","stack":"Error: x\n at y"}"#,
        "log 0.123 error failed by user-service | winston says",
    ),
    (
        "logstash-logback-encoder",
        r#"{"@timestamp":"2026-11-24T23:42:01.123+01:00","@version":"1","message":"Order placed","logger_name":"com.shop.OrderService","thread_name":"http-nio-1","level":"WARN","level_value":30000,"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","appname":"shop"}"#,
        "log -3599.877 warn by shop in com.shop.OrderService trace 4736 span 02b7 | Order placed",
    ),
    (
        "logback's JsonLayout",
        r#"{"timestamp":1795563721123,"level":"ERROR","thread":"main","mdc":{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7"},"logger":"com.shop.X","message":"failed","context":"default","exception":"java.lang.IllegalStateException: boom\n\tat a.b.C(D.java:1)"}"#,
        "log 0.123 error failed in com.shop.X trace 4736 span 02b7 | failed",
    ),
    (
        "logback 1.3's JsonEncoder",
        r#"{"sequenceNumber":0,"timestamp":1795563721,"nanoseconds":123456789,"level":"INFO","threadName":"main","loggerName":"com.shop.Main","context":{"name":"default","birthdate":1795563700000,"properties":{}},"mdc":{},"message":"logback 1.3 JsonEncoder","throwable":null}"#,
        "log 0 info in com.shop.Main | logback 1.3 JsonEncoder",
    ),
    (
        "log4j2's JsonLayout",
        r#"{"instant":{"epochSecond":1795563721,"nanoOfSecond":123456789},"thread":"main","level":"ERROR","loggerName":"com.shop.Main","message":"log4j2","thrown":{"commonElementCount":0,"localizedMessage":"boom","message":"boom","name":"java.lang.RuntimeException","extendedStackTrace":"x"},"endOfBatch":false,"loggerFqcn":"org.apache.logging.log4j.spi.AbstractLogger","contextMap":{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7"},"threadId":1,"threadPriority":5}"#,
        "log 0.123456789 error failed in com.shop.Main trace 4736 span 02b7 | log4j2",
    ),
    (
        "ECS, flat",
        r#"{"@timestamp":"2026-11-24T23:42:01.123Z","ecs.version":"1.2.0","log.level":"ERROR","message":"Hello, error!","process.thread.name":"main","log.logger":"org.x.Y","service.name":"shop","event.dataset":"shop","error.type":"java.lang.RuntimeException","error.message":"Test","error.stack_trace":"x","trace.id":"4bf92f3577b34da6a3ce929d0e0e4736","transaction.id":"00f067aa0ba902b7"}"#,
        "log 0.123 error failed by shop in org.x.Y trace 4736 span 02b7 | Hello, error!",
    ),
    (
        "ECS, nested",
        r#"{"@timestamp":"2026-11-24T23:42:01.123Z","log":{"level":"info","logger":"a.b"},"message":"nested ecs","service":{"name":"shop"},"event":{"duration":12000000},"trace":{"id":"4bf92f3577b34da6a3ce929d0e0e4736"},"span":{"id":"00f067aa0ba902b7"},"http":{"request":{"method":"GET"},"response":{"status_code":200}}}"#,
        "log 0.123 info took 0.012 by shop in a.b trace 4736 span 02b7 | nested ecs",
    ),
    (
        "Serilog, compact and rendered",
        r#"{"@t":"2026-11-24T23:42:01.1234567Z","@mt":"Processed {Position} in {Elapsed:000} ms.","@m":"Processed x in 034 ms.","@l":"Warning","@x":"System.Exception: bad","@tr":"4bf92f3577b34da6a3ce929d0e0e4736","@sp":"00f067aa0ba902b7","Elapsed":34,"SourceContext":"Shop.Orders"}"#,
        "log 0.1234567 warn in Shop.Orders trace 4736 span 02b7 | Processed x in 034 ms.",
    ),
    (
        "Serilog, compact: a request",
        r#"{"@t":"2026-11-24T23:42:01.1234567Z","@mt":"HTTP {RequestMethod} {RequestPath} responded {StatusCode} in {Elapsed:0.0000} ms","RequestMethod":"GET","RequestPath":"/cart","StatusCode":500,"Elapsed":34.5,"SourceContext":"Serilog.AspNetCore.RequestLoggingMiddleware"}"#,
        "log 0.1234567 info failed took 0.0345 in Serilog.AspNetCore.RequestLoggingMiddleware | HTTP {RequestMethod} {RequestPath} responded {StatusCode} in {Elapsed:0.0000} ms",
    ),
    (
        "Serilog's JsonFormatter",
        r#"{"Timestamp":"2026-11-24T23:42:01.1234567+01:00","Level":"Error","MessageTemplate":"Failed {X}","RenderedMessage":"Failed 1","Exception":"System.Exception: bad","Properties":{"SourceContext":"Shop"}}"#,
        "log -3599.8765433 error failed in Shop | Failed 1",
    ),
    (
        ".NET's console",
        r#"{"EventId":14,"LogLevel":"Information","Category":"Microsoft.Hosting.Lifetime","Message":"Now listening on: http://[::]:80","State":{"Message":"Now listening on: http://[::]:80","address":"http://[::]:80","{OriginalFormat}":"Now listening on: {address}"}}"#,
        "log ? info in Microsoft.Hosting.Lifetime | Now listening on: http://[::]:80",
    ),
    (
        ".NET's console with a time",
        r#"{"Timestamp":"2026-11-24T23:42:01.123Z","EventId":1,"LogLevel":"Error","Category":"Shop.X","Message":"failed","Exception":"System.Exception: bad"}"#,
        "log 0.123 error failed in Shop.X | failed",
    ),
    (
        "Docker around text",
        r#"{"log":"2026-11-24 23:42:00,000 ERROR shop.orders: no stock\n","stream":"stderr","time":"2026-11-24T23:42:01.123456789Z"}"#,
        "log 0.123456789 error failed in shop.orders | no stock",
    ),
    (
        "Docker around JSON",
        r#"{"log":"{\"level\":\"warn\",\"msg\":\"inner\",\"service\":\"shop\"}\n","stream":"stdout","attrs":{"tag":"x"},"time":"2026-11-24T23:42:01.123456789Z"}"#,
        "log 0.123456789 warn by shop | inner",
    ),
    (
        "Docker, a line in two pieces",
        r#"{"log":"half a line ","stream":"stdout","time":"2026-11-24T23:42:01.100000000Z"}
{"log":"and its rest\n","stream":"stdout","time":"2026-11-24T23:42:01.123456789Z"}"#,
        "log 0.1 | half a line",
    ),
    (
        "Google Cloud, a container",
        r#"{"insertId":"42","jsonPayload":{"message":"jp","level":"x","duration":0.12},"resource":{"type":"k8s_container","labels":{"container_name":"shop","pod_name":"p"}},"timestamp":"2026-11-24T23:42:01.123Z","severity":"ERROR","logName":"projects/p/logs/stdout","trace":"projects/p/traces/4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","receiveTimestamp":"2026-11-24T23:42:02Z"}"#,
        "log 0.123 error failed by shop trace 4736 span 02b7 | jp",
    ),
    (
        "Google Cloud, a request",
        r#"{"httpRequest":{"requestMethod":"GET","requestUrl":"https://x/cart","status":502,"latency":"0.123s","userAgent":"x"},"insertId":"1","resource":{"type":"cloud_run_revision","labels":{"service_name":"checkout","location":"eu"}},"timestamp":"2026-11-24T23:42:01.123Z","severity":"ERROR","logName":"projects/p/logs/run.googleapis.com%2Frequests","trace":"projects/p/traces/4bf92f3577b34da6a3ce929d0e0e4736"}"#,
        "server 0.123 error failed took 0.123 by checkout in GET /cart trace 4736 | 502 Bad Gateway",
    ),
    (
        "Google Cloud, an audit record",
        r#"{"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","status":{"code":7,"message":"PERMISSION_DENIED"},"serviceName":"storage.googleapis.com","methodName":"storage.objects.get"},"resource":{"type":"gcs_bucket"},"timestamp":"2026-11-24T23:42:01.123Z","severity":"ERROR"}"#,
        "log 0.123 error failed by storage.googleapis.com in storage.objects.get | storage.objects.get: PERMISSION_DENIED",
    ),
    (
        "Google Cloud, text",
        r#"{"textPayload":"WARNING: low disk","timestamp":"2026-11-24T23:42:01.123Z","severity":"DEFAULT","resource":{"labels":{"container_name":"shop"}}}"#,
        "log 0.123 warn by shop | low disk",
    ),
    (
        "AWS Lambda, a report",
        r#"{"time":"2026-11-24T23:42:01.123Z","type":"platform.report","record":{"requestId":"6d68ca91","metrics":{"durationMs":101.51,"billedDurationMs":300},"status":"success"}}"#,
        "log 0.123 took 0.10151 in platform.report | platform.report",
    ),
    (
        "AWS Lambda",
        r#"{"timestamp":"2026-11-24T23:42:01Z","level":"ERROR","message":"lambda json","requestId":"6d68","errorType":"X","errorMessage":"bad","stackTrace":[]}"#,
        "log 0 error failed | lambda json",
    ),
    (
        "AWS CloudTrail",
        r#"{"Records":[{"eventVersion":"1.08","eventTime":"2026-11-24T23:42:01Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu","errorCode":"AccessDenied","errorMessage":"Access Denied","requestID":"x"},{"eventVersion":"1.08","eventTime":"2026-11-24T23:42:02Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances"}]}"#,
        "log 0 failed by s3.amazonaws.com in GetObject | GetObject: Access Denied\nlog 1 by ec2.amazonaws.com in RunInstances | RunInstances",
    ),
    (
        "Azure Monitor",
        r#"{"records":[{"time":"2026-11-24T23:42:01.123Z","resourceId":"/SUB/X","operationName":"Microsoft.Web/sites/log","category":"AppServiceHTTPLogs","level":"Error","resultType":"500","durationMs":"123","properties":{"message":"x"}},{"time":"2026-11-24T23:42:02.123Z","operationName":"Get","category":"AuditEvent","level":"Informational","durationMs":5}]}"#,
        "log 0.123 error failed took 0.123 in AppServiceHTTPLogs | x\nlog 1.123 info took 0.005 in AuditEvent | Get",
    ),
    (
        "AWS CloudWatch, a subscription",
        r#"{"messageType":"DATA_MESSAGE","owner":"123","logGroup":"/aws/lambda/shop","logStream":"x","subscriptionFilters":["x"],"logEvents":[{"id":"1","timestamp":1795563721123,"message":"[ERROR] no stock"},{"id":"2","timestamp":1795563722123,"message":"ok"}]}"#,
        "log 0.123 error failed by /aws/lambda/shop | no stock\nlog 1.123 by /aws/lambda/shop | ok",
    ),
    (
        "Kubernetes, an audit event",
        r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"x","stage":"ResponseComplete","requestURI":"/api/v1/pods","verb":"create","user":{"username":"admin"},"responseStatus":{"metadata":{},"code":403,"reason":"Forbidden"},"requestReceivedTimestamp":"2026-11-24T23:42:01.100000Z","stageTimestamp":"2026-11-24T23:42:01.123000Z"}"#,
        "log 0.123 took 0.023 | create /api/v1/pods 403",
    ),
    (
        "Caddy",
        r#"{"level":"error","ts":1795563721.123,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"1.2.3.4","proto":"HTTP/2.0","method":"GET","host":"x","uri":"/cart","headers":{}},"bytes_read":0,"user_id":"","duration":0.012,"size":5,"status":502,"resp_headers":{}}"#,
        "server 0.123 error failed took 0.012 in GET /cart | 502 Bad Gateway",
    ),
    (
        "Traefik",
        r#"{"ClientAddr":"1.2.3.4:5","ClientHost":"1.2.3.4","Duration":12345678,"DownstreamStatus":502,"OriginDuration":12000000,"RequestMethod":"GET","RequestPath":"/cart","RouterName":"shop@docker","ServiceName":"shop@docker","StartUTC":"2026-11-24T23:42:01.1Z","level":"info","msg":"","time":"2026-11-24T23:42:01Z"}"#,
        "server 0 info failed took 0.012345678 by shop@docker in GET /cart | 502 Bad Gateway",
    ),
    (
        "Envoy",
        r#"{"start_time":"2026-11-24T23:42:01.123Z","method":"GET","path":"/cart","protocol":"HTTP/1.1","response_code":503,"response_flags":"UH","duration":12,"upstream_cluster":"outbound|80||shop","bytes_sent":5,"x_forwarded_for":null}"#,
        "server 0.135 failed took 0.012 in GET /cart | 503 Service Unavailable",
    ),
    (
        "Nextcloud",
        r#"{"reqId":"x","level":3,"time":"2026-11-24T23:42:01+00:00","remoteAddr":"1.2.3.4","user":"admin","app":"files","method":"PROPFIND","url":"/remote.php","message":"bad thing","userAgent":"x","version":"29"}"#,
        "log 0 error failed by files | bad thing",
    ),
    (
        "MongoDB",
        r#"{"t":{"$date":"2026-11-24T23:42:01.123+01:00"},"s":"I","c":"COMMAND","id":51803,"ctx":"conn1","msg":"Slow query","attr":{"type":"command","ns":"shop.orders","durationMillis":123}}"#,
        "log -3599.877 info took 0.123 in COMMAND | Slow query",
    ),
    (
        "MongoDB, an error",
        r#"{"t":{"$date":"2026-11-24T23:42:01.123+01:00"},"s":"E","c":"NETWORK","id":1,"ctx":"conn1","msg":"Err","attr":{"error":"x"}}"#,
        "log -3599.877 error failed in NETWORK | Err",
    ),
    (
        "PostgreSQL's jsonlog",
        r#"{"timestamp":"2026-11-24 23:42:01.123 UTC","user":"u","dbname":"d","pid":1,"remote_host":"::1","session_id":"x","line_num":1,"ps":"SELECT","error_severity":"ERROR","state_code":"42P01","message":"relation \"x\" does not exist","statement":"select * from x;","backend_type":"client backend","query_id":0}"#,
        r#"log 0.123 error failed | relation "x" does not exist"#,
    ),
    (
        "Vault's audit log",
        r#"{"time":"2026-11-24T23:42:01.123456789Z","type":"response","auth":{"display_name":"x"},"request":{"id":"x","operation":"read","path":"secret/data/x"},"response":{},"error":"permission denied"}"#,
        "log 0.123456789 failed in response | read secret/data/x: permission denied",
    ),
    (
        "Elasticsearch",
        r#"{"type": "server", "timestamp": "2026-11-24T23:42:01,123Z", "level": "WARN", "component": "o.e.c.r.a.DiskThresholdMonitor", "cluster.name": "es", "node.name": "n1", "message": "high disk watermark"  }"#,
        "log 0.123 warn in o.e.c.r.a.DiskThresholdMonitor | high disk watermark",
    ),
    (
        "journald",
        r#"{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1795563721123456","__MONOTONIC_TIMESTAMP":"1","_BOOT_ID":"x","PRIORITY":"3","SYSLOG_IDENTIFIER":"sshd","_COMM":"sshd","_PID":"1","_SYSTEMD_UNIT":"ssh.service","MESSAGE":"error: maximum authentication attempts exceeded","_SOURCE_REALTIME_TIMESTAMP":"1795563721123000"}"#,
        "log 0.123 error failed by ssh | error: maximum authentication attempts exceeded",
    ),
    (
        "journald, a binary message and fields that come twice",
        r#"{"__REALTIME_TIMESTAMP":"1795563721123456","PRIORITY":["4","3"],"_COMM":["app","x"],"MESSAGE":[104,105]}"#,
        "log 0.123456 warn by app | hi",
    ),
    (
        "OpenTelemetry Collector",
        r#"{"level":"info","ts":"2026-11-24T23:42:01.123Z","caller":"otlpreceiver/otlp.go:112","msg":"Starting GRPC server","kind":"receiver","name":"otlp","data_type":"traces","endpoint":"0.0.0.0:4317"}"#,
        "log 0.123 info in otlp | Starting GRPC server",
    ),
    (
        "OpenTelemetry Collector, newer",
        r#"{"level":"info","ts":"2026-11-24T23:42:01.123Z","msg":"Everything is ready","resource":{"service.instance.id":"x","service.name":"otelcol","service.version":"0.130"},"otelcol.component.kind":"receiver"}"#,
        "log 0.123 info by otelcol | Everything is ready",
    ),
    (
        "GitHub's events",
        r#"{"id":"1","type":"PushEvent","actor":{"id":1,"login":"a"},"repo":{"id":1,"name":"a/b"},"payload":{"push_id":1,"size":1},"public":true,"created_at":"2026-11-24T23:42:01Z"}"#,
        "log 0 in PushEvent | PushEvent",
    ),
    (
        "Datadog",
        r#"{"date":"2026-11-24T23:42:01.123Z","service":"shop","status":"error","message":"dd","dd.trace_id":"5188146770730811392","dd.span_id":"67667974448284343","host":"x"}"#,
        "log 0.123 error failed by shop trace 0000 span 02b7 | dd",
    ),
    (
        "Google Cloud's agents",
        r#"{"timestamp":{"seconds":1795563721,"nanos":123000000},"severity":"WARNING","message":"gcp nested","logging.googleapis.com/trace":"projects/p/traces/4bf92f3577b34da6a3ce929d0e0e4736"}"#,
        "log 0.123 warn trace 4736 | gcp nested",
    ),
    (
        "GELF",
        r#"{"short_message":"gelf","full_message":"gelf full","version":"1.1","host":"web-3","timestamp":1795563721.123,"level":4,"_logger":"x"}"#,
        "log 0.123 warn in x | gelf",
    ),
    (
        "monolog",
        r#"{"datetime":"2026-11-24T23:42:01.123456+00:00","message":"monolog","context":{},"level":400,"level_name":"ERROR","channel":"app","extra":{}}"#,
        "log 0.123456 error failed in app | monolog",
    ),
    (
        "Go's slog",
        r#"{"time":"2026-11-24T23:42:01.123Z","level":"ERROR","source":{"function":"main.main","file":"/x.go","line":1},"msg":"slog","err":"boom","dur":12000000}"#,
        "log 0.123 error failed | slog",
    ),
    (
        "loguru",
        r#"{"text":"loguru text\n","record":{"elapsed":{"repr":"0:00:01","seconds":1.0},"exception":null,"extra":{},"file":{"name":"x.py","path":"x"},"function":"f","level":{"icon":"x","name":"WARNING","no":30},"line":1,"message":"loguru","module":"m","name":"__main__","process":{"id":1,"name":"P"},"thread":{"id":1,"name":"T"},"time":{"repr":"2026-11-24 23:42:01.123456+00:00","timestamp":1795563721.123456}}}"#,
        "log 0.123456 warn in m | loguru",
    ),
    (
        "Rust's tracing",
        r#"{"timestamp":"2026-11-24T23:42:01.123456Z","level":"WARN","fields":{"message":"tracing rust","port":80},"target":"shop::orders","span":{"name":"handle"},"spans":[{"name":"handle"}]}"#,
        "log 0.123456 warn in shop::orders | tracing rust",
    ),
    (
        "Rails' semantic logger",
        r#"{"severity":"WARN","timestamp":"2026-11-24 23:42:01.123","pid":1,"hostname":"x","message":"rails semantic","duration_ms":12.3,"name":"OrdersController"}"#,
        "log 0.123 warn took 0.0123 by OrdersController | rails semantic",
    ),
    (
        "lograge",
        r#"{"msg":"rails lograge","method":"GET","path":"/cart","format":"html","controller":"CartController","action":"show","status":500,"duration":12.34,"view":1.0,"db":2.0}"#,
        "log ? failed took 0.01234 in CartController | rails lograge",
    ),
    (
        "python-json-logger",
        r#"{"asctime":"2026-11-24 23:42:01,123","levelname":"ERROR","name":"shop.orders","message":"python-json-logger","exc_info":"Traceback (most recent call last):\nValueError: bad"}"#,
        "log 0.123 error failed in shop.orders | python-json-logger",
    ),
    (
        "nginx",
        r#"{"time_local":"24/Nov/2026:23:42:01 +0000","remote_addr":"1.2.3.4","request":"GET /cart HTTP/1.1","status":"502","body_bytes_sent":"5","request_time":"0.012","upstream_response_time":"0.010"}"#,
        "server 0 failed took 0.012 in GET /cart | 502 Bad Gateway",
    ),
    (
        "an access log",
        r#"{"type":"access","time":"2026-11-24T23:42:01Z","verb":"GET","uri":"/x","code":"200"}"#,
        "server 0 in GET /x | ",
    ),
    (
        "nothing that is known",
        r#"{"schemaVersion":"1","timestamp":"2026-11-24T23:42:01.123Z","source":"x","nothing":"to say"}"#,
        r#"log 0.123 | {"schemaVersion":"1","timestamp":"2026-11-24T23:42:01.123Z","source":"x","nothing":"to say"}"#,
    ),
    (
        "OpenTelemetry's Python SDK on the console, failed",
        r#"{"name":"foo","context":{"trace_id":"0x4bf92f3577b34da6a3ce929d0e0e4736","span_id":"0x00f067aa0ba902b7","trace_state":"[]"},"kind":"SpanKind.SERVER","parent_id":"0x00f067aa0ba902b8","start_time":"2026-11-24T23:42:01.123456Z","end_time":"2026-11-24T23:42:01.223456Z","status":{"status_code":"ERROR","description":"boom"},"attributes":{"http.method":"GET"},"events":[],"links":[],"resource":{"attributes":{"service.name":"shop"},"schema_url":""}}"#,
        "server 0.223456 failed took 0.1 by shop in foo trace 4736 span 02b7 below 02b8 | boom",
    ),
    (
        "OpenTelemetry's Python SDK on the console",
        r#"{"name":"foo","context":{"trace_id":"0x4bf92f3577b34da6a3ce929d0e0e4736","span_id":"0x00f067aa0ba902b7","trace_state":"[]"},"kind":"SpanKind.INTERNAL","parent_id":null,"start_time":"2026-11-24T23:42:01.123456Z","end_time":"2026-11-24T23:42:01.223456Z","status":{"status_code":"UNSET"},"attributes":{},"events":[],"links":[],"resource":{"attributes":{"service.name":"shop"},"schema_url":""}}"#,
        "internal 0.223456 took 0.1 by shop in foo trace 4736 span 02b7 | ",
    ),
    (
        "OpenTelemetry's Go SDK on the console",
        r#"{"Name":"Run","SpanContext":{"TraceID":"4bf92f3577b34da6a3ce929d0e0e4736","SpanID":"00f067aa0ba902b7","TraceFlags":"01","TraceState":"","Remote":false},"Parent":{"TraceID":"4bf92f3577b34da6a3ce929d0e0e4736","SpanID":"00f067aa0ba902b9","TraceFlags":"01","TraceState":"","Remote":false},"SpanKind":3,"StartTime":"2026-11-24T23:42:01.123456789+01:00","EndTime":"2026-11-24T23:42:01.223456789+01:00","Attributes":[{"Key":"request.n","Value":{"Type":"STRING","Value":"10"}}],"Events":null,"Links":null,"Status":{"Code":"Error","Description":"bad"},"DroppedAttributes":0,"Resource":[{"Key":"service.name","Value":{"Type":"STRING","Value":"fib"}}],"InstrumentationLibrary":{"Name":"fib"}}"#,
        "client -3599.776543211 failed took 0.1 by fib in Run trace 4736 span 02b7 below 02b9 | bad",
    ),
    (
        "Datadog's traces",
        r#"[[{"trace_id":5188146770730811392,"span_id":67667974448284343,"parent_id":67667974448284344,"name":"web.request","resource":"GET /cart","service":"shop","type":"web","start":1795563721123000000,"duration":12000000,"error":1,"meta":{"error.msg":"boom","span.kind":"server"},"metrics":{"_sampling_priority_v1":1}},{"trace_id":5188146770730811392,"span_id":7,"parent_id":67667974448284343,"name":"db","resource":"SELECT 1","service":"shop","start":1795563721123000000,"duration":1000,"error":0,"meta":{},"metrics":{}}]]"#,
        "server 0.135 failed took 0.012 by shop in GET /cart trace 0000 span 02b7 below 02b8 | boom\ninternal 0.123001 took 0.000001 by shop in SELECT 1 trace 0000 span 0007 below 02b7 | ",
    ),
    (
        "X-Ray",
        r#"{"id":"70de5b6f19ff9a0a","name":"shop","trace_id":"1-581cf771-a006649127e371903a2de979","start_time":1795563721.123,"end_time":1795563721.623,"http":{"response":{"status":503},"request":{"method":"GET"}},"fault":true,"subsegments":[{"id":"53995c3f42cd8ad8","name":"dynamo","namespace":"aws","start_time":1795563721.2,"end_time":1795563721.3,"subsegments":[{"id":"53995c3f42cd8ad9","name":"inner","start_time":1795563721.21,"end_time":1795563721.22}]}]}"#,
        "internal 0.623 failed took 0.5 by shop in shop trace e979 span 9a0a | \ninternal 0.3 took 0.1 by shop in dynamo trace e979 span 8ad8 below 9a0a | \ninternal 0.22 took 0.01 by shop in inner trace e979 span 8ad9 below 8ad8 | ",
    ),
    (
        "a span of OTLP alone",
        r#"{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","parentSpanId":"","name":"GET /cart","kind":2,"startTimeUnixNano":"1795563721123000000","endTimeUnixNano":"1795563721223000000","attributes":[],"status":{"code":2,"message":"boom"}}"#,
        "server 0.223 failed took 0.1 in GET /cart trace 4736 span 02b7 | boom",
    ),
    (
        "a log record in a span, with a duration",
        r#"{"time":"2026-11-24T23:42:01Z","level":"info","msg":"GET /cart","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7","name":"http","duration_ms":12}"#,
        "log 0 info took 0.012 in http trace 4736 span 02b7 | GET /cart",
    ),
    (
        "zap, a duration in seconds",
        r#"{"level":"info","ts":1795563721.1,"msg":"query","duration":0.5}"#,
        "log 0.1 info took 0.5 | query",
    ),
    (
        "a duration that does not say its unit",
        r#"{"level":"info","ts":"2026-11-24T23:42:01Z","msg":"query","duration":0.5}"#,
        "log 0 info | query",
    ),
    (
        ".NET, a duration",
        r#"{"level":"info","time":"2026-11-24T23:42:01Z","msg":"query","duration":"00:00:01.5000000"}"#,
        "log 0 info took 1.5 | query",
    ),
    (
        "a start and an end",
        r#"{"level":"info","msg":"x","start":"2026-11-24T23:42:01Z","end":"2026-11-24T23:42:03Z"}"#,
        "log 2 info took 2 | x",
    ),
    (
        "a status that is none of a request",
        r#"{"status":"ok","message":"health","timestamp":"2026-11-24T23:42:01Z"}"#,
        "log 0 | health",
    ),
];
