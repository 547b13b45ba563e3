//! Invariants, on lines more strange than those of any log.

use proptest::prelude::*;

use super::*;

/// Lines made of the stuff of logs.
pub(super) fn line() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z]{1,8}",
        "[0-9]{1,6}",
        "[0-9a-f]{4,12}",
        "[a-z]{1,3}[0-9]{1,3}[a-z]{0,2}",
        "[ .:/=_@#+%,;()\\[\\]{}<>\"'-]{1,3}",
        Just(VARIABLE.to_owned()),
        Just(" ".to_owned()),
        Just("../".to_owned()),
        Just("http://".to_owned()),
        Just(".example.com".to_owned()),
        Just("10.0.0.1:80".to_owned()),
        Just("Jan 02".to_owned()),
        Just("15:04:05,123".to_owned()),
        Just("2006-01-02".to_owned()),
        Just("ms".to_owned()),
        Just("UTC".to_owned()),
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// Lines that have much in common, so that every rule of joining has something to join.
fn alike() -> impl Strategy<Value = Vec<String>> {
    let word = prop::sample::select(vec![
        "user",
        "alice",
        "bob",
        "carol",
        "dave",
        "opened",
        "closed",
        "on",
        "eth0",
        "eth1",
        "wlan0",
        "a.service",
        "b.service",
        "5",
        "7ms",
        "9 sec",
        "10 KB",
        "(3 KB)",
        "()",
        "\"one two\"",
        "\"three\"",
        "'x'",
        "k=v",
        "k=w",
        "STATE",
        "READY",
        "host:80",
        "x, y",
        "1, 2",
        "1, 2, 3",
        "task_12345678",
        "/var/log/x",
        "/login",
        "...",
        "[1]",
        ".....0",
        "=",
        "\"",
        "(",
        "µ",
    ]);
    let tail = prop::collection::vec(word, 0..6).prop_map(|words| words.join(" "));
    let head = prop::sample::select(vec!["", "session of ", "the link to the database was lost by "]);
    prop::collection::vec((head, tail).prop_map(|(head, tail)| format!("{head}{tail}")), 0..60)
}

fn distinct(lines: &[String]) -> Vec<String> {
    let mut shapes: Vec<String> = lines.iter().map(|line| shaped(line)).collect();
    shapes.sort();
    shapes.dedup();
    shapes
}

fn group(shapes: &[String]) -> Vec<(String, String)> {
    let borrowed: Vec<&str> = shapes.iter().map(String::as_str).collect();
    let grouping = Grouping::of(&borrowed);
    let template = |i: usize| grouping.template(grouping.group(i)).to_owned();
    let mut out: Vec<_> = shapes.iter().enumerate().map(|(i, shape)| (shape.clone(), template(i))).collect();
    out.sort();
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn shape__of_a_shape__is_itself(message in line()) {
        let once = shaped(&message);
        prop_assert_eq!(&shaped(&once), &once);
    }

    #[test]
    fn shape__of_any_text__is_bounded(message in prop_oneof![any::<String>(), line().prop_map(|l| l.repeat(60))]) {
        let once = shaped(&message);
        prop_assert!(once.len() <= LIMIT);
        prop_assert_eq!(&shaped(&once), &once);
    }

    #[test]
    fn grouping__of_any_order__is_the_same(lines in alike(), seed in any::<u64>()) {
        let shapes = distinct(&lines);
        let mut shuffled = shapes.clone();
        shuffled.sort_by_key(|shape| shape.bytes().fold(seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17)
        }));
        prop_assert_eq!(group(&shapes), group(&shuffled));
    }

    #[test]
    fn grouping__of_anything__fits_its_shapes(lines in prop_oneof![alike(), prop::collection::vec(line(), 0..20)]) {
        for (shape, template) in group(&distinct(&lines)) {
            prop_assert!(fits(&template, &shape), "{template:?} does not fit {shape:?}");
        }
    }

    #[test]
    fn of_lines__of_any_bytes__answers_each_line(data in prop::collection::vec(any::<u8>(), 0..300)) {
        let lines = data.split_inclusive(|&byte| byte == b'\n').count();
        let out = of_lines(&data);
        prop_assert_eq!(out.split_inclusive(|&byte| byte == b'\n').count(), lines);
    }
}
