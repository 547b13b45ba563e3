//! Rows as lines of few tokens: grouped by service where that is shorter, two significant digits, comma-separated if asked.

use super::request::Form;
use super::table::{Column, Table, Unit, Value, WITHIN};
use crate::summary::words;

/// Writes the lines of a table.
#[derive(Debug)]
pub struct Lines<'a> {
    table: &'a Table,
    form: Form,
    /// Whether the service stands in a line of its own, over its rows.
    grouped: bool,
    day: i64,
}

impl<'a> Lines<'a> {
    /// For the rows from `from` to `to`.
    #[must_use]
    pub fn of(table: &'a Table, form: Form, from: usize, to: usize) -> Self {
        let by_service = table.keys > 1 && matches!(table.columns[0].name.as_str(), "service" | "section");
        let rows = table.rows.range(from..to);
        let next = table.rows.range(from + 1..to);
        let runs = table.rows.range(from..to).zip(next).filter(|(one, next)| one[0] != next[0]).count() + 1;
        let named = by_service && table.rows.range(from..to).any(|row| row[0] != Value::Null);
        let grouped = form == Form::Text && named && runs * 2 <= rows.len();
        Self { table, form, grouped, day: table.windows.now.from.div_euclid(86_400) }
    }

    /// The line of a row, with the heading of its service in front where one is due.
    #[must_use]
    pub fn row(&self, at: usize, first: bool) -> String {
        let row = &self.table.rows[at];
        if self.form == Form::Csv {
            let cells: Vec<String> = row.iter().map(Self::cell).collect();
            return cells.join(",") + "\n";
        }
        let (skipped, heading) = if let Some(depth) = self.depth(row) {
            (1, "  ".repeat(depth))
        } else if self.grouped {
            let due = first || self.table.rows[at - 1][0] != row[0];
            (1, if due { format!("## {}\n", self.key(&row[0])) } else { String::new() })
        } else {
            (0, String::new())
        };
        if let Some(at) = self.table.columns.iter().position(|column| column.name == "text") {
            return format!("{heading}{}\n", row[at].text());
        }
        let keys: Vec<String> = row[skipped..self.table.keys]
            .iter()
            .filter(|value| **value != Value::Null)
            .zip(&self.table.columns[skipped..])
            .map(
                |(value, column)| {
                    if column.unit == Unit::Evidence { self.number(column.unit, value) } else { self.key(value) }
                },
            )
            .collect();
        let keys = if keys.is_empty() { "-".to_owned() } else { keys.join(" ") };
        format!("{heading}{keys}: {}\n", self.values(row))
    }

    /// How deep a row of a tree stands.
    fn depth(&self, row: &[Value]) -> Option<usize> {
        let is_tree = self.table.columns[0].name == "depth";
        let depth = row[0].number().filter(|_| is_tree)?;
        // Deeper than this no eye follows.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Some(depth.min(64.0) as usize)
    }

    /// The measured values of a row, and the number of its evidence.
    fn values(&self, row: &[Value]) -> String {
        let mut words: Vec<String> = Vec::new();
        let mut columns = self.table.columns.iter().zip(row).skip(self.table.keys).peekable();
        while let Some((column, value)) = columns.next() {
            match (column.unit, value) {
                (Unit::Evidence, Value::Null) => {}
                (Unit::Evidence, _) => words.push(self.number(Unit::Evidence, value)),
                (unit, value) if column.name.ends_with("_before") => {
                    let before = self.number(unit, value);
                    let now =
                        columns.next().map_or_else(String::new, |(column, value)| self.number(column.unit, value));
                    words.push(if before == now { now } else { format!("{before}>{now}") });
                }
                (unit, value) if column.name.ends_with(WITHIN) => {
                    if value.number().is_some_and(|within| within > 0.0)
                        && let Some(word) = words.last_mut()
                    {
                        word.push('±');
                        word.push_str(&self.number(unit, value));
                    }
                }
                (unit, value) => words.push(self.number(unit, value)),
            }
        }
        words.join(" ")
    }

