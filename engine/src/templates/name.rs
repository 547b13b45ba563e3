//! The name of an operation with the ids in it written `<*>`: `GET /users/42` is `GET /users/<*>`.
//!
//! Names of spans are to be of low cardinality (OpenTelemetry's semantic conventions), and mostly are. Those that are not
//! carry an id as a part of their own: of a path, of a name in words, of words joined by dashes. What is no id for certain
//! stays: versions, protocols and the names of techniques have digits too.

use super::VARIABLE;
use super::words::is_named;

/// What stands between the parts of a name.
fn parts(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric() && byte < 0x80 && !matches!(byte, b'-' | b'_' | b'.')
}

/// The name without its ids, in `out` if it has any. Its own name.
pub fn name<'a>(operation: &'a str, out: &'a mut String) -> &'a str {
    if !operation.bytes().any(|byte| byte.is_ascii_digit()) {
        return operation;
    }
    out.clear();
    let bytes = operation.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let end = at + bytes[at..].iter().position(|&byte| parts(byte)).unwrap_or(bytes.len() - at);
        part(&operation[at..end], out);
        at = end + bytes[end..].iter().position(|&byte| !parts(byte)).unwrap_or(bytes.len() - end);
        out.push_str(&operation[end..at]);
    }
    out
}

/// A part between separators: an id as a whole, or words and ids joined.
fn part(part: &str, out: &mut String) {
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 || is_named(part) {
        return out.push_str(part);
    }
    let all = |test: fn(u8) -> bool| part.bytes().all(test);
    let dots = part.bytes().filter(|&byte| byte == b'.').count();
    let number = digits == part.len();
    let address = dots == 3 && digits + dots == part.len();
    let hexadecimal = part.len() >= 8 && digits >= 2 && all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if number || address || hexadecimal {
        return out.push_str(VARIABLE);
    }
    for piece in part.split_inclusive(['-', '_', '.']) {
        let word = piece.trim_end_matches(['-', '_', '.']);
        if word.len() < part.len() && word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_digit()) || is_id(word) {
            out.push_str(VARIABLE);
        } else {
            // `user12345`: the name of a thing and its number.
            let name = word.trim_end_matches(|c: char| c.is_ascii_digit());
            let numbered = word.len() - name.len() >= 5;
            out.push_str(if numbered { name } else { word });
            out.push_str(if numbered { VARIABLE } else { "" });
        }
        out.push_str(&piece[word.len()..]);
    }
}

/// Whether letters and digits without a joint are an id: hexadecimal, or so mixed that no word is.
fn is_id(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if digits < 2 || is_named(word) {
        return false;
    }
    let changes =
        word.as_bytes().windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count();
    let hexadecimal = word.len() >= 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    hexadecimal || word.len() >= 5 && changes >= 3
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn ids_are_left_out_and_nothing_else() {
        let cases = [
            ("GET /users/42", "GET /users/<*>"),
            ("GET /api/v1/users/42/orders/7f9c0d3e-0a1b-4c2d-8e3f-001122334455", "GET /api/v1/users/<*>/orders/<*>"),
            ("/carts/5f2b8c9d0e1a2b3c4d5e6f70?page=2", "/carts/<*>?page=<*>"),
            ("worker-7f9c6d8b5-x2x9z", "worker-<*>-<*>"),
            ("orders-000123 process", "orders-<*> process"),
            ("job user12345", "job user<*>"),
            ("ping 10.0.0.12:8080", "ping <*>:<*>"),
            ("oteldemo.CartService/GetCart", "oteldemo.CartService/GetCart"),
            ("HTTP/1.1 GET", "HTTP/1.1 GET"),
            ("S3.GetObject", "S3.GetObject"),
            ("sha256 x86_64 utf-8 k8s.pod v2.1 log4j", "sha256 x86_64 utf-8 k8s.pod v2.1 log4j"),
            ("redis:6379 SET", "redis:<*> SET"),
            ("größe 12345 ü", "größe <*> ü"),
            ("", ""),
            ("1", "<*>"),
        ];
        for (operation, expected) in cases {
            let (mut out, mut again) = (String::new(), String::new());
            assert_eq!(name(operation, &mut out), expected);
            assert_eq!(name(expected, &mut again), expected, "a name is its own name");
        }
    }
}
