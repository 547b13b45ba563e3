//! What loggers call their fields: the one place for such names.

/// What a field of a log line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// When.
    Time,
    /// How grave, in a word or on a scale that must be guessed.
    Level,
    /// How grave, on the scale of syslog, OpenTelemetry, Python's `logging` or logback.
    Syslog,
    Otlp,
    Python,
    Logback,
    /// What happened.
    Message,
    /// What happened, as a program wrote it to its output: it may say more about itself than the field around it.
    Output,
    /// Which part of the program wrote it.
    Logger,
    /// A program or a logger, depending on the fields beside it.
    Name,
    /// Which program wrote it.
    Service,
    /// The systemd unit that wrote it.
    Unit,
    /// Which trace and which spans it belongs to.
    Trace,
    Span,
    Parent,
    /// The same, in decimal numbers.
    DecimalTrace,
    DecimalSpan,
    /// `traceparent` of W3C Trace Context: trace and span in one.
    Traceparent,
    /// What went wrong.
    Error,
    /// How long it took, in nanoseconds, microseconds, milliseconds or seconds, or with a unit in the value.
    Nanoseconds,
    Microseconds,
    Milliseconds,
    Seconds,
    Duration,
    /// A request's status, method and target.
    Status,
    Method,
    Target,
    /// A span's role, start and end.
    Kind,
    Start,
    End,
    /// What a span is of, in preference to its name.
    Operation,
    /// An id of its own, which is that of a span if it is one.
    Id,
    /// What was done, which stands for the message of a record that has none.
    Action,
    /// Nanoseconds within the second of the time.
    Nanos,
    /// Records that were shipped together, or the parts of one.
    Batch,
    /// The output that a container's line was written to.
    Stream,
    /// That it is there tells what others mean; its rank is one of the signs below.
    Sign,
}

/// Beside both of them, `name` is a program's.
pub(super) const HOST: u8 = 1;
pub(super) const PID: u8 = 2;
/// A bare duration is in milliseconds, or in nanoseconds.
pub(super) const MILLISECONDS: u8 = 4;
pub(super) const NANOSECONDS: u8 = 8;
/// Beside both of them, levels go up from 0, in Nextcloud.
pub(super) const REQUEST: u8 = 16;
pub(super) const REMOTE: u8 = 32;

