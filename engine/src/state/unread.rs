//! The attributes of events as bytes that are yet to be read: copied where an event may be kept for them, and read, without
//! secrets, once it is.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::event::{Attributes, Event};
use crate::format::{Attribute, Header, Table};
use crate::redact;

/// Bytes of a value that are kept.
pub const VALUE: usize = 80;

/// Bytes of a key; one that is longer is not kept.
const KEY: usize = 64;

/// Objects within objects that are looked into.
const DEPTH: u8 = 3;

/// Resources whose attributes are remembered; past that all are read anew.
const REMEMBERED: usize = 4_096;

/// `key=value` of each attribute of a resource.
pub(super) type Pairs = Arc<[Box<str>]>;

/// Room for the bytes of an event, to be handed on as it is.
#[allow(clippy::vec_box)]
pub(super) type Spare = Vec<Box<Unread>>;

/// Attributes of resources, read once each, and how many bytes of events are yet to be read.
#[derive(Debug, Default)]
pub struct Resources {
    known: HashMap<u64, Pairs, RandomState>,
    hasher: RandomState,
    latest: Option<(usize, usize, Pairs)>,
    /// Bytes that were copied since all were read.
    pub unread: usize,
    /// Room for the bytes of further events.
    pub(super) spare: Spare,
    /// How often the number of events that are kept was halved, since room was short.
    pub halved: u32,
}

impl Resources {
    /// Forget where the latest resource lies: other bytes may be there next.
    pub fn begin(&mut self) {
        self.latest = None;
    }

    fn of(&mut self, attributes: &Attributes<'_>) -> Option<Pairs> {
        let (resource, alone) = match *attributes {
            Attributes::OtlpJson { resource, .. } => (resource, Attributes::OtlpJson { own: &[], resource }),
            Attributes::OtlpProto { resource, field, .. } => {
                (resource, Attributes::OtlpProto { own: &[], field, resource })
            }
            _ => return None,
        };
        if resource.is_empty() {
            return None;
        }
        let (at, length) = (resource.as_ptr().addr(), resource.len());
        if let Some((where_, long, known)) = &self.latest
            && (*where_, *long) == (at, length)
        {
            return Some(Arc::clone(known));
        }
        let hash = self.hasher.hash_one(resource);
        if self.known.len() >= REMEMBERED && !self.known.contains_key(&hash) {
            self.known.clear();
        }
        let known = self.known.entry(hash).or_insert_with(|| {
            let mut found = Vec::new();
            read(&alone, false, &mut |pair| found.push(pair.into()));
            found.into()
        });
        let known = Arc::clone(known);
        self.latest = Some((at, length, Arc::clone(&known)));
        Some(known)
    }
}

/// The bytes of an event's own attributes, yet to be read.
#[derive(Clone, Debug)]
pub(super) struct Unread {
    pub form: Form,
    pub own: Vec<u8>,
    pub resource: Option<Pairs>,
}

#[derive(Clone, Debug)]
pub(super) enum Form {
    OtlpJson,
    OtlpProto(u32),
    Json,
    Pairs,
    Row(Arc<Table>),
    Cells(Arc<Header>),
    Request,
}

impl Unread {
    pub fn of(event: &Event<'_>, resources: &mut Resources) -> Option<Box<Self>> {
        let (form, own) = match event.attributes {
            Attributes::OtlpJson { own, .. } => (Form::OtlpJson, own),
            Attributes::OtlpProto { own, field, .. } => (Form::OtlpProto(field), own),
            Attributes::Json(own) => (Form::Json, own),
            Attributes::Pairs(own) => (Form::Pairs, own),
            Attributes::Row { ref table, row } => (Form::Row(Arc::clone(table)), row),
            Attributes::Cells { ref header, row } => (Form::Cells(Arc::clone(header)), row),
            Attributes::Request(own) => (Form::Request, own),
            Attributes::None | Attributes::Lttng(_) | Attributes::Strace(_) => return None,
        };
        resources.unread += own.len() + size_of::<Self>();
        let resource = resources.of(&event.attributes);
        if let Some(mut room) = resources.spare.pop() {
            (room.form, room.resource) = (form, resource);
            room.own.clear();
            room.own.extend_from_slice(own);
            return Some(room);
        }
        Some(Box::new(Self { form, own: own.to_vec(), resource }))
    }

