//! What stands between the time of a line and its message: a level, a thread, a logger, in the ways of many loggers.

use super::{correlate, level};
use crate::event::{Level, SpanId, TraceId};

/// The text after the separators that stand between the parts of a line's head.
pub(super) fn separators(text: &str) -> &str {
    // A bracket belongs to what comes next, and so does a minus before a digit.
    let rest = text.trim_start_matches([' ', '\t', ':', '|', ',', ';']);
    match rest.strip_prefix('-') {
        Some(after) if after.starts_with([' ', '-', '\t']) => separators(after.trim_start_matches('-')),
        _ => rest,
    }
}

/// What stands between the stamp and the message.
pub(super) struct Head<'a> {
    pub(super) level: Level,
    pub(super) logger: &'a str,
    pub(super) message: &'a str,
    /// Service, trace and span, as Spring Cloud Sleuth writes them behind the level.
    pub(super) sleuth: Option<(&'a str, TraceId, SpanId)>,
    /// A JSON object behind the message; may be empty.
    pub(super) fields: &'a str,
}

/// How many words may stand before the level.
const WORDS_BEFORE: u32 = 4;

/// Find the level near the start of a text. After a stamp, a few words may stand before it (a thread, a process, a
/// logger); without one, only what is in brackets may, lest a word of the message be taken for a level.
pub(super) fn head(text: &str, stamped: bool) -> Option<Head<'_>> {
    let mut rest = separators(text);
    let mut logger = "";
    for position in 0..=WORDS_BEFORE {
        if let Some(closer) = closer(rest) {
            let end = rest.find(closer)?;
            let inner = rest.get(1..end)?;
            let after = rest.get(end + 1..)?;
            let level = bracketed(inner);
            if level != Level::Unset {
                return Some(with_logger(level, logger, after));
            }
            rest = separators(after);
            continue;
        }
        let end = rest.find([' ', '\t', ':', '|', ']', '[', ',', ';', '(']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let level = level::free_word(word.as_bytes());
        let upper = word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        let follows = after.as_bytes().first().copied();
        let postgres = word == "LOG" && follows == Some(b':') && stamped;
        if level != Level::Unset && upper && follows != Some(b'(') || postgres {
            let level = if postgres { Level::Info } else { level };
            return Some(with_logger(level, logger, after));
        }
        if level != Level::Unset && position == 0 {
            // `Error: no such file`: the word is of the message. `info  starting`, after a stamp, is not, nor is a word in
            // a column of its own.
            let taken = stamped && matches!(follows, Some(b' ' | b'\t' | b':'));
            let lower = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
            let column = after.starts_with("  ") || after.starts_with('\t');
            if taken && (lower || column) {
                return Some(with_logger(level, logger, after));
            }
            let whole = Head { level, logger, message: text, sleuth: None, fields: "" };
            return (follows == Some(b':')).then_some(whole);
        }
        if !stamped || word.is_empty() {
            return None;
        }
        if word.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            logger = word;
        }
        rest = separators(after);
    }
    None
}

/// The level that a text begins with, in capitals or in a bracket, and what follows it.
pub(super) fn leading(text: &str) -> Option<(Level, &str)> {
    let (word, after) = match text.as_bytes().first()? {
        b'[' => text[1..].split_once(']')?,
        b'A'..=b'Z' => text.split_at(text.find([' ', '\t', ':'])?),
        _ => return None,
    };
    let upper = word.trim().bytes().all(|byte| byte.is_ascii_uppercase());
    let level = level::free_word(word.trim().as_bytes());
    (upper && level != Level::Unset).then(|| (level, separators(after)))
}

/// What follows a level and a time, in this order.
pub(super) fn behind(level: Level, rest: &str) -> Head<'_> {
    with_logger(level, "", rest)
}

fn closer(text: &str) -> Option<char> {
    match text.as_bytes().first()? {
        b'[' => Some(']'),
        b'(' => Some(')'),
        b'<' => Some('>'),
        _ => None,
    }
}