/// Names and what they mean, with a rank among the fields that mean the same: the lowest is believed. In lower case,
/// without `_`, `-`, `@` and blanks; a dot stands before a key of a nested object. Sorted.
const NAMES: &[(&str, Field, u8)] = &[
    ("action", Field::Action, 4),
    ("app", Field::Service, 3),
    ("appid", Field::Service, 5),
    ("application", Field::Service, 3),
    ("applicationname", Field::Service, 3),
    ("appname", Field::Service, 3),
    ("asctime", Field::Time, 1),
    ("attr.durationmillis", Field::Milliseconds, 0),
    ("body", Field::Message, 5),
    ("c", Field::Logger, 6),
    ("category", Field::Logger, 4),
    ("channel", Field::Logger, 4),
    ("code", Field::Status, 6),
    ("comm", Field::Service, 7),
    ("component", Field::Logger, 4),
    ("container.name", Field::Service, 6),
    ("containername", Field::Service, 6),
    ("context.spanid", Field::Span, 1),
    ("context.traceid", Field::Trace, 1),
    ("controller", Field::Logger, 6),
    ("created", Field::Time, 5),
    ("createdat", Field::Time, 5),
    ("date", Field::Time, 3),
    ("datetime", Field::Time, 1),
    ("dd.service", Field::Service, 1),
    ("dd.spanid", Field::DecimalSpan, 2),
    ("dd.traceid", Field::DecimalTrace, 2),
    ("downstreamcontentsize", Field::Sign, NANOSECONDS),
    ("downstreamstatus", Field::Status, 1),
    ("duration", Field::Duration, 5),
    ("durationmicros", Field::Microseconds, 0),
    ("durationmicroseconds", Field::Microseconds, 0),
    ("durationmillis", Field::Milliseconds, 0),
    ("durationmilliseconds", Field::Milliseconds, 0),
    ("durationms", Field::Milliseconds, 0),
    ("durationnanos", Field::Nanoseconds, 0),
    ("durationns", Field::Nanoseconds, 0),
    ("durations", Field::Seconds, 1),
    ("durationsec", Field::Seconds, 0),
    ("durationseconds", Field::Seconds, 0),
    ("durationsecs", Field::Seconds, 0),
    ("durationus", Field::Microseconds, 0),
    ("elapsed", Field::Duration, 5),
    ("elapsedmicros", Field::Microseconds, 1),
    ("elapsedmillis", Field::Milliseconds, 1),
    ("elapsedmilliseconds", Field::Milliseconds, 1),
    ("elapsedms", Field::Milliseconds, 1),
    ("elapsednanos", Field::Nanoseconds, 1),
    ("elapsedns", Field::Nanoseconds, 1),
    ("elapsedseconds", Field::Seconds, 1),
    ("elapsedus", Field::Microseconds, 1),
    ("end", Field::End, 3),
    ("endtime", Field::End, 1),
    ("endtimems", Field::End, 1),
    ("endtimens", Field::End, 1),
    ("endtimestamp", Field::End, 2),
    ("endtimeunixnano", Field::End, 0),
    ("endtimeus", Field::End, 1),
    ("endutc", Field::End, 2),
    ("epoch", Field::Time, 4),
    ("epochmillis", Field::Time, 3),
    ("epochms", Field::Time, 3),
    ("err", Field::Error, 1),
    ("err.message", Field::Error, 0),
    ("err.msg", Field::Error, 0),
    ("error", Field::Error, 1),
    ("error.message", Field::Error, 0),
    ("error.msg", Field::Error, 0),
    ("errorcode", Field::Error, 4),
    ("errormessage", Field::Error, 0),
    ("errorseverity", Field::Level, 0),
    ("event", Field::Message, 2),
    ("event.duration", Field::Nanoseconds, 2),
    ("eventname", Field::Action, 0),
    ("eventsource", Field::Service, 6),
    ("eventtime", Field::Time, 2),
    ("eventtype", Field::Action, 3),
    ("exc", Field::Error, 3),
    ("exception", Field::Error, 2),
    ("exception.message", Field::Error, 0),
    ("fault", Field::Error, 4),
    ("finishedat", Field::End, 3),
    ("fullmessage", Field::Message, 3),
    ("host", Field::Sign, HOST),
    ("hostname", Field::Sign, HOST),
    ("http.method", Field::Method, 1),
    ("http.req.method", Field::Method, 1),
    ("http.req.path", Field::Target, 1),
    ("http.request.method", Field::Method, 0),
    ("http.resp.status", Field::Status, 1),
    ("http.resp.tookms", Field::Milliseconds, 2),
    ("http.response.statuscode", Field::Status, 0),
    ("http.statuscode", Field::Status, 1),
    ("http.target", Field::Target, 1),
    ("http.url", Field::Target, 2),
    ("httprequest.latency", Field::Duration, 1),
    ("httprequest.requestmethod", Field::Method, 1),
    ("httprequest.requesturl", Field::Target, 1),
    ("httprequest.status", Field::Status, 1),
    ("httpstatus", Field::Status, 1),
    ("httpstatuscode", Field::Status, 1),
    ("id", Field::Id, 0),
    ("instant.epochsecond", Field::Time, 1),
    ("instant.nanoofsecond", Field::Nanos, 0),
    ("kind", Field::Kind, 2),
    ("kubernetes.container.name", Field::Service, 4),
    ("kubernetes.containername", Field::Service, 4),
    ("kubernetes.labels.app", Field::Service, 3),
    ("kubernetes.labels.app.kubernetes.io/name", Field::Service, 3),
    ("l", Field::Level, 5),
    ("latency", Field::Duration, 5),
    ("latencyhuman", Field::Duration, 4),
    ("latencymicros", Field::Microseconds, 1),
    ("latencymillis", Field::Milliseconds, 1),
    ("latencyms", Field::Milliseconds, 1),
    ("latencyns", Field::Nanoseconds, 1),
    ("latencyseconds", Field::Seconds, 1),
    ("latencyus", Field::Microseconds, 1),
    ("level", Field::Level, 2),
    ("level.name", Field::Level, 0),
    ("levelname", Field::Level, 0),
    ("levelno", Field::Python, 4),
    ("levelvalue", Field::Logback, 4),
    ("log", Field::Output, 6),
    ("log.level", Field::Level, 0),
    ("log.logger", Field::Logger, 0),
    ("logevents", Field::Batch, 0),
    ("logger", Field::Logger, 1),
    ("logger.name", Field::Logger, 1),
    ("loggername", Field::Logger, 1),
    ("logging.googleapis.com/spanid", Field::Span, 2),
    ("logging.googleapis.com/trace", Field::Trace, 2),
    ("loggroup", Field::Service, 6),
    ("loglevel", Field::Level, 1),
    ("logmessage", Field::Message, 2),
    ("logtime", Field::Time, 1),
    ("lvl", Field::Level, 1),
    ("m", Field::Message, 3),
    ("message", Field::Message, 0),
    ("messagetemplate", Field::Message, 4),
    ("meta.error.message", Field::Error, 0),
    ("meta.error.msg", Field::Error, 0),
    ("meta.span.kind", Field::Kind, 0),
    ("method", Field::Method, 2),
    ("methodname", Field::Action, 1),
    ("metrics.durationms", Field::Milliseconds, 1),
    ("module", Field::Logger, 5),
    ("msg", Field::Message, 0),
    ("mt", Field::Message, 4),
    ("name", Field::Name, 0),
    ("operation", Field::Action, 2),
    ("operationname", Field::Action, 0),
    ("otelcol.component.id", Field::Logger, 5),
    ("otelspanid", Field::Span, 1),
    ("oteltraceid", Field::Trace, 1),
    ("output", Field::Message, 12),
    ("parent.id", Field::Parent, 1),
    ("parent.spanid", Field::Parent, 1),
    ("parentid", Field::Parent, 1),
    ("parentspanid", Field::Parent, 0),
    ("path", Field::Target, 3),
    ("pid", Field::Sign, PID),
    ("podname", Field::Service, 8),
    ("priority", Field::Syslog, 3),
    ("program", Field::Service, 4),
    ("protopayload.methodname", Field::Action, 0),
    ("protopayload.servicename", Field::Service, 6),
    ("protopayload.status.message", Field::Error, 1),
    ("realtimetimestamp", Field::Time, 2),
    ("records", Field::Batch, 0),
    ("remoteaddr", Field::Sign, REMOTE),
    ("renderedmessage", Field::Message, 1),
    ("req.method", Field::Method, 1),
    ("req.url", Field::Target, 1),
    ("reqid", Field::Sign, REQUEST),
    ("request", Field::Message, 7),
    ("request.method", Field::Method, 1),
    ("request.operation", Field::Method, 1),
    ("request.path", Field::Target, 1),
    ("request.uri", Field::Target, 1),
    ("request.url", Field::Target, 1),
    ("requestdurationms", Field::Milliseconds, 1),
    ("requestmethod", Field::Method, 2),
    ("requestpath", Field::Target, 2),
    ("requestreceivedtimestamp", Field::Start, 0),
    ("requesttime", Field::Seconds, 4),
    ("requesturi", Field::Target, 2),
    ("res.statuscode", Field::Status, 1),
    ("resource", Field::Operation, 1),
    ("resource.attributes.service.name", Field::Service, 0),
    ("resource.labels.containername", Field::Service, 5),
    ("resource.labels.functionname", Field::Service, 5),
    ("resource.labels.moduleid", Field::Service, 5),
    ("resource.labels.servicename", Field::Service, 4),
    ("resource.service.name", Field::Service, 2),
    ("response.status", Field::Status, 1),
    ("response.statuscode", Field::Status, 1),
    ("responsecode", Field::Status, 1),
    ("responsedurationms", Field::Milliseconds, 2),
    ("responseflags", Field::Sign, MILLISECONDS),
    ("responsestatus.code", Field::Status, 1),
    ("responsetime", Field::Milliseconds, 4),
    ("responsetimems", Field::Milliseconds, 2),
    ("resulttype", Field::Status, 5),
    ("routername", Field::Sign, NANOSECONDS),
    ("rule", Field::Action, 6),
    ("s", Field::Level, 6),
    ("service", Field::Service, 1),
    ("service.name", Field::Service, 0),
    ("servicename", Field::Service, 0),
    ("severity", Field::Level, 1),
    ("severitynumber", Field::Otlp, 3),
    ("severitytext", Field::Level, 1),
    ("shortmessage", Field::Message, 1),
    ("source.realtimetimestamp", Field::Time, 1),
    ("sourcecontext", Field::Logger, 2),
    ("sourcerealtimetimestamp", Field::Time, 1),
    ("sp", Field::Span, 3),
    ("span.id", Field::Span, 1),
    ("span.kind", Field::Kind, 0),
    ("spancontext.spanid", Field::Span, 1),
    ("spancontext.traceid", Field::Trace, 1),
    ("spanid", Field::Span, 0),
    ("spankind", Field::Kind, 0),
    ("stagetimestamp", Field::End, 0),
    ("start", Field::Start, 3),
    ("startedat", Field::Start, 3),
    ("starttime", Field::Start, 1),
    ("starttimems", Field::Start, 1),
    ("starttimens", Field::Start, 1),
    ("starttimestamp", Field::Start, 2),
    ("starttimeunixnano", Field::Start, 0),
    ("starttimeus", Field::Start, 1),
    ("startutc", Field::Start, 2),
    ("status", Field::Status, 3),
    ("status.code", Field::Status, 1),
    ("status.description", Field::Error, 2),
    ("status.message", Field::Error, 2),
    ("status.statuscode", Field::Status, 1),
    ("statuscode", Field::Status, 2),
    ("stream", Field::Stream, 0),
    ("subsegments", Field::Batch, 2),
    ("syslogidentifier", Field::Service, 4),
    ("systemdunit", Field::Unit, 0),
    ("t", Field::Time, 4),
    ("t.$date", Field::Time, 0),
    ("target", Field::Logger, 3),
    ("text", Field::Message, 11),
    ("textpayload", Field::Output, 4),
    ("thrown.message", Field::Error, 0),
    ("time", Field::Time, 0),
    ("time.$date", Field::Time, 0),
    ("time.timestamp", Field::Time, 1),
    ("timegenerated", Field::Time, 2),
    ("timeiso8601", Field::Time, 1),
    ("timelocal", Field::Time, 2),
    ("timemillis", Field::Time, 2),
    ("timems", Field::Time, 2),
    ("timenano", Field::Time, 2),
    ("timens", Field::Time, 2),
    ("timestamp", Field::Time, 0),
    ("timestamp.$date", Field::Time, 0),
    ("timestamp.nanos", Field::Nanos, 0),
    ("timestamp.seconds", Field::Time, 0),
    ("timestampms", Field::Time, 0),
    ("timestamputc", Field::Time, 1),
    ("took", Field::Duration, 5),
    ("tookmillis", Field::Milliseconds, 1),
    ("tookms", Field::Milliseconds, 1),
    ("tr", Field::Trace, 3),
    ("trace", Field::Trace, 3),
    ("trace.id", Field::Trace, 1),
    ("traceid", Field::Trace, 0),
    ("traceparent", Field::Traceparent, 4),
    ("transaction.id", Field::Span, 4),
    ("ts", Field::Time, 0),
    ("type", Field::Action, 5),
    ("upstreamcluster", Field::Sign, MILLISECONDS),
    ("uri", Field::Target, 2),
    ("url", Field::Target, 2),
    ("url.path", Field::Target, 1),
    ("verb", Field::Method, 3),
    ("view", Field::Sign, MILLISECONDS),
    ("x", Field::Error, 4),
    ("xb3spanid", Field::Span, 3),
    ("xb3traceid", Field::Trace, 3),
];

