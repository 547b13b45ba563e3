//! What a statement of SQL does: its verb and its table, `SELECT users`.

use std::borrow::Cow;

/// Bytes of a statement that are looked at.
const LIMIT: usize = 4 << 10;

/// The verb and the table of a statement, as far as they stand in this text.
pub(super) fn operation(statement: &str) -> Cow<'_, str> {
    let end = (0..=statement.len().min(LIMIT)).rev().find(|at| statement.is_char_boundary(*at)).unwrap_or(0);
    let mut rest = statement.get(..end).unwrap_or_default().trim_start_matches(['(', ' ', '\t']);
    while let Some(comment) = rest.strip_prefix("/*") {
        rest = comment.split_once("*/").map_or("", |(_, after)| after).trim_start_matches(['(', ' ', '\t']);
    }
    let mut words = rest.split([' ', '\t', '\n', '(', ',']).filter(|word| !word.is_empty());
    let verb = words.next().unwrap_or_default().trim_end_matches(';');
    if verb.is_empty() || !verb.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Cow::Borrowed("");
    }
    let is = |word: &str, known: &[&str]| known.iter().any(|one| word.eq_ignore_ascii_case(one));
    let before_table: &[&str] = match verb.len() {
        _ if is(verb, &["select", "delete", "with"]) => &["from"],
        _ if is(verb, &["insert", "replace", "merge"]) => &["into"],
        _ if is(verb, &["update", "call", "truncate", "copy"]) => &[],
        _ if is(verb, &["create", "drop", "alter", "lock", "analyze", "optimize"]) => &["table", "view", "index"],
        _ => return upper(verb, ""),
    };
    if !before_table.is_empty() && !words.by_ref().any(|word| is(word, before_table)) {
        return upper(verb, "");
    }
    let passed = ["table", "only", "if", "not", "exists", "low_priority", "ignore", "concurrently", "lateral"];
    let table = words.find(|word| !is(word, &passed)).unwrap_or_default();
    let table = table.trim_end_matches([';', ')']);
    // A query within the query.
    upper(verb, if is(table, &["select", "values"]) { "" } else { table })
}

fn upper<'a>(verb: &str, table: &str) -> Cow<'a, str> {
    let mut name = verb.to_ascii_uppercase();
    if !table.is_empty() {
        name.push(' ');
        name.extend(table.chars().filter(|c| !matches!(c, '`' | '"' | '[' | ']' | '\'')));
    }
    Cow::Owned(name)
}

#[cfg(test)]
mod tests {
    use super::operation;

    #[test]
    fn a_statement_is_named_by_its_verb_and_its_table() {
        for (statement, name) in [
            ("select * from `shop`.`orders` where id = 1;", "SELECT shop.orders"),
            ("SELECT count(*) FROM (SELECT 1) t", "SELECT"),
            ("select 1", "SELECT"),
            ("INSERT INTO users(id, name) VALUES (1, 'x')", "INSERT users"),
            ("update only \"Users\" set x = 1", "UPDATE Users"),
            ("/* app:web */ DELETE FROM carts;", "DELETE carts"),
            ("CREATE TABLE IF NOT EXISTS a.b (id int)", "CREATE a.b"),
            ("BEGIN;", "BEGIN"),
            ("SET autocommit=1", "SET"),
            ("", ""),
            ("5 apples", ""),
        ] {
            assert_eq!(operation(statement), name, "{statement}");
        }
    }
}
