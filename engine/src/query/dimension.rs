//! What rows can be told apart by, and what of it a series says.

use super::attribute;
use super::error::{Error, Written};
use crate::event::Kind;
use crate::state::origins::Origin;
use crate::state::series::{Key, OTHER, Record};
use crate::state::timeline::Seconds;
use crate::summary::groups::Groups;

/// What rows are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// Who.
    Service,
    /// What: a span's name, a message's template; of a failure, an edge or a step the operation that it belongs to.
    Operation,
    /// Span by role, log record, or derived.
    Kind,
    /// The template of a message.
    Template,
    /// The service that is called.
    Peer,
    /// What an operation does within its service.
    Step,
    /// How grave a log record says it is.
    Level,
    /// Where its events came from.
    Source,
    /// In which format they came.
    Format,
    /// `ok` or `error`.
    Status,
    /// Stretches of so many seconds.
    Time(Seconds),
    /// What events carried: by its place among the keys that are asked for.
    Attribute(usize),
}

/// The names of the dimensions; time takes a length.
pub const NAMES: [&str; 12] = [
    "service",
    "operation",
    "kind",
    "template",
    "peer",
    "step",
    "level",
    "source",
    "format",
    "status",
    "time:1m",
    "attribute.KEY",
];

/// What one row is told apart by in one dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cell<'a> {
    /// A name.
    Name(&'a str),
    /// A message.
    Message(&'a str),
    /// A second since the epoch.
    Time(Seconds),
}

impl Dimension {
    /// The dimension of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "service" | "caller" => Self::Service,
            "operation" | "op" | "name" => Self::Operation,
            "kind" => Self::Kind,
            "template" | "message" => Self::Template,
            "peer" | "callee" | "edge" => Self::Peer,
            "step" => Self::Step,
            "level" | "severity" => Self::Level,
            "source" | "file" => Self::Source,
            "format" => Self::Format,
            "status" => Self::Status,
            _ => return None,
        })
    }

    /// Its name, as a column has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Operation => "operation",
            Self::Kind => "kind",
            Self::Template => "template",
            Self::Peer => "peer",
            Self::Step => "step",
            Self::Level => "level",
            Self::Source => "source",
            Self::Format => "format",
            Self::Status => "status",
            Self::Time(_) => "time",
            Self::Attribute(_) => "attribute",
        }
    }

    /// Go through all that a series says of it: of where its events came from it may say several.
    pub fn each<'a>(self, key: Key<&'a str>, record: &Record, groups: &'a Groups<'_>, take: &mut dyn FnMut(Cell<'a>)) {
        let origins = || record.came_from.iter().filter_map(|id| groups.origins.get(id));
        match self {
            Self::Source => origins().for_each(|origin| take(Cell::Name(&origin.source))),
            Self::Format => origins().for_each(|origin| take(Cell::Name(origin.format.name()))),
            _ => match self.cell(key, record, groups) {
                Cell::Name("") if self != Self::Service => {}
                cell => take(cell),
            },
        }
    }

    /// What a series says of it.
    #[must_use]
    pub fn cell<'a>(self, key: Key<&'a str>, record: &Record, groups: &'a Groups<'_>) -> Cell<'a> {
        match self {
            Self::Service => Cell::Name(key.service),
            Self::Operation => match key.kind {
                Kind::Log => Cell::Message(groups.template(key).operation),
                Kind::Failure | Kind::Edge | Kind::Step => Cell::Name(key.within),
                _ => Cell::Name(key.operation),
            },
            Self::Kind => Cell::Name(key.kind.name()),
            Self::Template => match key.kind {
                Kind::Log | Kind::Failure => Cell::Message(groups.template(key).operation),
                _ => Cell::Name(""),
            },
            Self::Peer => Cell::Name(if key.kind == Kind::Edge { key.operation } else { "" }),
            Self::Step => match key.kind {
                Kind::Step => Cell::Message(groups.template(key).operation),
                _ => Cell::Name(""),
            },
            Self::Level => Cell::Name(match key.kind {
                Kind::Log if key.operation == OTHER => OTHER,
                Kind::Log => key.within,
                _ => "",
            }),
            Self::Source => Cell::Name(common(record, groups, |origin| &origin.source)),
            Self::Format => Cell::Name(common(record, groups, |origin| origin.format.name())),
            // Told by what happened, not by the series.
            Self::Status | Self::Attribute(_) => Cell::Name(""),
            Self::Time(_) => Cell::Time(0),
        }
    }
}