    /// The names of the measured columns, as their values stand in a row.
    #[must_use]
    pub fn names(&self) -> String {
        let measured = self.table.columns.iter().skip(self.table.keys);
        let beside = |column: &Column| column.name.ends_with("_before") || column.name.ends_with(WITHIN);
        let shown = measured.filter(|column| column.unit != Unit::Evidence && !beside(column));
        if self.table.columns.iter().any(|column| column.name == "text") {
            return "statements".to_owned();
        }
        shown.map(|column| column.name.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// What tells the rows apart.
    #[must_use]
    pub fn keys(&self) -> String {
        let names = self.table.columns[..self.table.keys].iter().map(|column| column.name.as_str());
        names.filter(|name| *name != "depth").collect::<Vec<_>>().join(" ")
    }

    /// The columns, in a line for programs.
    #[must_use]
    pub fn head(&self) -> String {
        self.table.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(",") + "\n"
    }

    /// What all rows come to.
    #[must_use]
    pub fn totals(&self) -> String {
        self.values(&self.table.totals)
    }

    /// Sums of rows in words: `12k count, 3 errors`.
    #[must_use]
    pub fn sums(&self, sums: &[(&'a Column, Value)]) -> String {
        let said: Vec<String> = sums
            .iter()
            .filter(|(column, _)| !column.name.ends_with("_before"))
            .map(|(column, value)| format!("{} {}", self.number(column.unit, value), column.name))
            .collect();
        said.join(", ")
    }

    /// The first measured value of all rows.
    #[must_use]
    pub fn first_total(&self) -> String {
        let shown = |column: &Column| !column.name.ends_with("_before") && column.unit != Unit::Evidence;
        let mut columns = self.table.columns.iter().zip(&self.table.totals).skip(self.table.keys);
        columns
            .find(|(column, total)| shown(column) && **total != Value::Null)
            .map_or_else(String::new, |(column, value)| format!("{} {}", self.number(column.unit, value), column.name))
    }

    fn key(&self, value: &Value) -> String {
        match value {
            Value::Name(text) => words::name(text),
            Value::Message(text) => format!("\"{}\"", crate::redact::plain(text, self.table.shown).replace('"', "'")),
            Value::Raw(text) => crate::redact::plain(text, self.table.shown),
            Value::Line(text) => text.to_string(),
            Value::Digits(digits) => digits.as_str().to_owned(),
            Value::Id(text) => super::trace::short(text).to_owned(),
            Value::Time(ns) => self.time(*ns),
            value => self.number(Unit::Count, value),
        }
    }

    fn number(&self, unit: Unit, value: &Value) -> String {
        let Some(number) = value.number() else {
            return if let Value::Null = value { "-".to_owned() } else { self.key(value) };
        };
        match (unit, value) {
            (_, Value::Time(ns)) => self.time(*ns),
            (Unit::Evidence, Value::Count(count)) => format!("#{count}"),
            (Unit::Share, _) => words::percent(number),
            (Unit::PerMinute, _) => format!("{}/min", words::number(number)),
            (Unit::Nanoseconds, _) => words::duration(number),
            (_, Value::Count(count)) => words::count(*count),
            _ => words::number(number),
        }
    }

    /// A time of the day, with the date where it is another.
    fn time(&self, ns: i64) -> String {
        let second = ns.div_euclid(1_000_000_000);
        let clock = words::clock(second, second % 60 != 0);
        let stamp = words::timestamp(second);
        if second.div_euclid(86_400) == self.day { clock } else { format!("{} {clock}", &stamp[5..10]) }
    }

    fn cell(value: &Value) -> String {
        match value {
            Value::Null => String::new(),
            Value::Line(text) | Value::Id(text) => quoted(text.to_string()),
            Value::Digits(digits) => quoted(digits.as_str().to_owned()),
            Value::Count(count) => count.to_string(),
            Value::Number(number) => number.to_string(),
            Value::Time(ns) => words::timestamp(ns.div_euclid(1_000_000_000)),
            Value::Name(text) | Value::Message(text) | Value::Raw(text) => quoted(words::whole(text)),
        }
    }
}

/// A text as a cell of comma-separated values (RFC 4180); what a spreadsheet would take for a formula stays text.
fn quoted(text: String) -> String {
    let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text };
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
