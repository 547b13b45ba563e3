//! What stands around lines, or in front of their message, in the ways of one program or another.

use std::borrow::Cow;

use super::{Context, level, sql, time};
use crate::event::{Event, Level};

/// `web-1  | message`, as docker compose shows lines.
pub(super) fn compose(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))?;
    let (name, after) = text.split_at(end);
    // A blank line was trimmed.
    let blank = after.strip_suffix('|').is_some_and(|pad| pad.len() > 1 && pad.bytes().all(|byte| byte == b' '));
    let after = if blank { "" } else { after.trim_start_matches(' ').strip_prefix("| ")? };
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
    (starts && level::free_word(name.as_bytes()) == Level::Unset).then_some((name, after.trim_start()))
}

/// `stdout F message`, as the container runtime interface writes lines behind the time.
pub(super) fn container_stream(text: &str) -> Option<&str> {
    let after = text.strip_prefix("stdout ").or_else(|| text.strip_prefix("stderr "))?;
    // A blank line was trimmed.
    after
        .strip_prefix("F ")
        .or_else(|| after.strip_prefix("P "))
        .or_else(|| after.strip_prefix('F').filter(|rest| rest.is_empty()))
}

/// `1:M 24 Nov 2026 23:42:01.123 * message`, as Redis writes lines: what follows the process and its role.
pub(super) fn redis(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let pid = bytes.iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
    match bytes.get(pid..)? {
        [b':', b'C' | b'M' | b'S' | b'X', b' ', b'0'..=b'9', ..] if pid > 0 => text.get(pid + 3..),
        _ => None,
    }
}

/// The mark with which Redis says how grave a message is, and the message.
pub(super) fn redis_mark(text: &str) -> Option<(Level, &str)> {
    let (mark, message) = text.split_once(' ')?;
    let level = match mark {
        "." | "-" => Level::Debug,
        "*" => Level::Info,
        "#" => Level::Warn,
        _ => return None,
    };
    Some((level, message))
}

/// `[   12.345678] message`: seconds since the kernel started, which say nothing of when that was; `kern  :warn  : ` before
/// it where `dmesg` decodes what the kernel says of a message. The level, and what follows.
pub(super) fn boot_time(text: &str) -> Option<(Level, &str)> {
    if !text.starts_with('[') {
        let (decoded, _) = text.get(..32).unwrap_or(text).split_once(": [")?;
        let (facility, word) = decoded.split_once(':')?;
        let known = matches!(facility.trim_end(), "kern" | "user" | "daemon" | "auth" | "syslog");
        let level = level::word(word.as_bytes());
        let rest = &text[text.len().min(decoded.len() + 2)..];
        return boot_time(rest).filter(|_| known && level != Level::Unset).map(|(_, rest)| (level, rest));
    }
    let inner = text.strip_prefix('[')?.trim_start_matches(' ');
    let (number, after) = inner.split_once(']')?;
    let (seconds, fraction) = number.split_once('.')?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (digits(seconds) && digits(fraction)).then_some((Level::Unset, after.trim_start_matches(' ')))
}

/// `I1124 23:42:01.123456    1 server.go:12] message`, as glog and klog write lines; newer ones write the year too.
pub(super) fn glog<'a>(text: &'a str, event: &mut Event<'a>, context: &Context) -> bool {
    let letter = match text.as_bytes() {
        [letter @ (b'I' | b'W' | b'E' | b'F'), b'0'..=b'9', b'0'..=b'9', b'0'..=b'3', b'0'..=b'9', ..] => *letter,
        _ => return false,
    };
    let Some((date, rest)) = text[1..].split_once(' ') else { return false };
    let Some((clock, message)) = rest.split_once("] ") else { return false };
    let mut words = clock.split_ascii_whitespace();
    let Some(at) = words.next() else { return false };
    // MM-DD is a form that timestamps know.
    let written = match date.len() {
        4 => format!("{}-{} {at}", &date[..2], &date[2..]),
        8 => format!("{date} {at}"),
        _ => return false,
    };
    let Some((time, _)) = time::prefix(written.as_bytes(), context) else { return false };
    event.time = Some(time);
    event.level = level::word(&[letter]);
    event.failed = event.level >= Level::Error;
    event.operation = Cow::Borrowed(words.next_back().and_then(|place| place.split(':').next()).unwrap_or_default());
    event.message = Cow::Borrowed(message);
    true
}

