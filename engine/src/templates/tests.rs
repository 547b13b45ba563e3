//! What holds of every shape and every grouping.

use proptest::prelude::*;

use super::*;

fn shaped(message: &str) -> String {
    let mut out = String::new();
    shape(message, &mut out);
    out
}

/// Lines made of the stuff of logs, more often strange than not.
fn line() -> impl Strategy<Value = String> {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

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
}