/// Objects whose fields are looked at under the object's name.
const NESTED: &[&str] = &[
    "attr",
    "container",
    "context",
    "dd",
    "err",
    "error",
    "event",
    "exception",
    "http",
    "http.req",
    "http.request",
    "http.resp",
    "http.response",
    "httprequest",
    "instant",
    "kubernetes",
    "kubernetes.container",
    "kubernetes.labels",
    "level",
    "log",
    "logger",
    "meta",
    "metrics",
    "parent",
    "protopayload",
    "protopayload.status",
    "req",
    "request",
    "res",
    "resource",
    "resource.attributes",
    "resource.labels",
    "response",
    "responsestatus",
    "service",
    "span",
    "spancontext",
    "status",
    "t",
    "thrown",
    "time",
    "timestamp",
    "trace",
    "transaction",
    "url",
];

/// Objects whose fields are looked at as if they stood outside, and believed less than those that do.
const TRANSPARENT: &[&str] =
    &["attributes", "contextmap", "data", "extra", "fields", "jsonpayload", "mdc", "payload", "properties", "record"];

/// Slots of the hash table: a power of two, several times the number of names.
const SLOTS: usize = 1024;

/// Indices into [`NAMES`], plus one, by the hash of the name; the next slot where one is taken. Made by the compiler.
static INDEX: [u16; SLOTS] = {
    let mut index = [0; SLOTS];
    let mut at = 0;
    while at < NAMES.len() {
        let name = NAMES[at].0.as_bytes();
        let mut hash = SEED;
        let mut byte = 0;
        while byte < name.len() {
            hash = mix(hash, name[byte]);
            byte += 1;
        }
        let mut slot = slot(hash);
        while index[slot] != 0 {
            slot = (slot + 1) % SLOTS;
        }
        // There are far fewer names than that.
        #[allow(clippy::cast_possible_truncation)]
        let entry = at as u16 + 1;
        index[slot] = entry;
        at += 1;
    }
    index
};

