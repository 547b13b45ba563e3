//! Trace Event Format: documents in every form in which they are found, and what their events mean.

use proptest::prelude::*;

use super::super::{Format, Memory, Reader, decode, detect};
use super::CONTEXT;
use crate::event::{Event, Kind};

/// What a document says: events without the bytes they stand in, and how many records were rejected.
fn read(document: &str) -> (Vec<Event<'static>>, usize) {
    let mut reader = Reader::default();
    let mut context = CONTEXT;
    let (mut rest, mut all, mut events, mut rejected) = (document.as_bytes(), Vec::new(), Vec::new(), 0);
    loop {
        events.clear();
        let Some(record) = reader.next(rest, None, &mut context, usize::MAX, &mut events) else { break };
        rest = &rest[record.bytes.len()..];
        rejected += usize::from(record.found.is_err());
        all.extend(events.iter().map(|event| Event {
            service: event.service.clone().into_owned().into(),
            operation: event.operation.clone().into_owned().into(),
            message: event.message.clone().into_owned().into(),
            attributes: crate::event::Attributes::None,
            raw: &[],
            ..*event
        }));
    }
    (all, rejected)
}

/// Name, duration and own time in microseconds of each.
fn calls(document: &str) -> Vec<(String, u64, Option<u64>)> {
    let (events, rejected) = read(document);
    assert_eq!(rejected, 0, "{document}");
    events
        .iter()
        .map(|event| {
            (event.operation.clone().into_owned(), event.duration.unwrap_or(0) / 1000, event.own.map(|own| own / 1000))
        })
        .collect()
}

const EVENTS: &str = r#"{"ph":"M","pid":1,"tid":0,"ts":0,"name":"process_name","args":{"name":"Renderer"}}
{"name":"outer","cat":"c","ph":"B","pid":1,"tid":2,"ts":1000.5,"args":{"a":[1,{"b":"}]"}]}}
{"name":"inner","ph":"X","pid":1,"tid":2,"ts":1010,"dur":5.25}
{"ph":"E","pid":1,"tid":2,"ts":1100.5}
{"name":"mark","ph":"i","s":"t","pid":1,"tid":2,"ts":1101}"#;

#[test]
fn a_document_says_the_same_in_any_form() {
    let lines: Vec<&str> = EVENTS.lines().collect();
    let (expected, rejected) = read(&format!("[{}]", lines.join(",")));
    assert_eq!((expected.len(), rejected), (3, 0));
    let names: Vec<_> = expected.iter().map(|event| (&*event.service, &*event.operation, event.duration)).collect();
    assert_eq!(
        names,
        [("Renderer", "inner", Some(5_250)), ("Renderer", "outer", Some(100_000)), ("Renderer", "", None)]
    );
    assert_eq!((expected[2].kind, &*expected[2].message), (Kind::Log, "mark"));
    assert_eq!(expected[1].own, Some(94_750));
    let pretty = |document: &str| {
        serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(document).unwrap()).unwrap()
    };
    let array = format!("[{}]", lines.join(","));
    let forms = [
        // Not closed, with and without a comma at the end.
        format!("[{}", lines.join(",")),
        format!("[\n{},\n", lines.join(",\n")),
        format!("[\n{}\n]\n", lines.join("\n,")),
        format!("\u{FEFF}[{}\n]", lines.join(",\r\n")),
        pretty(&array),
        // One to a line, and nothing else.
        format!("{}\n", lines.join("\n")),
        format!("{{\"traceEvents\":{array}}}"),
        format!("{{\"traceEvents\": {array}, \"displayTimeUnit\": \"ns\", \"metadata\": {{\"a\": [{{}}]}}}}"),
        format!("{{\"displayTimeUnit\":\"ms\",\"otherData\":{{\"v\":\"{{[\"}},\"n\":1,\"traceEvents\":{array}}}\n"),
        pretty(&format!(
            "{{\"schemaVersion\":1,\"deviceProperties\":[{{\"id\":0}}],\"traceEvents\":{array},\"z\":null}}"
        )),
        // Another one behind it.
        format!("{array}\n[{{\"ph\":\"C\",\"pid\":1,\"ts\":5}}]"),
        format!("{{\"traceEvents\":{},\"systemTraceEvents\":\"# tracer: nop\\n {{\"}}", pretty(&array)),
    ];
    for form in forms {
        let (events, rejected) = read(&form);
        assert_eq!(detect(form.as_bytes(), true), Some(Format::Chrome), "{form}");
        // Which keys come first is another thing in a pretty document than their order in a line.
        assert_eq!((events, rejected), (expected.clone(), 0), "{form}");
    }
}

