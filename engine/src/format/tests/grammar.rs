//! The reader of JSON text accepts what `serde_json` accepts, and reads the same values.

use proptest::prelude::*;
use serde_json::Value as Tree;

use super::super::cursor::{Cursor, MAX_DEPTH};
use super::super::value::{self, Value, write_string};

/// Whether the text is one JSON value with nothing after it.
fn accepts(text: &[u8]) -> bool {
    let mut cursor = Cursor::new(text);
    cursor.skip().is_ok() && cursor.peek().is_none()
}

/// The value as `serde_json` would build it, read with the pull reader's own calls.
fn tree(cursor: &mut Cursor<'_>) -> Result<Tree, super::Reject> {
    Ok(match cursor.peek() {
        Some(b'{') => {
            let mut object = serde_json::Map::new();
            cursor.enter_object()?;
            while let Some(key) = cursor.key()? {
                let value = tree(cursor)?;
                object.insert(key.str().into_owned(), value);
            }
            Tree::Object(object)
        }
        Some(b'[') => {
            let mut array = Vec::new();
            cursor.enter_array()?;
            while cursor.element()? {
                array.push(tree(cursor)?);
            }
            Tree::Array(array)
        }
        _ => match cursor.value()? {
            Value::Bool(value) => Tree::Bool(value),
            Value::Number(raw) => serde_json::from_slice(raw).unwrap_or(Tree::Null),
            Value::String(text) => Tree::String(text.str().into_owned()),
            _ => Tree::Null,
        },
    })
}

fn any_json() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Bool),
        any::<i64>().prop_map(Tree::from),
        any::<f64>().prop_map(Tree::from),
        any::<String>().prop_map(Tree::String),
        "[ -~]{0,40}".prop_map(Tree::String),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Tree::Array),
            prop::collection::vec((any::<String>(), inner), 0..8)
                .prop_map(|pairs| Tree::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn values_are_read_as_serde_json_wrote_them(json in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) }.unwrap();
        prop_assert!(accepts(text.as_bytes()));
        // Floats may lose their last digit in serde_json's own reading: read what it reads.
        let expected: Tree = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(tree(&mut Cursor::new(text.as_bytes())).unwrap(), expected);
    }

    #[test]
    fn damaged_json_is_accepted_just_where_serde_json_accepts_it(
        json in any_json(), at in any::<prop::sample::Index>(), byte in prop_oneof![Just(None), any::<u8>().prop_map(Some),
            prop::sample::select(b"{}[]\",:\\0-.eEtn u".to_vec()).prop_map(Some)],
    ) {
        let mut text = serde_json::to_vec(&json).unwrap();
        let at = at.index(text.len());
        match byte {
            Some(byte) => text[at] = byte,
            None => { text.remove(at); }
        }
        // What is in strings is read leniently, so only their grammar is compared.
        let theirs = serde_json::from_slice::<serde::de::IgnoredAny>(&text).is_ok();
        prop_assert_eq!(accepts(&text), theirs, "{}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn text_made_of_json_tokens_is_accepted_just_where_serde_json_accepts_it(
        tokens in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"a\"", "\"\\n\"", "\"\\u00e9\"", "1", "-0", "01", "1.5", "1.", "1e9", "-", "true", "null",
            "nul", " ", "\n", "\"", "\\",
        ]), 0..12),
    ) {
        let text = tokens.concat();
        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        prop_assert_eq!(accepts(text.as_bytes()), theirs, "{}", text);
    }

    /// The short way through attributes in their usual form leads to where the long way leads.
    #[test]
    fn attributes_are_stepped_over_as_any_value_is(
        parts in prop::collection::vec((
            prop::sample::select(vec!["{\"key\":\"", "{ \"key\":\"", "{\"key\":null"]),
            prop::sample::select(vec!["k\"", "a.long.key.of.a.span\"", "q\\\"\"", "cut"]),
            prop::sample::select(vec![",\"value\":{\"", ",\"value\":{}", ",\"value\":"]),
            prop::sample::select(vec![
                "stringValue\":\"text\"", "stringValue\":\"a\\nb\"", "stringValue\":null", "intValue\":\"5\"", "intValue\":5", "intValue\":05",
                "boolValue\":true", "boolValue\":tru", "doubleValue\":-1.5e3", "doubleValue\":\"NaN\"", "arrayValue\":{\"values\":[]}",
            ]),
            prop::sample::select(vec!["}}", "} }", "}", "}},", "}}]"]),
        ), 0..5),
        separator in prop::sample::select(vec![",", ",", ",", " , ", ""]),
        end in prop::sample::select(vec!["]", "]", "]", "}", ""]),
    ) {
        let parts: Vec<_> = parts.into_iter().map(|(a, b, c, d, e)| [a, b, c, d, e].concat()).collect();
        let text = format!("[{}{end}  tail", parts.join(separator));
        let mut short = Cursor::new(text.as_bytes());
        let mut long = short.clone();
        prop_assert_eq!(short.attributes(), long.raw(), "{}", text);
        prop_assert!(short.position() == long.position() || long.raw().is_err());
    }

    #[test]
    fn strings_survive_being_written(text in any::<String>()) {
        let mut out = String::new();
        write_string(&mut out, &text);
        prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
    }

    #[test]
    fn whole_numbers_are_read_as_the_standard_library_reads_them(number in any::<u64>(), text in "[0-9]{0,22}|[0-9a:/]{8,16}") {
        prop_assert_eq!(value::unsigned(number.to_string().as_bytes()), Some(number));
        if !text.contains(|c: char| !c.is_ascii_digit()) && text.parse::<u64>().is_ok() {
            prop_assert_eq!(value::unsigned(text.as_bytes()), text.parse().ok());
        } else if text.contains(|c: char| !c.is_ascii_digit()) {
            prop_assert_eq!(value::unsigned(text.as_bytes()), None);
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        accepts(&bytes);
        _ = tree(&mut Cursor::new(&bytes));
    }
}

#[test]
fn nesting_is_limited() {
    let nested = |depth: u32| "[".repeat(depth as usize) + &"]".repeat(depth as usize);
    assert!(accepts(nested(MAX_DEPTH).as_bytes()));
    let reject = Cursor::new(nested(MAX_DEPTH + 1).as_bytes()).skip().unwrap_err();
    assert_eq!(reject.reason(), "JSON nested too deep");
}

#[test]
fn strings_that_are_not_unicode_are_read_with_replacements() {
    let read = |text: &[u8]| Cursor::new(text).value().ok().and_then(Value::str).map(std::borrow::Cow::into_owned);
    assert_eq!(read(b"\"caf\xe9\"").as_deref(), Some("caf\u{FFFD}"));
    assert_eq!(read(br#""\ud83d lone""#).as_deref(), Some("\u{FFFD} lone"));
    assert_eq!(read(br#""\ud83d\ude00""#).as_deref(), Some("\u{1F600}"));
}

#[test]
fn a_rejection_says_what_was_found_and_where() {
    let reject = |text: &str| Cursor::new(text.as_bytes()).skip().unwrap_err().to_string();
    assert_eq!(reject(r#"{"a":1,"b""#), "JSON ends early, at byte 10");
    assert_eq!(reject(r#"{"a":x}"#), "not JSON: unexpected 'x' at byte 5");
    assert_eq!(reject("[\"\u{1}\"]"), "not JSON: unexpected byte 0x01 at byte 2");
}
