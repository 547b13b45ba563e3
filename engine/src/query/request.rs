//! The question: the same named fields on the command line, on the socket, over MCP and in Python.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error::{Error, Written, nearest};

/// What can be asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// What the series did, grouped and measured as asked.
    #[default]
    Series,
    /// Calls between services.
    Edges,
    /// Templates of log messages and of failures.
    Templates,
    /// What differs between two stretches of time, or two services.
    Diff,
    /// Series over time, a sparkline each.
    Timeline,
    /// Everything a section of the summary could say.
    Facts,
    /// Raw events.
    Evidence,
    /// Traces that are here.
    Traces,
    /// The tree of one.
    Trace,
    /// What one waited for, from its beginning to its end.
    Path,
    /// What the variables of a template held.
    Values,
    /// What events carried.
    Attributes,
    /// What was read.
    Sources,
}

impl What {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Series,
        Self::Edges,
        Self::Templates,
        Self::Diff,
        Self::Timeline,
        Self::Facts,
        Self::Evidence,
        Self::Traces,
        Self::Trace,
        Self::Path,
        Self::Values,
        Self::Attributes,
        Self::Sources,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Series => "series",
            Self::Edges => "edges",
            Self::Templates => "templates",
            Self::Diff => "diff",
            Self::Timeline => "timeline",
            Self::Facts => "facts",
            Self::Evidence => "evidence",
            Self::Traces => "traces",
            Self::Trace => "trace",
            Self::Path => "path",
            Self::Values => "values",
            Self::Attributes => "attributes",
            Self::Sources => "sources",
        }
    }
}

/// How the text of an answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// Dense lines, two significant digits.
    #[default]
    Text,
    /// Comma-separated values, exact.
    Csv,
}

/// What is asked. Text fields that are lists take commas, or are JSON arrays.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Request {
    /// What is asked for.
    pub what: What,
    /// Which events: terms that all must hold (see [`super::words`]).
    #[serde(rename = "where", deserialize_with = "terms")]
    pub filter: String,
    /// Whom it is about, where a question needs one: a trace's id or its beginning, `#12`, two services.
    pub of: Option<String>,
    /// From when: `5m` before the newest event, `14:02`, RFC 3339, `all`.
    pub since: Option<String>,
    /// Until when: likewise, or `now`.
    pub until: Option<String>,
    /// Dimensions, a row for each combination.
    #[serde(deserialize_with = "list")]
    pub group_by: Option<String>,
    /// Measures, a column each.
    #[serde(deserialize_with = "list")]
    pub select: Option<String>,
    /// Columns to sort by: measures from the largest, dimensions from the smallest; `+` or `-` in front, or `asc` or `desc`
    /// behind, say otherwise.
    #[serde(deserialize_with = "list")]
    pub order_by: Option<String>,
    /// Rows of a page at most.
    pub limit: Option<usize>,
    /// What to compare with: `baseline`, a length such as `10m` before the window, or `FROM..TO`.
    pub compare: Option<String>,
    /// Tokens that the text may take.
    pub budget: usize,
    /// Whose tokens.
    pub encoding: String,
    /// Where to go on: as the page before gave it.
    pub cursor: Option<String>,
    /// How the text is written.
    pub format: Form,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            what: What::Series,
            filter: String::new(),
            of: None,
            since: None,
            until: None,
            group_by: None,
            select: None,
            order_by: None,
            limit: None,
            compare: None,
            budget: 1000,
            encoding: "o200k_base".to_owned(),
            cursor: None,
            format: Form::Text,
        }
    }
}

/// The names of the fields.
pub const FIELDS: [&str; 14] = [
    "what", "where", "of", "since", "until", "group_by", "select", "order_by", "limit", "compare", "budget",
    "encoding", "cursor", "format",
];

impl Request {
    /// Read a question from the text of a JSON object.
    ///
    /// # Errors
    /// [`Error::Word`] if it is none, or a field is unknown or of the wrong type.
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let text = String::from_utf8_lossy(json);
        let whole = Written { field: "query", text: "" };
        let value: Value = serde_json::from_str(&text).map_err(|error| {
            whole.wrong(0, 0, format!("no JSON object such as {{\"where\":\"status=error\"}}: {error}"))
        })?;
        let Value::Object(fields) = value else {
            return Err(whole.wrong(0, 0, "no JSON object such as {\"where\":\"status=error\"}"));
        };
        for name in fields.keys() {
            if !FIELDS.contains(&name.as_str()) {
                let message = format!("unknown field {name:?}: it is one of {}", FIELDS.join(", "));
                return Err(whole.suggest(0, 0, message, nearest(name, FIELDS.into_iter())));
            }
        }
        // What is null is not given.
        let given = fields.into_iter().filter(|(_, value)| !value.is_null());
        let mut request = Self::default();
        for (name, value) in given {
            let one = Value::Object([(name.clone(), value.clone())].into_iter().collect());
            let read: Self = serde_json::from_value(one).map_err(|error| wrong_type(&name, &value, &error))?;
            request.take(&name, read);
        }
        if request.budget == 0 || request.limit == Some(0) {
            let field = if request.budget == 0 { "budget" } else { "limit" };
            return Err(Written { field, text: "" }.wrong(0, 0, "it must be at least 1"));
        }
        Ok(request)
    }

    /// Whether another asks the same, however its pages are cut and written.
    #[must_use]
    pub fn asks_the_same(&self, other: &Self) -> bool {
        let asked = |request: &Self| {
            let Self { what, filter, of, since, until, group_by, select, order_by, compare, .. } = request.clone();
            (what, filter, of, since, until, (group_by, select, order_by, compare))
        };
        // The text of raw events is as long as the budget allows: it belongs to the question.
        asked(self) == asked(other) && (self.what != What::Evidence || self.budget == other.budget)
    }

    fn take(&mut self, name: &str, read: Self) {
        match name {
            "what" => self.what = read.what,
            "where" => self.filter = read.filter,
            "of" => self.of = read.of,
            "since" => self.since = read.since,
            "until" => self.until = read.until,
            "group_by" => self.group_by = read.group_by,
            "select" => self.select = read.select,
            "order_by" => self.order_by = read.order_by,
            "limit" => self.limit = read.limit,
            "compare" => self.compare = read.compare,
            "budget" => self.budget = read.budget,
            "encoding" => self.encoding = read.encoding,
            "cursor" => self.cursor = read.cursor,
            _ => self.format = read.format,
        }
    }
}

fn wrong_type(name: &str, value: &Value, error: &serde_json::Error) -> Error {
    let field = FIELDS.into_iter().find(|field| *field == name).unwrap_or("query");
    let known: &[&str] = match field {
        "what" => &What::ALL.map(What::name),
        "format" => &["text", "csv"],
        _ => &[],
    };
    match value.as_str() {
        Some(word) if !known.is_empty() => Written { field, text: word }.unknown(0, word, "value", known),
        _ => Written { field, text: "" }.wrong(0, 0, error.to_string()),
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "it is a text, or an array of texts")]
enum List {
    Text(String),
    Many(Vec<String>),
}

/// Terms with spaces between them, or a JSON array of terms.
fn terms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match List::deserialize(deserializer)? {
        List::Text(text) => text,
        List::Many(terms) => terms.join(" "),
    })
}

/// Words with commas between them, or a JSON array of words.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Option::deserialize(deserializer)? {
        None => None,
        Some(List::Text(text)) => Some(text),
        Some(List::Many(words)) => Some(words.join(",")),
    })
}
