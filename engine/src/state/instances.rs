//! Instances: which of several alike, processes, pods or hosts, has answered a call, so that one that does worse than the
//! others is seen. Only calls that somebody else made are told apart so, and only where their resource says who answers.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::clip;
use super::series::{Key, SeriesId, Table};
use crate::event::{Attributes, Event, Kind};
use crate::format::Attribute;
use crate::redact;

/// The attributes of OpenTelemetry's resources that name one of several alike, the best first.
const KEYS: [&str; 6] =
    ["service.instance.id", "k8s.pod.name", "container.id", "container.name", "host.name", "host.id"];

/// Resources whose instance is remembered; past that all are looked at anew.
const REMEMBERED: usize = 4_096;

/// Instances kept apart, as a part of the series there may be.
const PART: usize = 16;

/// What is known of resources.
#[derive(Debug, Default)]
pub struct Instances {
    /// By the hash of a resource, who it names; nobody, if nothing in it does.
    known: HashMap<u64, Option<Box<str>>, RandomState>,
    hasher: RandomState,
    /// Where the latest resource lies, and the series of its instance.
    latest: Option<(usize, usize, Option<SeriesId>)>,
    /// Series of instances that were made.
    made: usize,
}

impl Instances {
    /// Forget where the latest resource lies: other bytes may be there next.
    pub const fn begin(&mut self) {
        self.latest = None;
    }

    /// The series of the instance that answered a call, where that is told and there is room to keep it apart.
    pub fn of(&mut self, event: &Event<'_>, service: &str, table: &mut Table) -> Option<SeriesId> {
        if !matches!(event.kind, Kind::Server | Kind::Consumer) {
            return None;
        }
        let resource = resource(&event.attributes).filter(|resource| !resource.is_empty())?;
        let place = (resource.as_ptr().addr(), resource.len());
        if let Some((at, length, series)) = self.latest
            && (at, length) == place
        {
            return series;
        }
        let hash = self.hasher.hash_one(resource);
        if !self.known.contains_key(&hash) {
            if self.known.len() >= REMEMBERED {
                self.known.clear();
            }
            self.known.insert(hash, name(&event.attributes, resource).map(String::into_boxed_str));
        }
        let series = self.known.get(&hash).and_then(Option::as_deref).and_then(|operation| {
            let key = Key { service, operation, within: "", kind: Kind::Instance };
            table.get(&key).or_else(|| {
                let room = self.made < table.limit / PART && table.has_room();
                room.then(|| {
                    self.made += 1;
                    table.insert(&key)
                })
            })
        });
        self.latest = Some((place.0, place.1, series));
        series
    }

    /// Series of instances have been let go: as many as there are still count against their part.
    pub fn recount(&mut self, table: &Table) {
        self.latest = None;
        self.made = table.live().filter(|(_, key, _)| key.kind == Kind::Instance).count();
    }
}

/// The bytes of the resource that an event came from.
pub(super) const fn resource<'a>(attributes: &Attributes<'a>) -> Option<&'a [u8]> {
    match attributes {
        Attributes::OtlpJson { resource, .. } | Attributes::OtlpProto { resource, .. } => Some(resource),
        _ => None,
    }
}

/// Who the attributes of a resource name.
fn name(attributes: &Attributes<'_>, resource: &[u8]) -> Option<String> {
    let alone = match *attributes {
        Attributes::OtlpJson { .. } => Attributes::OtlpJson { own: &[], resource },
        Attributes::OtlpProto { field, .. } => Attributes::OtlpProto { own: &[], field, resource },
        _ => return None,
    };
    let rank = |key: &str| KEYS.iter().position(|&known| known == key);
    let named = alone.iter().filter_map(|(key, value)| match value {
        Attribute::Text(text) if !text.trim().is_empty() => Some((rank(&key)?, text.into_owned())),
        _ => None,
    });
    let (_, mut name) = named.min_by_key(|&(rank, _)| rank)?;
    redact::redact_text(&mut name);
    Some(clip(&name).to_owned())
}
