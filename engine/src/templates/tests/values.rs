//! What the variables of templates held.

use proptest::prelude::*;

use super::*;

#[test]
fn fill__texts_that_fit__values_as_a_whole() {
    for (template, text, expected) in [
        ("opened", "opened", vec![]),
        ("<*> took <*>ms", "GET took 12ms", vec!["GET", "12"]),
        // The first colon is within the address.
        ("from <*>: <*>", "from 10.0.0.1:80: closed", vec!["10.0.0.1:80", "closed"]),
        ("listening on <*>.", "listening on 10.0.0.1.", vec!["10.0.0.1"]),
        (
            "read <*>, <*> left",
            "read Fri, 02 Jan 2026 15:04:05 GMT, 3 left",
            vec!["Fri, 02 Jan 2026 15:04:05 GMT", "3"],
        ),
        ("<*> of <*> (<*>)", "<*> of alice (<*>)", vec!["<*>", "alice", "<*>"]),
        ("from <*> (<*>) at <*>", "from 10.0.0.1 () at noon", vec!["10.0.0.1", "", "noon"]),
    ] {
        assert_eq!(fill(template, text), Some(expected), "{template}");
    }
    assert_eq!(fill("opened", "opened by"), None);
    assert_eq!(fill("took <*>ms", "took 12s"), None);
    assert_eq!(fill("<*> of <*> left", "3 left"), None);
}

fn samples(events: &[(u64, String)], most: usize) -> Samples {
    let mut samples = Samples::default();
    for (rank, message) in events {
        samples.offer(*rank, most, || values("order <*> of <*>", message));
    }
    samples
}

fn told(samples: &Samples) -> Variables {
    Variables::of("order <*> of <*>", [("order <*> of <*>", samples)], 10)
}

fn event() -> impl Strategy<Value = (u64, String)> {
    (any::<u64>(), 0..40_u32, "[a-z]{1,6}").prop_map(|(rank, number, name)| (rank, format!("order {number} of {name}")))
}

proptest! {
    #[test]
    fn samples__apart_and_merged__as_together(a in prop::collection::vec(event(), 0..60), b in prop::collection::vec(event(), 0..60), c in prop::collection::vec(event(), 0..60), most in 1..40_usize) {
        let all = [a.clone(), b.clone(), c.clone()].concat();
        let (a, b, c) = (samples(&a, most), samples(&b, most), samples(&c, most));
        let merged = |x: &Samples, y: &Samples| {
            let mut x = x.clone();
            let before = x.bytes();
            let changed = x.merge(y.clone(), most);
            assert_eq!(x.bytes(), before.saturating_add_signed(changed));
            x
        };
        let left = merged(&merged(&a, &b), &c);
        prop_assert_eq!(&left, &merged(&a, &merged(&b, &c)));
        prop_assert_eq!(&left, &merged(&c, &merged(&b, &a)));
        prop_assert_eq!(&left, &samples(&all, most));
        prop_assert!(left.iter().count() <= most);
        prop_assert_eq!(left.seen(), all.len() as u64);
    }

    /// Few messages are all there: what is said of them is exact.
    #[test]
    fn variables__of_few_messages__exact(events in prop::collection::vec(event(), 1..30)) {
        let told = told(&samples(&events, 32));
        prop_assert_eq!((told.messages, told.sampled), (events.len() as u64, events.len() as u64));
        let numbers = events.iter().map(|(_, text)| text.split(' ').nth(1).unwrap().parse::<f64>().unwrap());
        let range = told.slots[0].range.unwrap();
        prop_assert_eq!((range.min, range.max), (numbers.clone().fold(f64::MAX, f64::min), numbers.fold(0.0, f64::max)));
        let mut names: Vec<&str> = events.iter().map(|(_, text)| text.rsplit(' ').next().unwrap()).collect();
        names.sort_unstable();
        for share in &told.slots[1].values {
            let count = names.iter().filter(|name| **name == share.value).count();
            prop_assert!((share.share - count as f64 / names.len() as f64).abs() < 1e-9);
        }
        names.dedup();
        prop_assert_eq!(told.slots[1].distinct, names.len());
    }

    #[test]
    fn fill__any_message_and_its_shape__text_again(line in super::properties::line()) {
        let shape = shaped(&line);
        let text = super::super::fill::folded(&line);
        if let Some(values) = fill(&shape, &text) {
            let mut values = values.into_iter();
            let mut parts = shape.split(VARIABLE);
            let mut again = parts.next().unwrap().to_owned();
            for part in parts {
                again += values.next().unwrap();
                again += part;
            }
            prop_assert_eq!(again, text);
        }
    }
}

#[test]
fn variables__of_many_messages__shares_about_right() {
    let mut random = 7_u64;
    let mut samples = Samples::default();
    for number in 0..20_000_u64 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let name = if number % 4 == 0 { "bob" } else { "alice" };
        let message = format!("order {number} of {name}");
        samples.offer(random, 400, || values("order <*> of <*>", &message));
    }
    let told = told(&samples);
    assert_eq!((told.messages, told.sampled), (20_000, 400));
    let alice = &told.slots[1].values[0];
    assert!(alice.value == "alice" && (alice.share - 0.75).abs() < 0.08, "{alice:?}");
}

#[test]
fn variables__words_that_shapes_differ_in__values_too() {
    let lines = "connected to eu by alice\nconnected to eu by bob\nconnected to eu by carol\nconnected to eu by dave\n";
    let said = String::from_utf8(values_of_lines(lines.repeat(5).as_bytes(), 2)).unwrap();
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["template"], "connected to eu by <*>");
    assert_eq!((&said["messages"], &said["sampled"]), (&20.into(), &20.into()));
    assert_eq!(said["slots"][0]["distinct"], 4);
    assert_eq!(said["slots"][0]["values"][0], serde_json::json!({"value": "alice", "share": 0.25}));
}

#[test]
fn samples__secrets__not_kept() {
    let mut samples = Samples::default();
    samples.offer(1, 8, || values("mail <*> to <*> sent", "mail 17 to jane.doe@example.org sent"));
    let kept: Vec<String> = samples.iter().flat_map(|(_, values)| values.map(str::to_owned)).collect();
    assert_eq!(kept, ["17", "[redacted]"]);
}
