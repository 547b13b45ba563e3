//! Spans and log records, and the OTLP/JSON lines that a host holds of them.

use std::fmt::Write;

use crate::carried;
use crate::system::Instance;

/// A process that spans and logs come from.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its service, by place.
    pub service: usize,
    /// Of which version.
    pub version: String,
    /// Where it runs.
    pub instance: Instance,
    /// The attributes of its resource, as JSON.
    resource: String,
    /// Nanoseconds that its clock is ahead.
    pub skew: i64,
    /// Seconds between its exports.
    pub export: i64,
    /// Nanoseconds since the epoch at which it began; 0 if it was there before.
    pub from: i64,
    /// Nanoseconds since the epoch at which it ended; the largest number if it does not.
    pub until: i64,
}

impl Process {
    /// A process of a service.
    #[must_use]
    pub fn new(service: usize, name: &str, version: &str, instance: &Instance, from: i64) -> Self {
        let attributes = [
            ("service.name", name),
            ("service.version", version),
            ("service.instance.id", &instance.id),
            ("host.name", &instance.host),
        ];
        let attributes: Vec<String> = attributes
            .iter()
            .map(|(key, value)| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#))
            .collect();
        let resource = format!(r#"{{"attributes":[{}]}}"#, attributes.join(","));
        Self {
            service,
            version: version.to_owned(),
            instance: instance.clone(),
            resource,
            skew: instance.skew,
            export: instance.export,
            from,
            until: i64::MAX,
        }
    }
}

/// A span or a log record.
#[derive(Clone, Debug)]
pub enum Record<'a> {
    /// A span.
    Span(Span<'a>),
    /// A log record.
    Log(Log),
}

/// A span.
#[derive(Clone, Debug)]
pub struct Span<'a> {
    /// Trace id.
    pub trace: [u64; 2],
    /// Span id.
    pub id: u64,
    /// The parent's; 0 at the root.
    pub parent: u64,
    /// The process it is of, by place.
    pub process: usize,
    /// What was done.
    pub name: &'a str,
    /// OTLP's number: 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    pub kind: u8,
    /// Nanoseconds since the epoch.
    pub start: i64,
    /// Nanoseconds since the epoch.
    pub end: i64,
    /// What its status says if it failed.
    pub failed: Option<Box<str>>,
}

/// A log record.
#[derive(Clone, Debug)]
pub struct Log {
    /// Nanoseconds since the epoch.
    pub at: i64,
    /// Trace id, zeros if it has none.
    pub trace: [u64; 2],
    /// The span it was written in, 0 if it was in none.
    pub span: u64,
    /// The process that wrote it, by place.
    pub process: usize,
    /// OpenTelemetry's `SeverityNumber`.
    pub severity: u8,
    /// The text.
    pub body: String,
}

impl Record<'_> {
    /// The process it is of, by place.
    #[must_use]
    pub const fn process(&self) -> usize {
        match self {
            Self::Span(span) => span.process,
            Self::Log(log) => log.process,
        }
    }

    /// With its times as a clock has them that is so many nanoseconds ahead.
    #[must_use]
    pub fn by_clock(mut self, skew: i64) -> Self {
        match &mut self {
            Self::Span(span) => (span.start, span.end) = (span.start + skew, span.end + skew),
            Self::Log(log) => log.at += skew,
        }
        self
    }
}

/// What arrived as OTLP/JSON: requests of spans, and requests of log records, one a line and process.
#[must_use]
pub fn text(records: &[Record<'_>], processes: &[Process]) -> (String, String) {
    let mut order: Vec<usize> = (0..records.len()).collect();
    order.sort_by_key(|&i| records[i].process());
    let (mut spans, mut logs) = (String::new(), String::new());
    for batch in order.chunk_by(|&a, &b| records[a].process() == records[b].process()) {
        let resource = &processes[records[batch[0]].process()].resource;
        let (open_spans, open_logs) = (spans.len(), logs.len());
        for &i in batch {
            match &records[i] {
                Record::Span(span) => {
                    next(&mut spans, open_spans, resource, ["resourceSpans", "scopeSpans", "spans"]);
                    write_span(&mut spans, span);
                }
                Record::Log(log) => {
                    next(&mut logs, open_logs, resource, ["resourceLogs", "scopeLogs", "logRecords"]);
                    write_log(&mut logs, log);
                }
            }
        }
        for (out, open) in [(&mut spans, open_spans), (&mut logs, open_logs)] {
            if out.len() > open {
                *out += "]}]}]}\n";
            }
        }
    }
    (spans, logs)
}

fn next(out: &mut String, open: usize, resource: &str, [outer, scope, inner]: [&str; 3]) {
    if out.len() > open {
        out.push(',');
    } else {
        let _ = write!(out, r#"{{"{outer}":[{{"resource":{resource},"{scope}":[{{"scope":{{}},"{inner}":["#);
    }
}

fn write_span(out: &mut String, span: &Span<'_>) {
    let Span { trace: [high, low], id, parent, name, kind, start, end, failed, .. } = span;
    let _ = write!(out, r#"{{"traceId":"{high:016x}{low:016x}","spanId":"{id:016x}","parentSpanId":""#);
    if *parent != 0 {
        let _ = write!(out, "{parent:016x}");
    }
    let _ = write!(
        out,
        r#"","name":"{name}","kind":{kind},"startTimeUnixNano":"{start}","endTimeUnixNano":"{end}","attributes":["#
    );
    for (i, (key, value)) in carried::attributes(span.trace, name).into_iter().enumerate() {
        let comma = if i > 0 { "," } else { "" };
        let _ = write!(out, r#"{comma}{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#);
    }
    *out += r#"],"status":"#;
    match failed {
        Some(message) => {
            let _ = write!(out, r#"{{"code":2,"message":"{message}"}}}}"#);
        }
        None => *out += "{}}",
    }
}

fn write_log(out: &mut String, log: &Log) {
    let Log { at, trace: [high, low], span, severity, body, .. } = log;
    let level = match severity {
        17 => "ERROR",
        13 => "WARN",
        _ => "INFO",
    };
    let _ = write!(
        out,
        r#"{{"timeUnixNano":"{at}","observedTimeUnixNano":"{at}","severityNumber":{severity},"severityText":"{level}","body":{{"stringValue":"{body}"}}"#
    );
    if *low != 0 {
        let _ = write!(out, r#","traceId":"{high:016x}{low:016x}","spanId":"{span:016x}""#);
    }
    out.push('}');
}