/// The level in a bracket: `[error]`, `[ WARN]`, `[core:error]`, `[E]`.
fn bracketed(inner: &str) -> Level {
    let word = inner.rsplit(':').next().unwrap_or(inner).trim().as_bytes();
    match word {
        [letter @ (b'T' | b'D' | b'I' | b'W' | b'E' | b'F')] => level::word(&[*letter]),
        // MySQL's.
        b"Note" | b"note" | b"NOTE" | b"System" => Level::Info,
        _ => level::free_word(word),
    }
}

/// What follows the level: a thread in brackets, a logger, the message.
fn with_logger<'a>(level: Level, before: &'a str, after: &'a str) -> Head<'a> {
    let mut head = Head { level, logger: "", message: "", sleuth: None, fields: "" };
    if let Some(cells) = after.strip_prefix('\t')
        && tabbed(cells, &mut head)
    {
        return head;
    }
    if let Some((logger, message)) = python(after) {
        return Head { logger, message, ..head };
    }
    let mut message = separators(after.strip_prefix([']', ')']).unwrap_or(after));
    if message.starts_with('[')
        && memchr::memchr(b',', message.as_bytes()).is_some()
        && let Some((inner, tail)) = message[1..].split_once(']')
        && let Some(found) = correlate::sleuth(inner)
    {
        head.sleuth = Some(found);
        message = separators(tail);
    }
    // Spring Boot: `INFO 12345 --- [main] c.e.Logger : message`.
    let pid = message.bytes().take_while(u8::is_ascii_digit).count();
    if pid > 0
        && let Some(tail) = message[pid..].strip_prefix(" --- ")
    {
        message = tail;
    }
    let mut tail = message;
    let mut inside = "";
    while tail.starts_with('[')
        && let Some(end) = memchr::memchr(b']', tail.as_bytes())
    {
        let (inner, after) = (&tail[1..end], &tail[end + 1..]);
        inside = inner;
        tail = separators(after);
        // Elasticsearch's logger stands in a bracket itself; Spring names the application in one before the thread's.
        if let Some(logger) = in_bracket(inner) {
            return Head { logger, message: tail, ..head };
        }
        if !message.starts_with('[') || !tail.starts_with('[') || tail.starts_with("[]") {
            break;
        }
    }
    if let Some((logger, rest)) = dotted(tail, !inside.is_empty()) {
        return Head { logger, message: rest, ..head };
    }
    // Kafka's loggers stand behind the message.
    if message.ends_with(')')
        && let Some((text, logger)) = message.strip_suffix(')').and_then(|text| text.rsplit_once(" ("))
        && is_dotted(logger)
    {
        return Head { logger, message: text, ..head };
    }
    head.logger = if before.contains('.') || after.starts_with(" - ") { before } else { "" };
    Head { message, ..head }
}

/// The logger in a bracket: `o.e.n.Node               `, `main:QuorumPeerConfig@124` (of `ZooKeeper`).
fn in_bracket(inner: &str) -> Option<&str> {
    let name = inner.trim_end();
    if is_dotted(name) && inner.len() > 8 {
        return Some(name);
    }
    let (place, line) = name.rsplit_once('@')?;
    let number = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| place.rsplit(':').next().unwrap_or(place))
}

/// Whether a text is a logger with its package and nothing else: `kafka.server.KafkaServer`.
fn is_dotted(text: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'))
    };
    text.contains('.') && text.split('.').all(part)
}

/// `:root:message`, as Python's `logging` writes it unless told otherwise: what follows the level.
fn python(after: &str) -> Option<(&str, &str)> {
    let rest = after.strip_prefix(':')?;
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let (logger, message) = rest.split_at(rest.find(|c| !name(c))?);
    let message = message.strip_prefix(':')?;
    let starts = logger.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (starts && !message.starts_with(':')).then_some((logger, message.trim_start()))
}

