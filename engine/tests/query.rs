//! What an answer promises: within its budget, nothing lost between its pages, totals of everything.
#![allow(non_snake_case, clippy::unwrap_used, clippy::expect_used)]

mod host;

use host::{RECEIVED, line, text};
use proptest::prelude::*;
use serde_json::{Value, json};
use tracegist_engine::engine::Engine;
use tracegist_engine::query::{Error, Request};
use tracegist_engine::state::Limits;
use tracegist_engine::tokens::Encoding;

fn ask(engine: &Engine, question: &Value) -> Result<Value, Error> {
    let request = Request::from_json(question.to_string().as_bytes())?;
    engine.query(&request).map(|answer| serde_json::to_value(answer).unwrap())
}

fn of(data: &[u8]) -> Engine {
    let engine = Engine::new(String::new(), Limits::default());
    engine.ingest("s", data, RECEIVED, None, None);
    engine
}

/// Questions of each kind.
fn question() -> impl Strategy<Value = Value> {
    let filters =
        prop::sample::select(vec!["", "service=s1", "-service=s0,s2", "kind=log", "\"order\"", "op*=x", "count>1"]);
    let groups = prop::sample::select(vec![
        None,
        Some("service"),
        Some("service,kind"),
        Some("time:1m"),
        Some("service,time:10s"),
        Some("template,service"),
        Some("status"),
    ]);
    let selects =
        prop::sample::select(vec![None, Some("count"), Some("count,errors,error_share,rate,first,last,series")]);
    let times = prop::sample::select(vec![None, Some("all"), Some("10m")]);
    let compare = prop::sample::select(vec![None, Some("baseline"), Some("10m")]);
    (filters, groups, selects, times, compare).prop_map(|(filter, group_by, select, since, compare)| {
        json!({"where": filter, "group_by": group_by, "select": select, "since": since, "compare": compare})
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn query__any_question_and_budget__within_it_and_pages_add_up(
        lines in prop::collection::vec(line(), 1..80),
        question in question(),
        budget in 50usize..400,
        limit in prop::option::of(1usize..9),
        encoding in prop::sample::select(vec!["o200k_base", "cl100k_base"]),
    ) {
        let engine = of(&text(&lines));
        let judge = Encoding::named(encoding).unwrap();
        let mut question = question;
        question["encoding"] = encoding.into();
        question["budget"] = 1_000_000.into();
        let Ok(whole) = ask(&engine, &question) else { return Ok(()) };
        question["budget"] = budget.into();
        question["limit"] = limit.into();
        let mut rows = Vec::new();
        loop {
            let answer = match ask(&engine, &question) {
                Ok(answer) => answer,
                Err(Error::Budget { least, .. }) => {
                    prop_assert!(budget < 90, "{budget} is enough for {least}");
                    return Ok(());
                }
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            };
            let text = answer["text"].as_str().unwrap();
            prop_assert_eq!(judge.count(text), usize::try_from(answer["tokens"].as_u64().unwrap()).unwrap());
            prop_assert!(judge.count(text) <= budget, "{}", text);
            prop_assert_eq!(&answer["totals"], &whole["totals"]);
            prop_assert_eq!(answer["position"].as_u64().unwrap() as usize, rows.len());
            let page = answer["rows"].as_array().unwrap();
            prop_assert!(limit.is_none_or(|limit| page.len() <= limit));
            rows.extend(page.iter().cloned());
            let left = answer["left_out"].as_u64().unwrap() as usize;
            prop_assert_eq!(rows.len() + left, answer["total_rows"].as_u64().unwrap() as usize);
            if answer["cursor"].is_null() {
                break;
            }
            prop_assert!(!page.is_empty());
            prop_assert!(text.contains(answer["cursor"].as_str().unwrap()), "{}", text);
            question["cursor"] = answer["cursor"].clone();
        }
        prop_assert_eq!(&rows, whole["rows"].as_array().unwrap());
    }
}