    pub fn attributes(&self) -> Attributes<'_> {
        let own = self.own.as_slice();
        match &self.form {
            Form::OtlpJson => Attributes::OtlpJson { own, resource: &[] },
            Form::OtlpProto(field) => Attributes::OtlpProto { own, field: *field, resource: &[] },
            Form::Json => Attributes::Json(own),
            Form::Pairs => Attributes::Pairs(own),
            Form::Row(table) => Attributes::Row { table: Arc::clone(table), row: own },
            Form::Cells(header) => Attributes::Cells { header: Arc::clone(header), row: own },
            Form::Request => Attributes::Request(own),
        }
    }
}

/// Whether there may be attributes that tell events apart.
#[inline]
pub(super) const fn has_any(attributes: &Attributes<'_>) -> bool {
    match attributes {
        Attributes::None | Attributes::Lttng(_) | Attributes::Strace(_) => false,
        Attributes::OtlpJson { own, resource } => !own.is_empty() || !resource.is_empty(),
        _ => true,
    }
}

/// `key=value` of each attribute that may set events apart, without secrets: no measured numbers, lists and, of an event's
/// `own`, ids.
pub fn read(attributes: &Attributes<'_>, own: bool, each: &mut dyn FnMut(&str)) {
    let mut pair = String::new();
    read_within(attributes, "", own, DEPTH, &mut pair, each);
}

fn read_within(
    attributes: &Attributes<'_>,
    prefix: &str,
    own: bool,
    depth: u8,
    pair: &mut String,
    each: &mut dyn FnMut(&str),
) {
    for (key, value) in attributes {
        if key.is_empty() || prefix.len() + key.len() > KEY || key.contains('=') {
            continue;
        }
        pair.clear();
        pair.push_str(prefix);
        pair.push_str(&key);
        if pair == "service.name" {
            continue;
        }
        match value {
            Attribute::Null | Attribute::Float(_) => continue,
            Attribute::Json(text) => {
                if depth > 0 && text.trim_start().starts_with('{') {
                    let prefix = format!("{pair}.");
                    read_within(&Attributes::Json(text.as_bytes()), &prefix, own, depth - 1, pair, each);
                }
                continue;
            }
            Attribute::Bool(value) => pair.push_str(if value { "=true" } else { "=false" }),
            Attribute::Int(value) => {
                if own && value.unsigned_abs() >= 1_000_000_000 {
                    continue;
                }
                pair.push('=');
                pair.push_str(&value.to_string());
            }
            Attribute::Text(text) => {
                let text = text.trim();
                if text.is_empty() || (own && is_id(text)) {
                    continue;
                }
                pair.push('=');
                pair.push_str(text);
            }
        }
        // A secret that is cut is known no more: it is masked before.
        redact::redact_text(pair);
        cut(pair);
        each(pair);
    }
}

/// Shorten a `key=value` whose value is too long.
fn cut(pair: &mut String) {
    let most = pair.find('=').unwrap_or(0) + 1 + VALUE;
    if pair.len() > most {
        let end = (0..=most).rev().find(|&at| pair.is_char_boundary(at)).unwrap_or(0);
        pair.truncate(end);
        pair.push('…');
    }
}

/// Whether a value looks like one that no other event has: hexadecimal digits, sixteen or more of them, or a number of ten
/// digits.
pub fn is_id(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    digits > 0 && hex && text.len() >= if digits == text.len() { 10 } else { 16 }
}

#[cfg(test)]
#[allow(non_snake_case)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        read(&Attributes::Json(text.as_bytes()), true, &mut |pair| found.push(pair.to_owned()));
        found
    }

    #[test]
    fn read__a_secret_longer_than_a_value__masked_before_it_is_cut() {
        let [header, claims, signature] =
            ["eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9", "eyJzdWIiOiJhbGljZSIs", "c2lnbmF0dXJl"].map(|part| part.repeat(2));
        let found = pairs(&format!(r#"{{"state":"{header}.{claims}.{signature}"}}"#));
        assert!(found.len() == 1 && !found[0].contains(&header[..20]), "{found:?}");
    }

    #[test]
    fn read__a_long_value__cut_between_characters() {
        let found = pairs(&format!(r#"{{"note":"{}"}}"#, "wörter ".repeat(40)));
        assert_eq!(found.len(), 1);
        assert!(found[0].ends_with('…') && found[0].len() <= "note=".len() + VALUE + "…".len(), "{found:?}");
    }
}