/// `E, [2026-11-24T23:42:01.123456 #123] ERROR -- shop: message`, as Ruby's Logger writes lines.
pub(super) fn ruby<'a>(text: &'a str, event: &mut Event<'a>, context: &Context) -> bool {
    let [b'D' | b'I' | b'W' | b'E' | b'F' | b'U' | b'A', b',', b' ', b'[', ..] = text.as_bytes() else { return false };
    let Some((stamp, rest)) = text[4..].split_once(']') else { return false };
    let (Some((time, _)), Some((word, rest))) =
        (time::prefix(stamp.as_bytes(), context), rest.trim_start().split_once(" -- "))
    else {
        return false;
    };
    let (program, message) =
        rest.split_once(": ").or_else(|| rest.strip_suffix(':').map(|name| (name, ""))).unwrap_or(("", rest));
    event.time = Some(time);
    event.level = level::word(word.trim().as_bytes());
    event.failed = event.level >= Level::Error;
    event.operation = Cow::Borrowed(program.trim());
    event.message = Cow::Borrowed(message);
    true
}

/// `type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e …`, as the audit daemon writes records.
pub(super) fn audit<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    let text = match text.strip_prefix("node=").and_then(|node| node.split_once(' ')) {
        Some((_, after)) => after,
        None => text,
    };
    let Some((kind, after)) = text.strip_prefix("type=").and_then(|text| text.split_once(" msg=audit(")) else {
        return false;
    };
    let Some((stamp, message)) = after.split_once("):") else { return false };
    event.time = stamp.split_once(':').and_then(|(time, _)| time::epoch(time.as_bytes()));
    event.service = Cow::Borrowed("auditd");
    event.operation = Cow::Borrowed(kind);
    event.message = Cow::Borrowed(message.trim_start());
    event.failed =
        message.contains(" success=no") || message.contains(" res=failed") || message.contains("'res=failed");
    true
}

/// `%ASA-6-302013: Built …`, as Cisco's devices write messages, with or without a host before it: facility, severity of
/// syslog, mnemonic.
pub(super) fn cisco<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    let near = text.as_bytes().get(..64).unwrap_or(text.as_bytes());
    let Some(at) = memchr::memchr(b'%', near) else { return false };
    if !(at == 0 || text.as_bytes().get(at - 1) == Some(&b' ')) || text[..at].contains('"') {
        return false;
    }
    let Some((name, message)) = text[at + 1..].split_once(": ") else { return false };
    let mut parts = name.split('-');
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let severity = parts.clone().skip(1).find(|part| matches!(part.as_bytes(), [b'0'..=b'7']));
    if parts.clone().count() < 3 || !parts.all(plain) {
        return false;
    }
    let Some(severity) = severity else { return false };
    event.level = level::syslog(severity.bytes().next().map_or(8, |digit| u64::from(digit - b'0')));
    event.failed = event.level >= Level::Error;
    event.operation = Cow::Borrowed(name);
    event.message = Cow::Borrowed(message);
    true
}

/// `##[error]message`, as GitHub's runners write what is said of a step.
pub(super) fn github(text: &str) -> Option<(Level, &str)> {
    let (word, message) = text.strip_prefix("##[")?.split_once(']')?;
    let level = match word {
        "error" => Level::Error,
        "warning" => Level::Warn,
        "debug" => Level::Debug,
        "notice" => Level::Info,
        _ => Level::Unset,
    };
    Some((level, message))
}

/// `PHP Fatal error:  Uncaught …`, as PHP writes its own messages.
pub(super) fn php(text: &str) -> Option<(Level, &str)> {
    let (word, message) = text.strip_prefix("PHP ")?.split_once(": ")?;
    let level = match word {
        "Fatal error" | "Parse error" | "Recoverable fatal error" | "Core error" | "Compile error" => Level::Error,
        "Warning" | "Core warning" | "Compile warning" => Level::Warn,
        "Notice" | "Deprecated" | "Strict Standards" => Level::Info,
        _ => return None,
    };
    Some((level, message.trim_start()))
}

/// `production.ERROR: message {"user":1} []`, as PHP's monolog writes a channel and a level behind the time: both, and the
/// message with what was said along with it.
pub(super) fn monolog(text: &str) -> Option<(&str, Level, &str)> {
    let (name, message) = text.split_once(": ")?;
    let (channel, word) = name.rsplit_once('.')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if channel.is_empty() || !channel.bytes().all(plain) || !word.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let level = Some(level::free_word(word.as_bytes())).filter(|level| *level != Level::Unset)?;
    Some((channel, level, message))
}

