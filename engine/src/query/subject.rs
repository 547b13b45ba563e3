//! Terms about who and what: a name and the patterns that it must fit.

use super::dimension::{Cell, Dimension};
use super::error::{Error, Written};
use super::words::{Op, Term, contains, glob};
use crate::event::Kind;
use crate::format::Format;
use crate::state::origins::Origin;
use crate::state::series::{Key, OTHER, Record};
use crate::summary::facts::{Fact, Section};
use crate::summary::groups::Groups;

/// All kinds by name; `span` is those of spans.
const KINDS: [&str; 12] = [
    "span", "server", "client", "internal", "producer", "consumer", "log", "failure", "edge", "step", "instance",
    "skew",
];

/// A term about a series.
#[derive(Clone, Debug)]
pub struct Test {
    /// Whether it must not hold.
    pub negated: bool,
    /// What is looked at.
    pub subject: Subject,
    /// Any of these.
    pub patterns: Vec<Pattern>,
    /// The term as it was written.
    pub said: String,
}

/// What a term looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// What rows can be told apart by.
    Dimension(Dimension),
    /// The service that an edge goes out from.
    Caller,
    /// A text in its names.
    Text,
    /// The number of its evidence.
    Evidence,
    /// The section of the summary that a statement stands in.
    Section,
}

/// What a text must be like.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Just so.
    Exactly(String),
    /// With `*` and `?`.
    Glob(String),
    /// With this in it, which is in lower case.
    Contains(String),
    /// A number of evidence.
    Number(u32),
}

impl Pattern {
    /// Whether it is this number of evidence.
    const fn is(&self, number: u32) -> bool {
        matches!(self, Self::Number(wanted) if *wanted == number && number > 0)
    }

    /// Whether a text is like it.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        match self {
            Self::Exactly(whole) => whole == text,
            Self::Glob(pattern) => glob(pattern, text),
            Self::Contains(lower) => contains(text, lower),
            Self::Number(_) => false,
        }
    }
}

impl Test {
    /// Understand a term about a subject.
    ///
    /// # Errors
    /// [`Error::Word`] at an operator or a value that the subject cannot have.
    pub fn of(written: Written<'_>, subject: Subject, term: Term) -> Result<Self, Error> {
        if !matches!(term.op, Op::Is | Op::Has) {
            let message = format!("{} is no number: it takes = or ~", term.name);
            return Err(written.wrong(term.at, term.name.len(), message));
        }
        let mut patterns = Vec::new();
        let said = term.said(written);
        for value in term.values {
            if subject == Subject::Evidence {
                let Ok(number) = value.text.trim_start_matches('#').parse() else {
                    return Err(written.wrong(value.at, value.length, "no number of evidence such as #12"));
                };
                patterns.push(Pattern::Number(number));
                continue;
            }
            let wild = !value.quoted && value.text.contains(['*', '?']);
            if subject == Subject::Section && !wild && Section::named(&value.text).is_none() {
                return Err(written.unknown(value.at, &value.text, "section", &Section::ALL.map(Section::name)));
            }
            if subject == Subject::Dimension(Dimension::Kind) && !wild {
                if !KINDS.contains(&value.text.as_str()) {
                    return Err(written.unknown(value.at, &value.text, "kind", &KINDS));
                }
                if value.text == "span" {
                    patterns.extend(KINDS[1..6].iter().map(|&kind| Pattern::Exactly(kind.to_owned())));
                    continue;
                }
            }
            if subject == Subject::Dimension(Dimension::Format)
                && !wild
                && term.op == Op::Is
                && Format::named(&value.text).is_none()
            {
                let known: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
                return Err(written.unknown(value.at, &value.text, "format", &known));
            }
            patterns.push(match (subject, term.op) {
                (Subject::Text, _) | (_, Op::Has) if wild => Pattern::Glob(format!("*{}*", value.text)),
                (Subject::Text, _) | (_, Op::Has) => Pattern::Contains(value.text.to_ascii_lowercase()),
                _ if wild => Pattern::Glob(value.text),
                _ => Pattern::Exactly(value.text),
            });
        }
        Ok(Self { negated: term.negated, subject, patterns, said })
    }

    /// That a series is of a kind.
    #[must_use]
    pub fn of_kind(kind: Kind) -> Self {
        let patterns = vec![Pattern::Exactly(kind.name().to_owned())];
        let said = format!("kind={}", kind.name());
        Self { negated: false, subject: Subject::Dimension(Dimension::Kind), patterns, said }
    }

    /// Whether a kind may be meant, where it is kinds that are looked at.
    #[must_use]
    pub fn fits_kind(&self, kind: Kind) -> bool {
        self.any(kind.name()) != self.negated
    }

    /// Whether a series is meant.
    #[must_use]
    pub fn fits(&self, key: Key<&str>, record: &Record, groups: &Groups<'_>) -> bool {
        let found = match self.subject {
            // An edge is a matter of both of its ends.
            Subject::Dimension(Dimension::Service) if key.kind == Kind::Edge => {
                self.any(key.service) || self.any(key.operation)
            }
            Subject::Caller => key.kind == Kind::Edge && self.any(key.service),
            Subject::Section => false,
            Subject::Dimension(Dimension::Source) => self.any_origin(record, groups, |origin| &origin.source),
            Subject::Dimension(Dimension::Format) => self.any_origin(record, groups, |origin| origin.format.name()),
            Subject::Dimension(dimension) => match dimension.cell(key, record, groups) {
                Cell::Name(text) | Cell::Message(text) => self.any(text),
                Cell::Time(_) => false,
            },
            // What a log record stands within is its level.
            Subject::Text if key.kind == Kind::Log => self.any(key.service) || self.any(key.operation),
            Subject::Text => [key.service, key.operation, key.within].into_iter().any(|text| self.any(text)),
            Subject::Evidence => self.patterns.iter().any(|pattern| pattern.is(record.number)),
        };
        found != self.negated
    }

    /// Whether one of the origins of a series is meant, or may be.
    fn any_origin(&self, record: &Record, groups: &Groups<'_>, of: impl Fn(&Origin) -> &str) -> bool {
        let mut known = record.came_from.iter().map(|id| groups.origins.get(id).map_or(OTHER, &of));
        known.any(|text| self.any(text)) || record.came_from.has_more()
    }

    /// Whether an origin is meant.
    #[must_use]
    pub fn wants_origin(&self, source: &str, format: &str) -> bool {
        let of_format = self.subject == Subject::Dimension(Dimension::Format);
        self.any(if of_format { format } else { source }) != self.negated
    }

    /// Whether what is known of a service is meant, by its name and its kind.
    #[must_use]
    pub fn wants(&self, service: &str, kind: &str) -> bool {
        let of_kind = self.subject == Subject::Dimension(Dimension::Kind);
        self.any(if of_kind { kind } else { service }) != self.negated
    }

    /// Whether a statement of the summary is meant.
    #[must_use]
    pub fn fits_fact(&self, fact: &Fact) -> bool {
        let found = match self.subject {
            Subject::Section => self.any(fact.section.name()),
            Subject::Dimension(Dimension::Service) => self.any(&fact.service),
            Subject::Dimension(_) => self.any(&fact.operation),
            Subject::Evidence => self.patterns.iter().any(|pattern| pattern.is(fact.number)),
            _ => [&fact.service, &fact.operation, &fact.line].into_iter().any(|text| self.any(text)),
        };
        found != self.negated
    }

    fn any(&self, text: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.fits(text))
    }
}
