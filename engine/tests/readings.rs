//! What was summed up for one reading and is used for the next changes nothing: who remembers and who does not say the same.
#![allow(clippy::unwrap_used, non_snake_case)]

use std::fmt::Write as _;

use proptest::prelude::*;
use tracegist_engine::query::{self, whole::Whole};
use tracegist_engine::snapshot;
use tracegist_engine::state::sums::Sums;
use tracegist_engine::state::{Limits, State};
use tracegist_engine::summary::{Request, summarize};

const START: i64 = 1_700_000_000;

/// What happens between two readings.
#[derive(Clone, Debug)]
enum Step {
    /// So many spans, each of a service and an operation, the newest so many seconds after the newest before.
    Spans { ahead: i64, of: Vec<(u8, u8, i64, u64)> },
    /// Timelines become coarser, as where memory is short: one of so many, or all.
    Coarsen(u32),
    /// The state is left and found again.
    Restore,
    /// Another state is taken in.
    Merge(Vec<(u8, u8, i64, u64)>),
}

fn spans() -> impl Strategy<Value = Vec<(u8, u8, i64, u64)>> {
    // Service, operation, seconds before the newest, microseconds; most come soon, some late.
    let late = prop_oneof![6 => 0i64..3, 2 => 0i64..400, 1 => 0i64..9_000];
    prop::collection::vec((0u8..3, 0u8..5, late, 1u64..100_000), 1..12)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ahead = prop_oneof![3 => Just(0i64), 6 => 1i64..3, 2 => 8i64..14, 1 => 20i64..200, 1 => 300i64..8_000];
    let step = prop_oneof![
        12 => (ahead, spans()).prop_map(|(ahead, of)| Step::Spans { ahead, of }),
        1 => (1u32..4).prop_map(Step::Coarsen),
        1 => Just(Step::Restore),
        1 => spans().prop_map(Step::Merge),
    ];
    prop::collection::vec(step, 1..25)
}

fn lines(of: &[(u8, u8, i64, u64)], now: i64) -> String {
    let mut out = String::new();
    for (at, &(service, operation, late, took)) in of.iter().enumerate() {
        let (end, name) = (now - late, char::from(b'a' + operation));
        let status = if (took + at as u64).is_multiple_of(7) { r#","status":{"code":2}"# } else { "" };
        writeln!(
            out,
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"s{service}"}}}}]}},"scopeSpans":[{{"spans":[{{"traceId":"{:032x}","spanId":"{:016x}","parentSpanId":"{}","name":"call {name}","kind":2,"startTimeUnixNano":"{}","endTimeUnixNano":"{end}000000000"{status}}}]}}]}}]}}"#,
            end / 20 + 1,
            end * 1_000 + i64::from(service) * 100 + i64::from(operation) * 10 + 1,
            if service > 0 { format!("{:016x}", end * 1_000 + i64::from(operation) * 10 + 1) } else { String::new() },
            end * 1_000_000_000 - i64::try_from(took).unwrap() * 1_000,
        )
        .unwrap();
        if took % 3 == 0 {
            writeln!(
                out,
                r#"{{"time":{end},"level":"info","service":"s{service}","msg":"order {took} {name} went to {name}"}}"#
            )
            .unwrap();
        }
    }
    out
}

fn limits(series: usize) -> Limits {
    Limits { max_series: series, ..Limits::default() }
}

fn enter(state: &mut State, step: &Step, now: i64) {
    match step {
        Step::Spans { of, .. } => {
            state.ingest("stream", lines(of, now).as_bytes(), now * 1_000_000_000, None, None);
        }
        Step::Coarsen(of) => {
            for id in state.table.occupied().into_iter().filter(|id| id % of == 0) {
                state.table.record_mut(id).timeline.coarsen();
            }
        }
        Step::Restore => *state = snapshot::decode(&snapshot::capture(state).encode(), state.limits).unwrap(),
        Step::Merge(of) => {
            let mut other = State::new(state.limits);
            other.ingest("other", lines(of, now).as_bytes(), now * 1_000_000_000, None, None);
            snapshot::merge(state, &snapshot::capture(&mut other).encode()).unwrap();
        }
    }
}

const QUESTIONS: [&str; 16] = [
    r#"{"select":"count,errors,origins,p50,p95,self_p99,sum","since":"5m"}"#,
    r#"{"what":"diff","since":"1m","compare":"2m"}"#,
    r#"{"group_by":"service","select":"count,p95,max","since":"20m","compare":"baseline"}"#,
    r#"{"where":"service=s1","select":"count,mean","since":"2m"}"#,
    r#"{"what":"templates"}"#,
    r#"{"what":"edges","since":"all"}"#,
    r#"{"what":"facts","since":"3m"}"#,
    r#"{"group_by":"time:10s","since":"5m"}"#,
    r#"{"group_by":"service,time:5s","select":"count,origins,path,p95,self_p99,series","since":"2m"}"#,
    r#"{"group_by":"service,time:20s","select":"rate,first,last","since":"2m"}"#,
    r#"{"group_by":"kind,status,time:1m","since":"all"}"#,
    r#"{"group_by":"time:1s","where":"duration>10ms","select":"count,p95","since":"30s","until":"5s"}"#,
    r#"{"what":"timeline"}"#,
    r#"{"what":"timeline","group_by":"service","since":"7m","until":"20s"}"#,
    r#"{"what":"timeline","group_by":"service","select":"p95","since":"20m"}"#,
    r#"{"what":"timeline","group_by":"operation,time:3s","where":"service=s1"}"#,
];

/// Everything that is said of a state: one summary, and one answer.
fn said(state: &mut State, window: i64, question: usize) -> String {
    let request = Request { budget: 1_500, window, ..Request::default() };
    let mut out = serde_json::to_string(&summarize(state, &request).unwrap()).unwrap();
    let request = query::Request::from_json(QUESTIONS[question % QUESTIONS.len()].as_bytes()).unwrap();
    let answer = query::table(state, &request)
        .map_err(|error| error.to_string())
        .and_then(|table| query::page(&Whole::of(table), &request).map_err(|error| error.to_string()));
    match answer {
        Ok(answer) => out += &serde_json::to_string(&answer).unwrap(),
        Err(error) => out += &error,
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn readings__sums_kept_or_forgotten__the_same_is_said(
        steps in steps(),
        windows in prop::collection::vec(prop_oneof![4 => Just(300i64), 1 => Just(60), 1 => Just(1_200)], 25),
        questions in prop::collection::vec(0..QUESTIONS.len(), 1..4),
        picked in prop::collection::vec(any::<prop::sample::Index>(), 25),
        series in prop_oneof![3 => Just(10_000usize), 1 => Just(12usize)],
    ) {
        let (mut keeps, mut forgets) = (State::new(limits(series)), State::new(limits(series)));
        let mut now = START;
        for ((step, window), picked) in steps.iter().zip(windows).zip(picked) {
            let question = *picked.get(&questions);
            if let Step::Spans { ahead, .. } = step {
                now += ahead;
            }
            enter(&mut keeps, step, now);
            enter(&mut forgets, step, now);
            forgets.table.keep_sums(Sums::default());
            prop_assert_eq!(said(&mut keeps, window, question), said(&mut forgets, window, question));
        }
    }
}