/// What stands for the origins of a series that has several.
pub const SEVERAL: &str = "(several)";

/// What all origins of a series have in common; empty if it has none.
fn common<'a>(record: &Record, groups: &'a Groups<'_>, of: impl Fn(&'a Origin) -> &'a str) -> &'a str {
    let mut found = record.came_from.iter().map(|id| groups.origins.get(id).map_or(OTHER, &of));
    let first = found.next().unwrap_or_default();
    let alone = !record.came_from.has_more() && found.all(|other| other == first);
    if alone { first } else { SEVERAL }
}

/// What state is not kept by: asked for all the same, it is said what can be asked instead.
#[must_use]
pub fn not_kept(name: &str) -> Option<&'static str> {
    Some(match name {
        "trace" | "trace_id" | "traceid" => {
            "not kept: which traces a series was seen in; what=trace with of=TRACE_ID shows one that is kept, what=evidence and \
             what=traces take trace="
        }
        "attribute" | "attributes" | "tag" | "tags" | "label" => {
            "an attribute is written with its key, as in attribute.tenant; what=attributes lists those there are"
        }
        name if name.contains('.') => {
            "no name of a dimension: an attribute of events is written with attribute in front, as in attribute.http.method"
        }
        _ => return None,
    })
}

/// Read a list of dimensions, and the keys of the attributes among them.
///
/// # Errors
/// [`Error::Word`] at the first that is none, or by which nothing is kept.
pub fn list(written: Written<'_>) -> Result<(Vec<Dimension>, Vec<attribute::Key>), Error> {
    let mut found: Vec<Dimension> = Vec::new();
    let mut keys: Vec<attribute::Key> = Vec::new();
    for (at, word) in words(written.text) {
        let twice = || written.wrong(at, word.len(), format!("{word} stands there twice"));
        if let Some(key) = attribute::Key::of(written, at, word).transpose()? {
            if keys.iter().any(|other| other.name == key.name) {
                return Err(twice());
            }
            found.push(Dimension::Attribute(keys.len()));
            keys.push(key);
            continue;
        }
        let dimension = one(written, at, word)?;
        if found.iter().any(|other| other.name() == dimension.name()) {
            return Err(twice());
        }
        found.push(dimension);
    }
    Ok((found, keys))
}

fn one(written: Written<'_>, at: usize, word: &str) -> Result<Dimension, Error> {
    if let Some(dimension) = Dimension::named(word) {
        return Ok(dimension);
    }
    if let Some(length) = word.strip_prefix("time").map(|rest| rest.strip_prefix(':').unwrap_or(rest)) {
        let width = if length.is_empty() { Some(60_000_000_000) } else { super::window::length(length) };
        let seconds = width.and_then(|ns| Seconds::try_from(ns / 1_000_000_000).ok()).filter(|&seconds| seconds > 0);
        return seconds.map(Dimension::Time).ok_or_else(|| {
            written.wrong(at, word.len(), "no length of time of a second or more behind time:, such as time:1m")
        });
    }
    if let Some(says) = not_kept(word) {
        return Err(written.wrong(at, word.len(), says));
    }
    Err(written.unknown(at, word, "dimension", &NAMES))
}

/// The words of a list with commas or spaces between them that stand in no quotes, each with its place in bytes.
pub fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut quoted = false;
    let ends = move |c: char| {
        quoted ^= c == '"';
        !quoted && (c == ',' || c.is_whitespace())
    };
    text.split(ends).filter(|word| !word.is_empty()).map(|word| (word.as_ptr().addr() - text.as_ptr().addr(), word))
}

/// The words of a list with commas between them, each with its place in bytes.
pub fn items(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    text.split(',').filter_map(move |item| {
        let at = from + item.len() - item.trim_start().len();
        from += item.len() + 1;
        let word = item.trim();
        (!word.is_empty()).then_some((at, word))
    })
}
