//! Names of functions as a person would say them: demangled, without parameters and generic arguments.
//!
//! One function of the source is one operation, however many instances a compiler made of it.

use std::borrow::Cow;
use std::fmt::{self, Write};

use cpp_demangle::{DemangleOptions, ParseOptions, Symbol};

/// Bytes of a mangled name that is demangled, and of what comes of it. Mangled names can stand for far longer ones.
const MANGLED: usize = 2_048;
const DEMANGLED: usize = 8_192;

/// What compilers append to the parts that they make of one function.
const PARTS: &[&str] = &[".llvm.", ".constprop.", ".isra.", ".part.", ".cold", ".lto_priv."];

/// The short form of a name.
pub(super) fn short(name: Cow<'_, str>) -> Cow<'_, str> {
    let name = match demangled(&name) {
        Some(demangled) => Cow::Owned(demangled),
        None => name,
    };
    let name = match PARTS.iter().filter_map(|part| name.find(part)).min() {
        Some(end) if end > 0 => Cow::Owned(name[..end].to_owned()),
        _ => name,
    };
    if name.contains('<') { without_generics(&name).into() } else { name }
}

fn demangled(name: &str) -> Option<String> {
    if !(name.starts_with("_R") || name.starts_with("_Z")) || name.len() > MANGLED {
        return None;
    }
    let mut out = Limited(String::new());
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        // Without the hash.
        write!(out, "{rust:#}").ok()?;
    } else {
        let limit = 96.try_into().ok()?;
        let symbol = Symbol::new_with_options(name, &ParseOptions::default().recursion_limit(limit)).ok()?;
        let options = DemangleOptions::new().no_params().no_return_type().recursion_limit(limit);
        symbol.structured_demangle(&mut out, &options).ok()?;
    }
    Some(out.0).filter(|text| !text.is_empty())
}

/// A text that takes no more than its limit.
struct Limited(String);

impl Write for Limited {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > DEMANGLED {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// `alloc::vec::Vec<T>::push` is `alloc::vec::Vec::push`. What stands in angle brackets at the start of a path names it, as in
/// `<alloc::vec::Vec<T> as core::ops::Index<usize>>::index`, and stays; an operator's brackets are its name.
fn without_generics(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut depth = 0_usize;
    // Brackets that stay and are still open.
    let mut kept = 0_usize;
    let mut rest = name.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '<' if depth == 0 => {
                if out.ends_with("operator") || out.ends_with("operator<") {
                    out.push('<');
                } else if out
                    .ends_with(|before: char| before.is_alphanumeric() || matches!(before, '_' | ':' | '}' | ']'))
                {
                    while out.ends_with(':') {
                        out.pop();
                    }
                    depth = 1;
                } else {
                    kept += 1;
                    out.push('<');
                }
            }
            '<' => depth += 1,
            '>' if depth > 0 => depth -= 1,
            '>' => {
                kept = kept.saturating_sub(1);
                out.push('>');
            }
            // The arrow of a type is no bracket.
            '-' if rest.peek() == Some(&'>') => {
                rest.next();
                if depth == 0 {
                    out.push_str("->");
                }
            }
            _ if depth > 0 => {}
            _ => out.push(character),
        }
    }
    // Brackets that do not match are no generics.
    if depth > 0 || kept > 0 || out.is_empty() { name.to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn names_are_short() {
        let cases = [
            ("main", "main"),
            ("_Z5gammav", "gamma"),
            ("_ZNSt6vectorIiSaIiEE9push_backEOi", "std::vector::push_back"),
            ("_RINvNtCse0yjq9ZQveU_3std2rt10lang_startuECs8K9WJNlS7Dz_5trace", "std::rt::lang_start"),
            (
                "_RNvXsb_NtCsfiKabdrepoq_5alloc3vecINtB5_3VecdEINtNtNtCsTACXlTRjQ_4core3ops5index5IndexjE5indexCs8K9WJNlS7Dz_5trace",
                "<alloc::vec::Vec as core::ops::index::Index>::index",
            ),
            ("_ZN4core3fmt9Formatter9write_str17h0123456789abcdefE", "core::fmt::Formatter::write_str"),
            ("std::vector<int, std::allocator<int> >::push_back", "std::vector::push_back"),
            ("Buffer::operator<<", "Buffer::operator<<"),
            ("Pointer<T>::operator->", "Pointer::operator->"),
            ("core::iter::map::<u8, fn(u8) -> u8>::next", "core::iter::map::next"),
            ("a < b", "a < b"),
            ("main.(*Server).Serve", "main.(*Server).Serve"),
            ("do_work.constprop.0", "do_work"),
            ("_Znonsense", "_Znonsense"),
        ];
        for (name, expected) in cases {
            assert_eq!(short(name.into()), expected);
        }
    }

    #[test]
    fn a_name_that_stands_for_an_endless_one_stays_as_it_is() {
        let mut name = "_Z1fI".to_owned();
        for i in 0..60 {
            name += &format!("1a{i}IS_S_E");
        }
        name += "Evv";
        assert!(short(name.as_str().into()).len() <= super::DEMANGLED);
    }
}