/// `ERROR/ForkPoolWorker-1] message`: Celery has the level and the process in one bracket with the time.
pub(super) fn celery(text: &str) -> Option<(Level, &str)> {
    if !text.as_bytes().first().is_some_and(u8::is_ascii_uppercase) {
        return None;
    }
    let (inner, message) = text.split_once("] ")?;
    let (word, process) = inner.split_once('/')?;
    let level = level::free_word(word.as_bytes());
    let plain = word.bytes().all(|byte| byte.is_ascii_uppercase()) && !process.contains([' ', '[']);
    (plain && level != Level::Unset).then_some((level, message))
}

/// `I NETWORK  [conn1] message`, as `MongoDB` wrote lines before 4.4; `1234  5678 W Tag: message`, of Android.
pub(super) fn lettered<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    if !matches!(text.as_bytes(), [b'0'..=b'9', ..] | [b'A'..=b'Z', b' ', ..]) {
        return false;
    }
    let mut rest = text;
    let mut numbers = 0;
    while let Some((word, after)) =
        rest.split_once(' ').filter(|(word, _)| word.bytes().all(|byte| byte.is_ascii_digit()))
    {
        if numbers == 2 || word.is_empty() {
            return false;
        }
        numbers += 1;
        rest = after.trim_start_matches(' ');
    }
    let [letter @ (b'V' | b'D' | b'I' | b'W' | b'E' | b'F'), b' ', ..] = rest.as_bytes() else { return false };
    let after = rest[2..].trim_start_matches(' ');
    let (name, message) = match numbers {
        // Older versions of etcd: `E | etcdserver: message`.
        0 if after.starts_with("| ") => {
            let Some(parts) = after[2..].split_once(": ") else { return false };
            parts
        }
        0 => {
            let Some((name, message)) = after.split_once(' ') else { return false };
            if !(name == "-" || name.len() >= 2 && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')) {
                return false;
            }
            (name, message.trim_start_matches(' '))
        }
        2 => {
            let Some((name, message)) = after.split_once(": ") else { return false };
            (name.trim_end(), message)
        }
        _ => return false,
    };
    event.level = level::word(&[*letter]);
    event.failed = event.level >= Level::Error;
    event.operation = Cow::Borrowed(if name == "-" { "" } else { name });
    event.message = Cow::Borrowed(message);
    if numbers == 0 && !after.starts_with('|') {
        // Operations are told with how long they took.
        event.duration = message
            .rsplit(' ')
            .next()
            .and_then(|word| word.strip_suffix("ms"))
            .and_then(|number| super::value::unsigned(number.as_bytes())?.checked_mul(1_000_000));
    }
    true
}

/// `E/ActivityManager( 585): message`, as Android writes lines in brief.
pub(super) fn brief<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    let [letter @ (b'V' | b'D' | b'I' | b'W' | b'E' | b'F'), b'/', ..] = text.as_bytes() else { return false };
    let Some((name, rest)) = text[2..].split_once('(') else { return false };
    let Some((pid, message)) = rest.split_once("): ") else { return false };
    let pid = pid.trim_start();
    if name.contains(' ') || pid.is_empty() || !pid.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    event.level = level::word(&[*letter]);
    event.failed = event.level >= Level::Error;
    event.operation = Cow::Borrowed(name);
    event.message = Cow::Borrowed(message);
    true
}

/// `   10 Query<tab>select …`, as `MySQL`'s general log writes what its clients ask for behind the time.
pub(super) fn general_query<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    if !text.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    // What is behind the last command was trimmed with the line.
    let cells = text.split_once('\t').or_else(|| text.ends_with(" Quit").then_some((text, "")));
    let Some((head, argument)) = cells else { return false };
    let Some((id, command)) = head.split_once(' ') else { return false };
    let known = matches!(
        command,
        "Query"
            | "Connect"
            | "Quit"
            | "Init DB"
            | "Field List"
            | "Execute"
            | "Prepare"
            | "Close stmt"
            | "Reset stmt"
            | "Ping"
            | "Statistics"
            | "Change user"
            | "Binlog Dump"
            | "Set option"
            | "Shutdown"
            | "Sleep"
            | "Kill"
    );
    if !known || id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    event.operation = match command {
        "Query" | "Execute" | "Prepare" => sql::operation(argument),
        _ => Cow::Borrowed(command),
    };
    event.message = Cow::Borrowed(if argument.is_empty() { command } else { argument });
    true
}
