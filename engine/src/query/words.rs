//! The grammar of `where`: text in, terms out, each with its place.
//!
//! ```text
//! where  = term { space term }                 all must hold
//! term   = [ "-" | "!" ] ( test | text | number )
//! name   = word | "attribute." ( word | quoted )                                    the word of an attribute's key
//! test   = name ( "=" | ":" | "!=" | ">" | ">=" | "<" | "<=" | "~" ) value { "," value }      any of the values
//! text   = quoted | word                       stands in the service, the operation or the template
//! number = "#" digits                          the series that this evidence is of
//! value  = quoted | word                       a word may hold * and ?
//! quoted = '"' … '"' | "'" … "'"               taken as it is; \" and \\ within
//! ```

use super::attribute;
use super::error::{Error, Written};

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Is one of the values.
    Is,
    /// Contains one of them.
    Has,
    /// Is more.
    More,
    /// Is as much or more.
    Least,
    /// Is less.
    Less,
    /// Is as much or less.
    Most,
}

/// A value as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// Without its quotes.
    pub text: String,
    /// Whether it was in quotes: `*` and `?` are then themselves.
    pub quoted: bool,
    /// Where it begins in the field, in bytes.
    pub at: usize,
    /// Bytes it takes there.
    pub length: usize,
}

/// A term as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Whether it must not hold.
    pub negated: bool,
    /// What is tested; empty for a text.
    pub name: String,
    /// Where that begins, in bytes.
    pub at: usize,
    /// How.
    pub op: Op,
    /// Against what: any of these.
    pub values: Vec<Value>,
}

impl Term {
    /// It as it was written, without its sign.
    #[must_use]
    pub fn said(&self, written: Written<'_>) -> String {
        let end = self.values.last().map_or(self.at, |value| value.at + value.length);
        let text = written.text.get(self.at..end).unwrap_or_default();
        format!(
            "{}{}",
            if written.text[..self.at].ends_with(['-', '!']) { "-" } else { "" },
            crate::redact::plain(text, 60)
        )
    }
}

/// Split the text of a `where` into its terms.
///
/// # Errors
/// [`Error::Word`] at the first word that is no term.
pub fn terms(written: Written<'_>) -> Result<Vec<Term>, Error> {
    let mut reader = Reader { written, at: 0 };
    let mut terms = Vec::new();
    loop {
        reader.spaces();
        if reader.rest().is_empty() {
            return Ok(terms);
        }
        terms.push(reader.term()?);
    }
}

/// The operators, the longer ones first.
const OPS: [(&str, Op, bool); 10] = [
    ("==", Op::Is, false),
    ("!=", Op::Is, true),
    ("!~", Op::Has, true),
    (">=", Op::Least, false),
    ("<=", Op::Most, false),
    ("=", Op::Is, false),
    (":", Op::Is, false),
    ("~", Op::Has, false),
    (">", Op::More, false),
    ("<", Op::Less, false),
];

struct Reader<'a> {
    written: Written<'a>,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.written.text[self.at..]
    }

    fn spaces(&mut self) {
        self.at = self.written.text.len() - self.rest().trim_start().len();
    }

    fn term(&mut self) -> Result<Term, Error> {
        let start = self.at;
        let mut negated = false;
        if self.rest().starts_with(['-', '!']) {
            negated = true;
            self.at += 1;
        }
        if self.rest().is_empty() || self.rest().starts_with(char::is_whitespace) {
            return Err(self.written.wrong(start, 1, "nothing is negated: write the term right behind it"));
        }
        let at = self.at;
        let name = self.name();
        let behind = &self.rest()[name..];
        let found = OPS.iter().find(|(sign, ..)| behind.starts_with(sign));
        let Some(&(sign, op, not)) = found.filter(|_| name > 0) else {
            return self.text(negated, at);
        };
        let name = self.rest()[..name].to_owned();
        self.at += name.len() + sign.len();
        let mut values = Vec::new();
        loop {
            let value = self.value(true)?;
            if value.text.is_empty() && !value.quoted {
                let message = format!("no value behind {name}{sign}: write one, or \"\" for nothing");
                return Err(self.written.wrong(at, self.at - at, message));
            }
            values.push(value);
            if !self.rest().starts_with(',') {
                break;
            }
            self.at += 1;
        }
        Ok(Term { negated: negated ^ not, name, at, op, values })
    }

    /// The length of a name that stands here.
    fn name(&self) -> usize {
        let rest = self.rest();
        let ends =
            |from: usize, ends: &dyn Fn(char) -> bool| rest[from..].find(ends).map_or(rest.len(), |at| from + at);
        let Some(begin) = attribute::prefix(rest) else {
            return ends(0, &|c: char| !(c.is_alphanumeric() || "_.-/".contains(c)));
        };
        if let Some(quote) = rest[begin..].chars().next().filter(|c| matches!(c, '"' | '\'')) {
            return ends(begin + 1, &|c| c == quote).saturating_add(1).min(rest.len());
        }
        let end = ends(begin, &|c: char| c.is_whitespace() || "=!~<>:,\"'".contains(c));
        // Without a sign behind it, `attribute:tenant` is a name and its value.
        let has_sign = rest[end..].starts_with(['=', '!', '~', '<', '>', ':']);
        if has_sign { end } else { ends(0, &|c: char| !c.is_alphanumeric()) }
    }

    fn text(&mut self, negated: bool, at: usize) -> Result<Term, Error> {
        let value = self.value(false)?;
        let word = value.text.to_ascii_lowercase();
        if !value.quoted {
            if OPS.iter().any(|(sign, ..)| value.text.starts_with(sign)) {
                let message =
                    "a sign without a name in front: write name, sign and value without spaces, as in service=cart";
                return Err(self.written.wrong(at, value.length, message));
            }
            let advice = match word.as_str() {
                "and" | "&&" => "terms with spaces between them must all hold: leave it out",
                "or" | "||" => "there is no or between terms: values with commas do that, as in service=cart,payment",
                "not" => "write - right before the term that must not hold",
                _ => "",
            };
            if !advice.is_empty() {
                let message = format!("{:?} is no term: {advice}; a word to look for stands in quotes", value.text);
                return Err(self.written.wrong(at, value.length, message));
            }
        }
        if let Some(digits) = value.text.strip_prefix('#').filter(|_| !value.quoted) {
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(self.written.wrong(at, value.length, "no number of evidence such as #12"));
            }
            let number = Value { text: digits.to_owned(), ..value };
            return Ok(Term { negated, name: "evidence".to_owned(), at, op: Op::Is, values: vec![number] });
        }
        Ok(Term { negated, name: String::new(), at, op: Op::Has, values: vec![value] })
    }

    fn value(&mut self, listed: bool) -> Result<Value, Error> {
        let at = self.at;
        let Some(quote) = self.rest().chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            let ends = |c: char| c.is_whitespace() || (listed && c == ',');
            let length = self.rest().find(ends).unwrap_or(self.rest().len());
            let text = self.rest()[..length].to_owned();
            self.at += length;
            return Ok(Value { text, quoted: false, at, length });
        };
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((i, c)) = chars.next() {
            match c {
                '\\' => text.extend(chars.next().map(|(_, c)| c)),
                c if c == quote => {
                    self.at += i + 1;
                    let next = self.rest().chars().next();
                    if next.is_some_and(|c| !(c.is_whitespace() || listed && c == ',')) {
                        return Err(self.written.wrong(self.at, 1, "a space or a comma is missing behind the quote"));
                    }
                    return Ok(Value { text, quoted: true, at, length: self.at - at });
                }
                c => text.push(c),
            }
        }
        Err(self.written.wrong(at, self.written.text.len() - at, format!("the quote {quote} is not closed")))
    }
}

