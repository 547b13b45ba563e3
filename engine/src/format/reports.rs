//! How runtimes write what went wrong: the lines of stack traces, told one by one.
//!
//! Lines come in without the white space around them.

/// What a line is that starts a report of several lines, or goes on with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// `Traceback (most recent call last):`, Python's.
    Traceback,
    /// `+ Exception Group Traceback (most recent call last):`
    Group,
    /// `During handling of the above exception, another exception occurred:`
    Chained,
    /// `goroutine 1 [running]:`, Go's.
    Goroutine,
    /// `panic: …` and `fatal error: …`, Go's.
    Panic,
    /// `thread 'main' panicked at src/main.rs:2:5:`, Rust's; what it says stands in the next line.
    Panicked,
    /// `/app/index.js:3`, Node's: the place of an exception that nobody caught; source text and exception follow.
    Place,
    /// `info: Microsoft.Hosting.Lifetime[14]`, .NET's console logger: the message is in the next line, indented.
    Category,
    /// The name of an exception, and what it says.
    Exception,
    /// The same, and that nobody caught it.
    Uncaught,
    /// A line that never stands alone.
    Frame,
}

/// Whether a line starts as no line of a report does: with a digit, as times do, or a bracket.
#[inline]
pub(super) fn is_plain(text: &str) -> bool {
    matches!(text.as_bytes().first(), Some(b'0'..=b'9' | b'[' | b'{' | b'"' | b'*' | b'@'))
}

/// What a line is, if it is of a report.
pub(super) fn part(text: &str) -> Option<Part> {
    let bytes = text.as_bytes();
    let starts = |with: &[&str]| with.iter().any(|start| text.starts_with(start));
    let found = match bytes.first()? {
        b'T' if text == "Traceback (most recent call last):" => Part::Traceback,
        b'+' if text.starts_with("+ Exception Group Traceback") => Part::Group,
        b'D' if text.starts_with("During handling of the above exception") => Part::Chained,
        b'T' if text.starts_with("The above exception was the direct cause") => Part::Chained,
        b'g' if goroutine(text) => Part::Goroutine,
        b'p' if text.starts_with("panic: ") => Part::Panic,
        b'f' if text.starts_with("fatal error: ") => Part::Panic,
        b't' if text.starts_with("thread '") && text.contains(" panicked at ") => Part::Panicked,
        b't' | b'd' | b'i' | b'w' | b'f' | b'c' if category(text).is_some() => Part::Category,
        b'a' if text.starts_with("at ") && call(&text[3..]) => Part::Frame,
        b'C' if text.starts_with("Caused by: ") => Part::Frame,
        b'S' if starts(&["Suppressed: ", "Stack trace:"]) => Part::Frame,
        b'W' if text.starts_with("Wrapped by: ") => Part::Frame,
        b'.' if starts(&["... "]) && elided(&text[4..]) => Part::Frame,
        b'-' if starts(&["--- End of ", "---> "]) => Part::Frame,
        b'f' if text.starts_with("from ") && text.contains(":in ") => Part::Frame,
        b's' if text == "stack backtrace:" => Part::Frame,
        b'n' if text.starts_with("note: run with `RUST_BACKTRACE") => Part::Frame,
        b'n' if text.starts_with("note: Some details are omitted") => Part::Frame,
        b'F' if text.starts_with("File \"") && text.contains("\", line ") => Part::Frame,
        b'^' if bytes.iter().all(|byte| *byte == b'^' || *byte == b'~') => Part::Frame,
        b'#' if bytes.get(1).is_some_and(u8::is_ascii_digit) && text.contains(' ') => Part::Frame,
        b'/' | b'f' | b'n' if place(text) => Part::Place,
        b'/' | b'a'..=b'z' | b'.' if ruby_frame(text) => Part::Frame,
        b'e' if text.starts_with("exit status ") => Part::Frame,
        b'N' if text.starts_with("Node.js v") => Part::Frame,
        b'E' | b'U' if uncaught(text) => Part::Uncaught,
        b'A'..=b'Z' | b'a'..=b'z' if exception(text) => Part::Exception,
        _ => return None,
    };
    Some(found)
}

/// `goroutine 1 [running]:`
fn goroutine(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("goroutine ") else { return false };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    digits > 0 && rest.get(digits..).is_some_and(|rest| rest.starts_with(" [") && rest.ends_with("]:"))
        || rest.starts_with("running on other thread")
}

/// What follows `at ` in a frame of Java, .NET, JavaScript or Rust: a call with its place, or a place alone.
fn call(text: &str) -> bool {
    let text = text.trim_end_matches([' ', '{']);
    // fn (/app/a.js:1:2); /app/a.js:1:2; Orders.Accept(Int32 id) in /src/Orders.cs:line 42
    if ends_in_place(text.strip_suffix(')').unwrap_or(text)) || text.contains(") in ") || text == "<anonymous>" {
        return true;
    }
    // com.example.Orders.accept(Native Method); Orders.<Accept>d__1.MoveNext()
    let Some((name, rest)) = text.split_once('(') else { return false };
    name.contains('.') && !name.contains(' ') && (rest.ends_with(')') || rest.ends_with(']'))
}