/// The cells that zap's console encoder writes: a logger, a place in the source, the message, fields as JSON; only the
/// message is always there.
fn tabbed<'a>(cells: &'a str, head: &mut Head<'a>) -> bool {
    let mut rest = cells;
    let place = |cell: &str| cell.rsplit_once(".go:").is_some_and(|(_, line)| line.bytes().all(|b| b.is_ascii_digit()));
    while let Some((cell, after)) = rest.split_once('\t') {
        if place(cell) {
            if head.logger.is_empty() {
                head.logger = cell.rsplit_once(':').map_or(cell, |(file, _)| file);
            }
        } else if is_logger(cell) && after.contains('\t') || is_logger(cell) && !after.starts_with('{') {
            head.logger = cell;
        } else {
            break;
        }
        rest = after;
    }
    let (message, fields) = match rest.rsplit_once('\t') {
        Some((message, fields)) if fields.starts_with('{') && fields.ends_with('}') => (message, fields),
        _ => (rest, ""),
    };
    (head.message, head.fields) = (message, fields);
    cells.contains('\t') || !fields.is_empty()
}

fn is_logger(cell: &str) -> bool {
    !cell.is_empty()
        && cell.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/'))
}

/// A logger such as `com.example.Orders`, `o.e.Orders#42`, `orders.service:42` or `orders::service` at the start of a
/// text, without its line number; and what follows it. Behind a thread, it may stand alone.
fn dotted(text: &str, threaded: bool) -> Option<(&str, &str)> {
    let text = without_spans(text);
    let bytes = text.as_bytes();
    let mut end = 0;
    let mut joints = 0;
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'.' => joints += 1,
            b':' if bytes.get(end + 1) == Some(&b':') && bytes.get(end + 2).is_some_and(u8::is_ascii_alphabetic) => {
                joints += 1;
                end += 1;
            }
            _ if byte.is_ascii_alphanumeric() || matches!(byte, b'$' | b'_') => {}
            _ => break,
        }
        end += 1;
        if end >= 100 {
            return None;
        }
    }
    let (logger, mut after) = text.split_at_checked(end)?;
    let plausible = logger.starts_with(|c: char| c.is_ascii_alphabetic())
        && joints > 0
        && !logger.ends_with('.')
        && !logger.contains("..");
    if !plausible || after.is_empty() {
        return None;
    }
    if let Some(place) = after.strip_prefix(['#', ':']) {
        let digits = place.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            after = place.get(digits..)?;
        } else if after.starts_with('#') {
            return None;
        }
    } else if let Some(message) = after.strip_prefix("] ") {
        // env_logger has all but the message in one bracket.
        after = message;
    } else if !(after.trim_start().starts_with(['-', ':', '|']) || threaded && joints >= 2 && has_class(logger)) {
        // A word with a dot in it, as in `reading config.toml failed`.
        return None;
    }
    Some((logger, separators(after)))
}

/// Whether a part of a dotted name starts as classes do: `org.apache.catalina.core.StandardService.startInternal`.
fn has_class(logger: &str) -> bool {
    logger.split('.').any(|part| part.starts_with(|c: char| c.is_ascii_uppercase()))
}

/// The text behind the spans that Rust's tracing writes in front: `request{id=1}:query{table=users}: shop::orders: …`.
fn without_spans(text: &str) -> &str {
    let mut rest = text;
    loop {
        let name =
            rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':')).count();
        if name == 0 || rest.as_bytes().get(name) != Some(&b'{') {
            return rest.strip_prefix(' ').unwrap_or(rest);
        }
        match rest.split_once("}:") {
            Some((_, after)) => rest = after,
            None => return text,
        }
    }
}

/// Whether a line starts as `java.util.logging` has it, with a clock of twelve hours: `Nov 24, 2026 11:42:01 PM`.
pub(super) fn twelve_hours(text: &str) -> bool {
    let near = text.as_bytes().get(..32).unwrap_or(text.as_bytes());
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && memchr::memchr_iter(b'M', near).any(|at| at > 16 && matches!(near.get(at - 1), Some(b'A' | b'P')))
}

/// Whether a text is a class and its method, and nothing else.
pub(super) fn class_and_method(text: &str) -> bool {
    let Some((class, method)) = text.split_once(' ') else { return false };
    is_dotted(class) && !method.contains(' ') && !method.is_empty()
}
