//! What the variables of a template held: a row for each value, the most frequent first.

use super::error::{Error, Written, nearest};
use super::filter::{Filter, Wanted};
use super::request::Request;
use super::table::{Column, SHOWN, Table, Unit, Value};
use super::window::Windows;
use crate::state::State;
use crate::summary::groups::Groups;
use crate::values;

/// Values told of each variable.
const MOST: usize = 20;

/// There is no such template; the nearest there is may be what was meant.
fn missing(state: &State, template: &str) -> Error {
    let groups = Groups::of(state);
    let known = state.table.iter().map(|(_, key, _)| groups.template(key).operation);
    let said = |text: &str| format!("{:?}", crate::redact::plain(text, SHOWN));
    let meant = nearest(template, known).map_or_else(String::new, |near| format!("; did you mean {}?", said(near)));
    Error::Missing(format!("no template is {}: what=templates lists them{meant}", said(template)))
}

/// Answer with the values of the template in `of`, of one service or of all that have it. Without `since` those of all
/// messages so far, with it those of the last five minutes.
///
/// # Errors
/// [`Error::Word`] at a word that makes no sense, [`Error::Missing`] if there is no such template.
pub fn table(state: &State, request: &Request) -> Result<Table, Error> {
    let filter = Filter::of(&request.filter, request.what)?;
    let template = request.of.as_deref().unwrap_or_default();
    let written = Written { field: "of", text: template };
    if template.is_empty() {
        return Err(written.wrong(0, 0, "of no template: write it as what=templates gives it, with its <*>"));
    }
    let found = values::of(state, template, None, MOST);
    if found.is_empty() {
        return Err(missing(state, template));
    }
    let recent = request.since.is_some();
    let windows = Windows::of(state, if recent { None } else { Some("all") }, None, None)?;
    let mut rows = Vec::new();
    let (mut messages, mut sampled) = (0, 0);
    for held in found.iter().filter(|held| filter.wants(Wanted { service: &held.service, kind: held.kind })) {
        let variables = if recent { &held.recent } else { &held.ever };
        messages += variables.messages;
        sampled += variables.sampled;
        for (number, slot) in (1u64..).zip(&variables.slots) {
            for share in &slot.values {
                rows.push(vec![
                    Value::name(&held.service),
                    Value::name(&held.within),
                    Value::Count(number),
                    Value::Name(share.value.as_str().into()),
                    Value::Number(share.share),
                    Value::Count(slot.distinct as u64),
                ]);
            }
        }
    }
    let mut notes: Vec<String> = (sampled < messages)
        .then(|| format!("of {sampled} messages picked by chance; values told of each variable: {MOST} at most"))
        .into_iter()
        .collect();
    if rows.is_empty() {
        notes.push(if found.iter().any(|held| filter.wants(Wanted { service: &held.service, kind: held.kind })) {
            "no values of it are kept of then: leave since out for those of all times".to_owned()
        } else {
            let services: Vec<String> = found.iter().map(|held| crate::summary::words::name(&held.service)).collect();
            format!("no such service or kind has it: {} has", services.join(", "))
        });
    }
    let columns = vec![
        Column::key("service"),
        Column::key("operation"),
        Column::of("variable", Unit::Count),
        Column::key("value"),
        Column::of("share", Unit::Share),
        Column::of("distinct", Unit::Count),
    ];
    let usual = [(0, false), (1, false), (2, false), (4, true)];
    let title = format!("\"{}\", {messages} messages", crate::redact::plain(template, SHOWN).replace('"', "'"));
    let table = Table::of(request.what, windows, columns, 4, rows).sorted(request.order_by.as_deref(), &usual)?;
    Ok(Table { title: Some(title), notes, ..table })
}