/// Whether a text is as a pattern says, in which `*` stands for any text and `?` for one character.
#[must_use]
pub fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (&[u8], &[u8]) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where the last * stood, and where what it takes ends.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(b'?') => {
                p += 1;
                t += 1;
                while t < text.len() && text[t] & 0xc0 == 0x80 {
                    t += 1;
                }
            }
            Some(&byte) if byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = star else { return false };
                (p, t) = (at + 1, taken + 1);
                star = Some((at, taken + 1));
            }
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

/// Whether a text contains another, whatever the case of its ASCII letters.
#[must_use]
pub fn contains(text: &str, lower: &str) -> bool {
    let (text, lower) = (text.as_bytes(), lower.as_bytes());
    lower.is_empty() || text.windows(lower.len()).any(|window| window.eq_ignore_ascii_case(lower))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Vec<Term>, Error> {
        terms(Written { field: "where", text })
    }

    #[test]
    fn where__each_kind_of_term__read_as_it_is_meant() {
        let text = r#"service=pay*,"a b" -kind:log duration>100ms status!=ok "upstream \"x\"" !slow #12 op~GET"#;
        let terms = read(text).unwrap();
        let said: Vec<String> = terms
            .iter()
            .map(|term| {
                let values: Vec<&str> = term.values.iter().map(|value| value.text.as_str()).collect();
                format!("{}{}{:?}{}", if term.negated { "-" } else { "" }, term.name, term.op, values.join("|"))
            })
            .collect();
        let expected = [
            "serviceIspay*|a b",
            "-kindIslog",
            "durationMore100ms",
            "-statusIsok",
            "Hasupstream \"x\"",
            "-Hasslow",
            "evidenceIs12",
            "opHasGET",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn where__no_term__caret_at_the_word() {
        for (text, at, says) in [
            ("service=a or service=b", 10, "commas"),
            ("service=", 0, "no value"),
            ("x \"open", 2, "not closed"),
            ("- x", 0, "negated"),
            ("#x", 0, "number of evidence"),
            ("service=\"a\"b", 11, "missing"),
            ("service = a", 8, "without spaces"),
        ] {
            let Err(Error::Word(wrong)) = read(text) else { panic!("{text} was read") };
            assert_eq!(wrong.at, at, "{text}");
            assert!(wrong.message.contains(says), "{wrong}");
        }
    }

    #[test]
    fn glob__patterns__as_in_a_shell() {
        for (pattern, text, expected) in [
            ("pay*", "payment", true),
            ("*ment", "payment", true),
            ("p*y*t", "payment", true),
            ("p?yment", "päyment", true),
            ("pay", "payment", false),
            ("*", "", true),
            ("a*b*c", "axxbyyd", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn where__any_text__terms_or_an_error_within_it(text in ".{0,60}") {
            if let Err(Error::Word(wrong)) = read(&text) {
                prop_assert!(wrong.at + wrong.length <= text.chars().count() + 1);
                prop_assert!(!wrong.to_string().is_empty());
            }
        }
    }
}