#[test]
fn a_huge_document_on_one_line_is_read_event_by_event() {
    let mut document = "{\"traceEvents\":[".to_owned();
    for at in 0..2_000 {
        document += &format!("{{\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":{at},\"dur\":1,\"name\":\"n\"}},");
    }
    let (mut reader, mut context, mut events) = (Reader::default(), CONTEXT, Vec::new());
    let mut rest = document.as_bytes();
    while let Some(record) = reader.next(rest, None, &mut context, 200, &mut events) {
        assert!(record.found.is_ok());
        rest = &rest[record.bytes.len()..];
    }
    assert_eq!(events.len(), 2_000);
}

#[test]
fn an_event_over_the_limit_is_refused_alone() {
    let long = "x".repeat(500);
    let document = format!(
        "[{{\"ph\":\"i\",\"ts\":1,\"name\":\"a\"}},{{\"ph\":\"i\",\"ts\":2,\"name\":\"b{long}{{\\\"\",\"args\":{{\"x\":[]}}}},{{\"ph\":\"i\",\"ts\":3,\"name\":\"c\"}}]"
    );
    let (mut reader, mut context, mut events) = (Reader::default(), CONTEXT, Vec::new());
    // As a source hands it on: the part over the limit as it is, cut anywhere.
    let mut names = Vec::new();
    let (mut at, mut refused) = (0, 0);
    for end in [document.find("},{").unwrap() + 1, 300, 500, document.len()] {
        while let Some(record) =
            reader.next(&document.as_bytes()[at..end], Some(Format::Chrome), &mut context, 100, &mut events)
        {
            at += record.bytes.len();
            refused += usize::from(record.found.is_err());
        }
        names.extend(events.drain(..).map(|event| event.message.into_owned()));
    }
    assert_eq!((names.concat(), at), ("ac".to_owned(), document.len()));
    assert_eq!(refused, 3);
}

#[test]
fn a_damaged_event_takes_none_of_its_neighbours_with_it() {
    let document = "[\n{\"ph\":\"i\",\"ts\":1,\"name\":\"a\"},\n{\"ph\":\"i\",\"ts\":2,\"na\n{\"ph\":\"i\",\"ts\":3,\"args\":{\"x\":\n{\"ph\":\"i\",\"ts\":4,\"name\":\"d\"},\nnonsense\n{\"ph\":\"i\",\"ts\":5,\"name\":\"e\"}]";
    let (events, rejected) = read(document);
    let messages: Vec<_> = events.iter().map(|event| &*event.message).collect();
    assert_eq!((messages.as_slice(), rejected), (&["a", "d", "nonsense", "e"][..], 2));
}

#[test]
fn what_is_no_trace_is_not_taken_for_one() {
    for text in [
        "[{\"level\":\"info\",\"msg\":\"ph\"}]",
        "{\"ph\":\"acid\",\"ts\":5}",
        "{\"msg\":\"traceEvents\",\"ts\":1}",
        "{\"ph\":\"B\"}",
        "[\n",
    ] {
        assert_eq!(detect(text.as_bytes(), true), Some(Format::Json), "{text}");
    }
    // The format is asked for before it can be told.
    assert_eq!(detect(b"[\n", false), None);
    assert_eq!(detect(b"[{\"pid\":1,\"args\":{\"name\":", false), None);
    // A line that was cut for good is not waited for.
    assert_eq!(detect(b"{\"pid\":1,\"args\":{\"na\n{\"msg\":\"a\"}\n", false), Some(Format::Json));
}

fn threads(events: &[(&str, &str, f64, &str)]) -> String {
    let lines: Vec<String> = events
        .iter()
        .map(|(phase, name, time, more)| {
            format!("{{\"ph\":\"{phase}\",\"name\":\"{name}\",\"pid\":1,\"ts\":{time},{more}\"tid\":1}}")
        })
        .collect();
    format!("[{}]", lines.join(",\n"))
}