const SEED: u32 = 0x811C_9DC5;

/// One step of FNV-1a (Fowler, Noll, Vo).
const fn mix(hash: u32, byte: u8) -> u32 {
    (hash ^ byte as u32).wrapping_mul(0x0100_0193)
}

const fn slot(hash: u32) -> usize {
    (hash ^ hash >> 15) as usize % SLOTS
}

/// What a field of this name says, and its rank.
#[inline]
#[must_use]
pub(super) fn field(name: &Name) -> Option<(Field, u8)> {
    let mut slot = slot(name.hash);
    loop {
        let entry = NAMES.get(usize::from(INDEX[slot]).checked_sub(1)?)?;
        if entry.0.as_bytes() == name.as_bytes() {
            return Some((entry.1, entry.2));
        }
        slot = (slot + 1) % SLOTS;
    }
}

/// Whether a field of this name is what the event itself is made of: its time, its text, its severity, its ids, not more.
#[must_use]
pub fn is_field(key: &str) -> bool {
    use Field as F;
    Name::ROOT.then(key.as_bytes()).and_then(|name| field(&name)).is_some_and(|(field, _)| {
        !matches!(
            field,
            F::Error | F::Status | F::Method | F::Target | F::Logger | F::Unit | F::Action | F::Stream | F::Sign
        )
    })
}

