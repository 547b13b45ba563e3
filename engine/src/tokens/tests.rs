//! The splitter against the expressions it stands for, merging against its definition, and what the module promises.
//! `tests/test_tokens.py` compares all of it with tiktoken.

use fancy_regex::Regex;
use proptest::prelude::*;
use regex_syntax::hir::{Class as HirClass, HirKind};

use super::class::{Class, Classes};
use super::split::{Pieces, Rule};
use super::{Encoding, UnknownEncoding, is_additive, merge, split, truncate};

const CL100K: &str = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s";
const O200K: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);

fn encodings() -> impl Iterator<Item = &'static Encoding> {
    Encoding::names().iter().map(|name| Encoding::named(name).unwrap())
}

/// Text of what the expressions tell apart: every class, contractions, line ends, runs, and any character at all.
fn text() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        8 => proptest::sample::select(vec![
            "'", "s", "S", "\u{17f}", "t", "re", "VE", "ll", "lL", "\u{212a}", "d", "M", "a", "bc", "A", "BC", "Ab", "ǅ",
            "ʰ", "あ", "漢字", "\u{301}", "\u{20dd}", "\u{fe0f}", "\u{200d}", "👩", "1", "22", "333", "½", "٣", "Ⅷ",
        ]).prop_map(str::to_owned),
        6 => proptest::sample::select(vec![
            " ", "  ", "\t", "\n", "\r", "\r\n", "\u{b}", "\u{85}", "\u{a0}", "\u{2028}", "\u{3000}", " \n", "\n ",
            "/", ".", "!!", "-", "<|endoftext|>", "\u{0}", "\u{1b}", "\u{1c}", "\u{200b}", "\u{feff}",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => ("[ -~]", 1..40_usize).prop_map(|(char, times)| char.repeat(times)),
    ];
    proptest::collection::vec(atom, 0..24).prop_map(|atoms| atoms.concat())
}

/// A line that counting is additive over.
fn line() -> impl Strategy<Value = String> {
    text()
        .prop_map(|text| {
            let body = text.replace(['\r', '\n'], " ");
            format!("{}\n", body.trim_start_matches(|first: char| first == '/' || first.is_whitespace()))
        })
        .prop_filter("blank", |line| is_additive(line))
}

fn pieces(text: &str, rule: Rule) -> Vec<&str> {
    Pieces::new(text, rule, Classes::get()).collect()
}

fn matches<'a>(text: &'a str, expression: &Regex) -> Vec<&'a str> {
    expression.find_iter(text).map(|found| found.unwrap().as_str()).collect()
}