#[test]
fn ends_find_their_beginnings() {
    let some = |name: &str, took, own| (name.to_owned(), took, Some(own));
    // An end of another name than any that is open closes nothing; one without a name closes the innermost.
    assert_eq!(
        calls(&threads(&[
            ("B", "a", 0., ""),
            ("B", "b", 1., ""),
            ("E", "z", 2., ""),
            ("E", "", 4., ""),
            ("E", "", 9., "")
        ])),
        [some("b", 3, 3), some("a", 9, 6)]
    );
    // One whose end is missing never becomes a span, and harms neither what it was called by nor what comes after.
    assert_eq!(
        calls(&threads(&[
            ("B", "a", 0., ""),
            ("B", "b", 1., ""),
            ("B", "lost", 2., ""),
            ("E", "b", 5., ""),
            ("B", "c", 6., ""),
            ("E", "c", 7., ""),
            ("E", "", 10., ""),
            ("E", "", 11., ""),
        ])),
        [some("b", 4, 4), some("c", 1, 1), some("a", 10, 5)]
    );
    // Ends in the wrong order.
    assert_eq!(
        calls(&threads(&[("B", "a", 0., ""), ("B", "b", 1., ""), ("E", "a", 5., ""), ("E", "b", 6., "")])),
        [some("a", 5, 5), some("b", 5, 5)]
    );
}

#[test]
fn asynchronous_events_are_paired_by_what_identifies_them() {
    let names = |events: &[(&str, &str, f64, &str)]| {
        let mut found: Vec<_> = calls(&threads(events)).into_iter().map(|(name, took, _)| (name, took)).collect();
        found.sort();
        found
    };
    let pair = |name: &str, took| (name.to_owned(), took);
    assert_eq!(
        names(&[
            ("b", "req", 0., "\"cat\":\"net\",\"id\":\"0x1\","),
            ("b", "req", 1., "\"cat\":\"net\",\"id\":\"0x2\","),
            ("b", "wait", 2., "\"cat\":\"net\",\"id\":\"0x1\","),
            ("e", "", 4., "\"cat\":\"net\",\"id\":\"0x1\","),
            ("e", "req", 7., "\"cat\":\"net\",\"id\":\"0x1\","),
            ("e", "req", 20., "\"cat\":\"net\",\"id\":\"0x2\","),
            ("e", "req", 30., "\"cat\":\"gpu\",\"id\":\"0x2\","),
        ]),
        [pair("req", 7), pair("req", 19), pair("wait", 2)]
    );
    // The old ones, by name too; and ids of one process alone, or within a scope.
    assert_eq!(
        names(&[
            ("S", "x", 0., "\"id\":1,"),
            ("S", "y", 1., "\"id\":1,"),
            ("T", "x", 2., "\"id\":1,"),
            ("F", "x", 3., "\"id\":1,"),
            ("F", "y", 5., "\"id\":1,"),
            ("b", "l", 0., "\"id2\":{\"local\":\"1\"},"),
            ("b", "g", 0., "\"id2\":{\"global\":\"1\"},"),
            ("e", "l", 6., "\"id2\":{\"local\":\"1\"},"),
            ("e", "g", 7., "\"id2\":{\"global\":\"1\"},"),
            ("b", "s", 0., "\"id\":9,\"scope\":\"a\","),
            ("e", "s", 8., "\"id\":9,\"scope\":\"b\","),
        ]),
        [pair("g", 7), pair("l", 6), pair("x", 3), pair("y", 4)]
    );
}

#[test]
fn a_reading_that_is_a_time_stays_and_another_counts_from_when_it_came() {
    let (events, _) = read("[{\"ph\":\"X\",\"ts\":1700000000000000.5,\"dur\":1,\"name\":\"a\"}]");
    assert_eq!(events[0].time, Some(1_700_000_000_000_001_500));
    let (events, _) =
        read("[{\"ph\":\"X\",\"ts\":\"100\",\"dur\":50,\"name\":\"a\"},{\"ph\":\"i\",\"ts\":2e2,\"name\":\"b\"}]");
    assert_eq!(events[0].time, Some(CONTEXT.received));
    assert_eq!(events[1].time, Some(CONTEXT.received + 50_000));
}

