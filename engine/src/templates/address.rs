//! What in a message is an address of something: ids, paths, links.

use super::VARIABLE;

/// Whether a word with digits in it is a number to the base of sixteen.
pub(super) fn is_hexadecimal(word: &[u8]) -> bool {
    word.len() >= 4 && word.iter().all(u8::is_ascii_hexdigit)
}

/// Whether letters and digits that hang together are one id: hexadecimal with its separators, or a name in which
/// digits prevail.
pub(super) fn is_id(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"0x") || bytes.starts_with(b"0X") {
        return true;
    }
    // An address of IPv6 with zeros left out.
    if memchr::memmem::find(bytes, b"::").is_some() && bytes.iter().all(|b| b.is_ascii_hexdigit() || *b == b':') {
        return true;
    }
    let (mut digits, mut runs, mut numbered, mut longest) = (0_usize, 0_usize, 0_usize, 0_usize);
    let mut hexadecimal = true;
    let (mut dots, mut short) = (false, true);
    for part in bytes.split(|b| !b.is_ascii_alphanumeric() && *b < 0x80) {
        let count = part.iter().filter(|b| b.is_ascii_digit()).count();
        hexadecimal &= part.iter().all(u8::is_ascii_hexdigit) && (count > 0 || matches!(part.len(), 2 | 4 | 8 | 12));
        short &= part.len() - count <= 2;
        digits += count;
        numbered += usize::from(count > 0);
        runs += 1;
        longest = longest.max(count);
    }
    for byte in bytes {
        dots |= *byte == b'.';
    }
    if hexadecimal && (runs > 1 || bytes.len() >= 4) {
        return true;
    }
    if runs == 1 {
        return false;
    }
    (numbered >= 3 && (digits >= 6 || short)) || (longest >= 5 && !dots) || (numbered >= 2 && digits >= 8)
}

/// The length of the words at the start of an id, with what joins them to it.
pub(super) fn named(id: &[u8]) -> usize {
    let mut end = 0;
    for (at, &byte) in id.iter().enumerate() {
        match byte {
            b'_' | b'-' if at - end >= 2 || id[end..at].iter().any(|b| !b.is_ascii_hexdigit()) => end = at + 1,
            _ if byte.is_ascii_alphabetic() => {}
            _ => break,
        }
    }
    if id[..end].iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b'-' | b'_')) { 0 } else { end }
}

pub(super) enum Path {
    Whole,
    /// An address after a slash, as the JVM writes them: `/10.0.0.1:80`.
    Address,
    Not,
}

pub(super) fn path(bytes: &[u8]) -> Path {
    let slashes = bytes.iter().filter(|b| matches!(b, b'/' | b'\\')).count();
    let alphanumeric = |b: &u8| b.is_ascii_alphanumeric() || *b >= 0x80;
    match bytes {
        [b'/', rest @ ..] => {
            if !rest.iter().any(alphanumeric) {
                return Path::Not;
            }
            let address = rest.iter().all(|b| b.is_ascii_hexdigit() || b".:".contains(b));
            if address && rest.iter().any(u8::is_ascii_digit) {
                Path::Address
            } else if rest.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_')) {
                // `/login`, `/metrics`: a place of the program rather than a value.
                Path::Not
            } else {
                Path::Whole
            }
        }
        [b'~' | b'.', b'/', ..] | [b'.', b'.', b'/', ..] | [_, b':', b'\\' | b'/', ..] => Path::Whole,
        _ if slashes >= 2 && bytes.iter().filter(|b| alphanumeric(b)).count() >= 8 => Path::Whole,
        _ => Path::Not,
    }
}

/// The lengths of the scheme (`https://`) and of the whole of a link at the start of `bytes`.
pub(super) fn link(bytes: &[u8]) -> Option<(usize, usize)> {
    let scheme = bytes.iter().position(|b| !b.is_ascii_alphanumeric() && !b"+.-".contains(b))?;
    let rest = bytes.get(scheme..)?;
    if scheme == 0 || !rest.starts_with(b"://") {
        return None;
    }
    let mut end = 3;
    while let Some(&byte) = rest.get(end) {
        if rest[end..].starts_with(VARIABLE.as_bytes()) {
            end += VARIABLE.len();
        } else if byte.is_ascii_whitespace() || b"\"'<>()[]{}|`".contains(&byte) {
            break;
        } else {
            end += 1;
        }
    }
    while end > 3 && b".,;:".contains(&rest[end - 1]) {
        end -= 1;
    }
    (end > 3).then_some((scheme + 3, scheme + end))
}