/// Whether a text ends in `:42` or `:42:7`.
fn ends_in_place(text: &str) -> bool {
    let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
    digits > 0 && text[..text.len() - digits].ends_with(':')
}

/// `12 more`, `12 common frames omitted`, `additional frames elided...`
fn elided(text: &str) -> bool {
    text.ends_with(" more") || text.contains("frames omitted") || text.contains("frames elided")
}

/// `/app/index.js:3`, `file:///app/index.mjs:3`, `node:internal/errors:841`
fn place(text: &str) -> bool {
    let Some((path, line)) = text.rsplit_once(':') else { return false };
    let script = path.starts_with("node:internal/")
        || [".js", ".mjs", ".cjs", ".ts", ".jsx", ".tsx"].iter().any(|end| path.ends_with(end));
    script && !path.contains(' ') && !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit())
}

/// ``/app/orders.rb:12:in `accept'``
fn ruby_frame(text: &str) -> bool {
    let Some(at) = text.find(":in ") else { return false };
    let (place, name) = text.split_at(at);
    ends_in_place(place) && !place.contains(' ') && matches!(name.as_bytes().get(4), Some(b'`' | b'\''))
}

/// The category and the level of .NET's console logger: `fail: Orders.Worker[0]`.
pub(super) fn category(text: &str) -> Option<(&str, &str)> {
    let (level, category) = text.split_once(": ")?;
    let known = matches!(level, "trce" | "dbug" | "info" | "warn" | "fail" | "crit");
    let (name, number) = category.strip_suffix(']')?.rsplit_once('[')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'`' | b'+');
    let number = number.strip_prefix('-').unwrap_or(number);
    let whole = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (known && whole && !name.is_empty() && name.bytes().all(plain)).then_some((level, name))
}

/// Whether a text says that nobody caught an exception.
fn uncaught(text: &str) -> bool {
    let starts = [
        "Exception in thread ",
        "Unhandled exception. ",
        "Unhandled exception: ",
        "Unhandled Exception: ",
        "Uncaught ",
        "Unhandled promise rejection",
    ];
    starts.iter().any(|start| text.starts_with(start))
}

/// Whether a text starts with the name of an exception: `java.io.IOException: closed`, `TypeError: x is no function`.
pub(super) fn exception(text: &str) -> bool {
    let name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$');
    let length = text.bytes().take_while(name).count();
    let (name, after) = text.split_at(length);
    // `TypeError [ERR_INVALID_ARG_TYPE]: …`, `DOMException [AbortError]: …`
    let after = match after.strip_prefix(" [").and_then(|code| code.split_once(']')) {
        Some((_, after)) => after,
        None => after,
    };
    if !(after.is_empty() || after.starts_with(": ") || after == ":") {
        return false;
    }
    let class = name.rsplit('.').next().unwrap_or(name);
    let ends = ["Error", "Exception", "Throwable"].iter().any(|end| class.len() > end.len() && class.ends_with(end));
    let long = class.len() >= 7 && class.bytes().any(|byte| byte.is_ascii_lowercase());
    ends && long && name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
}

/// Whether a line names a function of Go, as it stands above its place in a trace: `main.main()`,
/// `net/http.(*conn).serve(0xc000120000, {0x6f1c48, 0xc00011e6c0})`, `created by net/http.(*Server).Serve`.
pub(super) fn go_function(text: &str) -> bool {
    if text.starts_with("created by ") {
        return true;
    }
    let name = text.find('(').filter(|at| !text[*at..].starts_with("(*")).map_or(text, |at| &text[..at]);
    let base = name.rsplit('/').next().unwrap_or(name);
    let called = text.ends_with(')') || text.ends_with("(...)");
    let plain = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'.' | b'_' | b'/' | b'-' | b'(' | b'*' | b')' | b'[' | b']' | b'@' | b'%')
    };
    let whole = !name.is_empty() && name.bytes().take_while(|byte| *byte != b'(').all(plain);
    whole && base.contains('.') && !base.ends_with('.') && (called || name.contains('/') && !text.contains(' '))
}

/// Whether a line goes on with a panic of Go.
pub(super) fn of_panic(text: &str, indented: bool) -> bool {
    indented
        || goroutine(text)
        || text.starts_with("[signal ")
        || text.starts_with("[originating from ")
        || text.starts_with("exit status ")
        || text == "runtime stack:"
        || text.starts_with("...")
        || register(text)
        || go_function(text)
}

/// `rax    0x0`, as a dump of registers has it.
fn register(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    let (Some(name), Some(value), None) = (words.next(), words.next(), words.next()) else { return false };
    name.len() <= 6 && value.starts_with("0x")
}