#[test]
fn a_process_without_a_name_has_that_of_its_thread() {
    let (events, _) = read(
        "[{\"ph\":\"M\",\"pid\":7,\"tid\":8,\"name\":\"thread_name\",\"args\":{\"name\":\"worker\"}},{\"ph\":\"i\",\"pid\":7,\"tid\":8,\"ts\":1,\"name\":\"a\"},{\"ph\":\"i\",\"pid\":7,\"tid\":9,\"ts\":1,\"name\":\"a\"}]",
    );
    assert_eq!(events.iter().map(|event| &*event.service).collect::<Vec<_>>(), ["worker", ""]);
}

/// A call and those below it: when it starts after what came before it, in microseconds, and what follows its last call.
#[derive(Clone, Debug)]
struct Tree {
    before: u64,
    after: u64,
    below: Vec<Tree>,
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = (1_u64..9, 1_u64..9).prop_map(|(before, after)| Tree { before, after, below: Vec::new() });
    leaf.prop_recursive(4, 24, 4, |inner| {
        (1_u64..9, 1_u64..9, prop::collection::vec(inner, 0..4)).prop_map(|(before, after, below)| Tree {
            before,
            after,
            below,
        })
    })
}

/// Start, end and own time of each call, in the order in which they start; and of begins and ends, in order.
fn run(tree: &Tree, now: &mut u64, calls: &mut Vec<(u64, u64, u64)>, marks: &mut Vec<(bool, u64)>) -> u64 {
    *now += tree.before;
    let start = *now;
    let place = calls.len();
    calls.push((0, 0, 0));
    marks.push((true, start));
    let below: u64 = tree.below.iter().map(|tree| run(tree, now, calls, marks)).sum();
    *now += tree.after;
    marks.push((false, *now));
    calls[place] = (start, *now, *now - start - below);
    *now - start
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nested_calls_come_back_as_they_were(trees in prop::collection::vec(tree(), 1..4), cut in 0_usize..2000) {
        let (mut now, mut expected, mut marks) = (0, Vec::new(), Vec::new());
        for tree in &trees {
            run(tree, &mut now, &mut expected, &mut marks);
        }
        let begin_and_end: Vec<String> = marks.iter().map(|(begins, at)| {
            format!("{{\"ph\":\"{}\",\"pid\":1,\"tid\":1,\"ts\":{at},\"name\":\"\"}}", if *begins { 'B' } else { 'E' })
        }).collect();
        let whole = |calls: &[(u64, u64, u64)]| -> Vec<String> {
            calls.iter().map(|(start, end, _)| {
                format!("{{\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":{start},\"dur\":{},\"name\":\"\"}}", end - start)
            }).collect()
        };
        let mut by_end = expected.clone();
        by_end.sort_by_key(|(_, end, _)| *end);
        let spans = |lines: &[String]| {
            // However the stream is cut: what is remembered between is kept in a snapshot.
            let mut events: Vec<Event<'static>> = Vec::new();
            let mut memory = Memory::default();
            for (at, line) in lines.iter().enumerate() {
                let mut found = Vec::new();
                decode(Format::Chrome, line.as_bytes(), &CONTEXT, &mut memory, &mut found).unwrap();
                events.extend(found.into_iter().map(|event| Event {
                    attributes: crate::event::Attributes::None, raw: &[], service: "".into(), operation: "".into(), message: "".into(), ..event
                }));
                if at == cut % lines.len() {
                    memory = postcard::from_bytes(&postcard::to_stdvec(&memory).unwrap()).unwrap();
                }
            }
            assert_eq!(memory.unpaired(), 0);
            events
        };
        let owns = |events: &[Event<'_>]| -> Vec<(u64, u64)> {
            let mut owns: Vec<_> = events.iter().map(|event| {
                // Of those without, the engine finds out by their ids.
                let below: u64 = events.iter().filter(|other| other.parent == event.span && event.span != 0).filter_map(|other| other.duration).sum();
                let took = event.duration.unwrap();
                (took / 1000, event.own.unwrap_or(took - below) / 1000)
            }).collect();
            owns.sort_unstable();
            owns
        };
        let mut wanted: Vec<(u64, u64)> = expected.iter().map(|(start, end, own)| (end - start, *own)).collect();
        wanted.sort_unstable();
        prop_assert_eq!(owns(&spans(&begin_and_end)), wanted.clone());
        prop_assert_eq!(owns(&spans(&whole(&by_end))), wanted.clone());
        prop_assert_eq!(owns(&spans(&whole(&expected))), wanted);
    }
}