#[test]
fn classes_are_those_of_regex_syntax() {
    let expected = [
        (r"[\r\n]", Class::Newline),
        (r"[\s--[\r\n]]", Class::Space),
        (r"\p{N}", Class::Number),
        (r"[\p{Lu}\p{Lt}]", Class::Upper),
        (r"\p{Ll}", Class::Lower),
        (r"[\p{Lm}\p{Lo}]", Class::Caseless),
        (r"\p{M}", Class::Mark),
        (r"[^\s\p{L}\p{N}\p{M}]", Class::Other),
    ];
    let mut seen = 0;
    for (expression, class) in expected {
        let HirKind::Class(HirClass::Unicode(ranges)) = regex_syntax::parse(expression).unwrap().into_kind() else {
            panic!("{expression} is no class");
        };
        for char in ranges.ranges().iter().flat_map(|range| range.start()..=range.end()) {
            let text = char.to_string();
            assert_eq!(Classes::get().at(&text, 0), Some((class, text.len())), "{char:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, 0x11_0000 - 0x800, "every character has exactly one class");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn splitting_is_that_of_the_expressions(text in text()) {
        thread_local! {
            static EXPRESSIONS: [Regex; 2] = [Regex::new(CL100K).unwrap(), Regex::new(O200K).unwrap()];
        }
        EXPRESSIONS.with(|[cl100k, o200k]| {
            prop_assert_eq!(pieces(&text, split::cl100k_base), matches(&text, cl100k));
            prop_assert_eq!(pieces(&text, split::o200k_base), matches(&text, o200k));
            Ok(())
        })?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn counting_is_additive_over_lines(lines in proptest::collection::vec(line(), 0..6)) {
        for encoding in encodings() {
            let apart: Vec<u32> = lines.iter().flat_map(|line| encoding.encode(line)).collect();
            prop_assert_eq!(encoding.encode(&lines.concat()), apart);
            let sum: usize = lines.iter().map(|line| encoding.count_line(line.trim_end_matches('\n'))).sum();
            prop_assert_eq!(encoding.count(&lines.concat()), sum);
        }
    }

    #[test]
    fn ids_are_of_the_bytes_and_as_many_as_counted(text in text()) {
        for encoding in encodings() {
            let ids = encoding.encode(&text);
            let bytes: Vec<u8> = ids.iter().flat_map(|&id| encoding.vocabulary.token(id)).copied().collect();
            prop_assert_eq!(bytes, text.as_bytes());
            prop_assert_eq!(encoding.count(&text), ids.len());
            prop_assert!(encoding.fits(&text, ids.len()));
            prop_assert!(ids.is_empty() || !encoding.fits(&text, ids.len() - 1));
        }
    }

    #[test]
    fn merging_is_that_of_the_definition(piece in "[a-dA-D ]{1,40}|[a-z0-9]{100,300}|[\u{3041}-\u{3096}]{30,90}") {
        for encoding in encodings() {
            let mut merged = Vec::new();
            merge::merge(&encoding.vocabulary, piece.as_bytes(), |id| merged.push(id));
            prop_assert_eq!(merged, defined(encoding, piece.as_bytes()));
        }
    }

    #[test]
    fn truncating_keeps_the_longest_prefix_or_a_tidy_one_near_it(text in text(), budget in 0..30_usize) {
        for encoding in encodings() {
            let kept = encoding.truncate(&text, budget);
            prop_assert!(text.starts_with(kept));
            prop_assert!(encoding.count(kept) <= budget);
            let longest = (0..=text.len())
                .rev()
                .filter(|&cut| text.is_char_boundary(cut))
                .find(|&cut| encoding.count(&text[..cut]) <= budget)
                .unwrap();
            if kept.len() < longest {
                prop_assert!(longest - kept.len() <= truncate::NEAR);
                prop_assert!(text[kept.len()..].starts_with(char::is_whitespace), "{kept:?} of {text:?}");
            } else {
                prop_assert_eq!(kept.len(), longest);
            }
        }
    }
}

/// Byte-pair merging in the plainest words.
fn defined(encoding: &Encoding, piece: &[u8]) -> Vec<u32> {
    let mut parts: Vec<&[u8]> = piece.chunks(1).collect();
    let joined = |parts: &[&[u8]], at: usize| encoding.vocabulary.rank(&parts[at..at + 2].concat());
    while let Some((_, at)) = (0..parts.len() - 1).filter_map(|at| Some((joined(&parts, at)?, at))).min() {
        let start = parts[..at].iter().map(|part| part.len()).sum::<usize>();
        let length = parts[at].len() + parts[at + 1].len();
        parts.splice(at..at + 2, [&piece[start..start + length]]);
    }
    parts.iter().map(|part| encoding.vocabulary.rank(part).unwrap()).collect()
}

#[test]
fn known_ids() {
    let o200k = Encoding::named("o200k_base").unwrap();
    let cl100k = Encoding::named("cl100k_base").unwrap();
    assert_eq!(o200k.encode("hello world"), [24912, 2375]);
    assert_eq!(cl100k.encode("hello world"), [15339, 1917]);
    assert_eq!(o200k.count("<|endoftext|>"), 7);
    assert_eq!(cl100k.count("<|endoftext|>"), 7);
    assert_eq!((o200k.count(""), o200k.encode("").len()), (0, 0));
}

#[test]
fn every_token_has_its_rank() {
    for (encoding, number) in encodings().zip([199_998, 100_256]) {
        assert_eq!(encoding.vocabulary().len(), number);
        for (rank, token) in (0_u32..).zip(encoding.vocabulary()) {
            assert_eq!(encoding.vocabulary.rank(token), Some(rank));
        }
    }
}

#[test]
fn a_long_piece_takes_no_quadratic_time() {
    for encoding in encodings() {
        assert_eq!(encoding.count(&" ".repeat(100_000)), 782);
        let kept = encoding.truncate(&"qzxk".repeat(250_000), 100).len();
        assert!((100..1000).contains(&kept), "{kept}");
    }
}

#[test]
fn an_unknown_encoding_names_those_there_are() {
    let error = Encoding::named("p50k_base").unwrap_err();
    assert_eq!(error, UnknownEncoding("p50k_base".to_owned()));
    assert_eq!(error.to_string(), r#"unknown encoding "p50k_base"; there are: o200k_base, cl100k_base"#);
}

#[test]
fn additive_lines_are_told_from_others() {
    for line in ["x\n", "# 41 more\n", "a / b  \n", "\u{301}x\n"] {
        assert!(is_additive(line), "{line:?}");
    }
    for line in ["", "x", "\n", " x\n", "/x\n", "x\r\n", "x\ny\n", "\u{2028}x\n"] {
        assert!(!is_additive(line), "{line:?}");
    }
}