/// Whether the fields of an object of this name are looked at; if so, whether under its name.
#[must_use]
pub(super) fn nested(name: &[u8]) -> Option<bool> {
    let among = |names: &[&str]| names.binary_search_by(|known| known.as_bytes().cmp(name)).is_ok();
    if among(NESTED) {
        Some(true)
    } else if among(TRANSPARENT) {
        Some(false)
    } else {
        None
    }
}

/// The longest name that is looked at, in bytes.
const LONGEST: usize = 48;

/// A field's name, in the form of the tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    bytes: [u8; LONGEST],
    length: usize,
    hash: u32,
}

impl Name {
    /// The name of the fields at the top.
    pub(super) const ROOT: Self = Self { bytes: [0; LONGEST], length: 0, hash: SEED };

    /// The name of a field within this one; `None` if it is too long to be in a table.
    #[inline]
    #[must_use]
    pub(super) fn then(&self, key: &[u8]) -> Option<Self> {
        let mut name = *self;
        if key.len() + 1 > LONGEST - name.length {
            return None;
        }
        if name.length > 0 {
            name.push(b'.');
        }
        for &byte in key {
            if !matches!(byte, b'_' | b'-' | b'@' | b' ') {
                name.push(byte.to_ascii_lowercase());
            }
        }
        Some(name)
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
            self.hash = mix(self.hash, byte);
        }
    }

    /// As the tables have it.
    #[inline]
    #[must_use]
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
        assert!(NESTED.is_sorted_by(|a, b| a < b));
        assert!(TRANSPARENT.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn every_name_is_found_and_no_other() {
        for (text, what, rank) in NAMES {
            let name = Name::ROOT.then(text.as_bytes());
            assert_eq!(name.and_then(|name| field(&name)), Some((*what, *rank)), "{text}");
        }
        for text in
            ["", "levels", "user_id", "an.unknown.name", "a_name_that_is_too_long_to_stand_in_any_of_the_tables"]
        {
            assert_eq!(Name::ROOT.then(text.as_bytes()).and_then(|name| field(&name)), None, "{text}");
        }
    }

    #[test]
    fn name_is_found_however_it_is_spelled() {
        for key in ["traceId", "trace_id", "TraceID", "trace-id"] {
            assert_eq!(Name::ROOT.then(key.as_bytes()).and_then(|name| field(&name)), Some((Field::Trace, 0)));
        }
        let nested = Name::ROOT.then(b"log").and_then(|name| name.then(b"level"));
        assert_eq!(nested.and_then(|name| field(&name)), Some((Field::Level, 0)));
    }
}
