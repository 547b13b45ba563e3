//! What a trace says: own times, edges and steps, where errors begin, what was waited for.
//!
//! In: the spans of one trace that are here. Out: what is added to the series for it, or taken back. It depends on the set
//! of the spans alone.

use foldhash::fast::RandomState;
use hashbrown::hash_table::Entry;
use hashbrown::{HashMap, HashTable};

use super::clocks;
use super::hist::bucket;
use super::names::Name;
use super::path::{Met, Walk, signed};
use super::series::{Key, SeriesId, Table};
use super::timeline::{Clock, Delta, Seconds};
use crate::event::{Kind, SpanId};

const NANOS: i64 = 1_000_000_000;

/// In the place of a span: there is none.
const END: u32 = u32::MAX;

/// The caller of a span whose parent has not been seen.
pub const UNSEEN: &str = "?";

/// In the place of a parent's series: there is no parent.
const NONE: SeriesId = SeriesId::MAX;

/// In the place of a parent's series: there is one, but it has not been seen.
const NOT_SEEN: SeriesId = SeriesId::MAX - 1;

/// A span as far as joins need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenSpan {
    /// Nanoseconds since the epoch.
    pub start: i64,
    /// Nanoseconds since the epoch.
    pub end: i64,
    /// Its id; 0 if it has none.
    pub id: SpanId,
    /// The id of its parent; 0 at the root.
    pub parent: SpanId,
    /// The series it was counted in.
    pub series: SeriesId,
    /// Its service.
    pub service: Name,
    /// Whether it failed.
    pub failed: bool,
    /// A log record: it takes no time and is a step of the span it was written in, its `parent`.
    pub mark: bool,
}

impl OpenSpan {
    /// Nanoseconds from its start to its end.
    #[must_use]
    pub fn took(&self) -> u64 {
        self.end.saturating_sub(self.start).unsigned_abs()
    }

    /// What stands for the series of its parent, which is not here.
    fn caller(&self) -> SeriesId {
        if self.parent == 0 { NONE } else { NOT_SEEN }
    }
}

/// What there is to say of a call beside the span that answers it.
#[derive(Clone, Copy, Debug, Default)]
struct Call {
    /// Nanoseconds between the caller's span and the callee's, where they can be told.
    gap: Option<u64>,
    /// Nanoseconds for which the critical path leads through it.
    through: u64,
    /// Nanoseconds by which it would be later by the caller's clock.
    shift: i64,
}

/// Joins the spans of one trace after the other; its buffers are kept between them.
#[derive(Debug, Default)]
pub struct Joins {
    /// The spans of the trace at hand, the oldest first.
    pub spans: Vec<OpenSpan>,
    by_id: HashTable<u32>,
    /// Spans that share their id with another (the two sides of a call, as Zipkin may write them), by id.
    twins: Vec<(SpanId, u32)>,
    parents: Vec<u32>,
    children: Vec<u32>,
    walk: Walk,
    /// By how many nanoseconds each would be later by its parent's clock, as far as that can be told.
    shifts: Vec<i64>,
    /// Of each span, the nanoseconds on the path that are its own, and those that lead through it.
    waits: Vec<[u64; 2]>,
    /// The edge or step of each pair of parent (`NONE`, `NOT_SEEN`) and child, by their series, and the calls of it that do
    /// not fit the clocks: `NONE` as long as there was no such call.
    links: HashMap<(SeriesId, SeriesId), [SeriesId; 2], RandomState>,
}

impl Joins {
    /// Enter into the series what the first `count` spans say together (`sign` 1), or take it back (`sign` -1).
    pub fn enter(&mut self, count: usize, sign: i32, table: &mut Table, clock: &Clock) {
        if count == 1 {
            let span = self.spans[0];
            return self.enter_alone(&span, sign, table, clock);
        }
        self.join(count, |series| table.kind(series));
        self.follow(count);
        for i in 0..count {
            let span = self.spans[i];
            if span.mark {
                if self.parents[i] != END {
                    let parent = self.spans[self.parents[i] as usize].series;
                    self.link(parent, &span, Call::default(), sign, table, clock);
                }
                continue;
            }
            let [path, through] = self.waits[i];
            let children: &[u32] = self.children_of(i);
            let waited = covered(&self.spans, &self.shifts, children, &span);
            let own = span.took().saturating_sub(waited);
            // A call that took longer than its caller was given up: the caller fails with it.
            let to_blame = |&child: &u32| {
                let child = &self.spans[child as usize];
                child.failed || child.took() > span.took()
            };
            let origin = span.failed && !children.iter().any(to_blame);
            // The own time of a span that wraps one call to another service is the way there and back: the edge's.
            let wraps = matches!(*children, [child] if self.spans[child as usize].service != span.service)
                && !self.handles(i, table);
            if wraps {
                let delta = Delta { origins: i32::from(origin) * sign, path: signed(path, sign), ..Delta::default() };
                table.enter(span.series, second(span.end), clock, &delta);
            } else {
                add(table, clock, &span, [own, path], origin, sign);
            }
            let parent = self.parents[i];
            if parent == END {
                self.link(span.caller(), &span, Call { through, ..Call::default() }, sign, table, clock);
            } else {
                let caller = self.spans[parent as usize];
                let alone = caller.service != span.service
                    && self.children_of(parent as usize).len() == 1
                    && !self.handles(parent as usize, table);
                let gap = alone.then(|| caller.took().saturating_sub(span.took()));
                let call = Call { gap, through, shift: self.shifts[i] };
                self.link(caller.series, &span, call, sign, table, clock);
            }
        }
    }

    /// Enter a span that is alone in its trace, or take it back. Most are, on a host that sees one service of many.
    pub fn enter_alone(&mut self, span: &OpenSpan, sign: i32, table: &mut Table, clock: &Clock) {
        if span.mark {
            return;
        }
        add(table, clock, span, [span.took(); 2], span.failed, sign);
        self.enter_call(span, sign, table, clock);
    }

    /// The same, of one whose own time and origin are counted already.
    pub fn enter_call(&mut self, span: &OpenSpan, sign: i32, table: &mut Table, clock: &Clock) {
        let call = Call { through: span.took(), ..Call::default() };
        self.link(span.caller(), span, call, sign, table, clock);
    }

    /// The parent of each span of a trace, by its place among them, and by how many nanoseconds each would be later by its
    /// parent's clock.
    #[must_use]
    pub fn parents(spans: &[OpenSpan], table: &Table) -> (Vec<Option<usize>>, Vec<i64>) {
        let mut joins = Self { spans: spans.to_vec(), ..Self::default() };
        joins.join(spans.len(), |series| table.kind(series));
        let parents = joins.parents.iter().map(|&parent| (parent != END).then_some(parent as usize)).collect();
        (parents, joins.shifts)
    }

    /// Pairs of parent and child that are remembered.
    #[must_use]
    pub fn links(&self) -> usize {
        self.links.len()
    }

    /// Of the links between series in use, say that they are in use too, and forget the others. A link is taken back only
    /// while there are open spans of both its ends.
    pub fn used_links(&mut self, used: &mut [bool]) {
        let ends = used.to_vec();
        let open = |id: SeriesId| id == NONE || id == NOT_SEEN || ends[id as usize];
        self.links.retain(|&(parent, child), link| {
            let keep = open(parent) && open(child);
            link.iter().filter(|&&id| id != NONE).for_each(|&id| used[id as usize] |= keep);
            keep
        });
        self.links.shrink_to_fit();
    }

    /// Find the parent of each of the first `count` spans, and line up the children by parent.
    fn join(&mut self, count: usize, kind: impl Fn(SeriesId) -> Kind) {
        let Self { spans, by_id, twins, parents, children, shifts, .. } = self;
        by_id.clear();
        twins.clear();
        let hash = |id: SpanId| id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for (i, span) in spans[..count].iter().enumerate().filter(|(_, span)| span.id != 0) {
            match by_id.entry(hash(span.id), |&p| spans[p as usize].id == span.id, |&p| hash(spans[p as usize].id)) {
                Entry::Occupied(entry) => twins.extend([(span.id, *entry.get()), (span.id, index(i))]),
                Entry::Vacant(entry) => {
                    entry.insert(index(i));
                }
            }
        }
        // Of those that share an id, in an order that is theirs.
        twins.sort_unstable_by_key(|&(id, i)| (id, spans[i as usize], i));
        twins.dedup();
        parents.clear();
        for (i, span) in spans[..count].iter().enumerate() {
            if let Some(parent) = twin(spans, twins, i) {
                parents.push(parent);
                continue;
            }
            let found =
                by_id.find(hash(span.parent), |&p| spans[p as usize].id == span.parent && span.id != span.parent);
            parents.push(found.copied().unwrap_or(END));
        }
        shifts.clear();
        shifts.extend(spans[..count].iter().zip(&*parents).map(|(span, &parent)| {
            let caller = spans.get(parent as usize).filter(|caller| caller.service != span.service && !span.mark);
            // One that failed may have given up: what it called may then go on.
            let waits = |caller: &OpenSpan| {
                kind(caller.series) == Kind::Client && !caller.failed && kind(span.series) != Kind::Consumer
            };
            let ahead = caller.and_then(|caller| clocks::ahead(caller, span, || waits(caller)));
            ahead.map_or(0, i64::saturating_neg)
        }));
        children.clear();
        children.extend((0..index(count)).filter(|&i| parents[i as usize] != END && !spans[i as usize].mark));
        children.sort_unstable_by_key(|&i| {
            (parents[i as usize], spans[i as usize].start.saturating_add(shifts[i as usize]))
        });
    }

    /// Find what the trace waited for: the paths through all spans whose callers are not here.
    fn follow(&mut self, count: usize) {
        let Self { spans, parents, children, shifts, walk, waits, .. } = self;
        waits.clear();
        waits.resize(count, [0; 2]);
        let below = |span: u32, found: &mut Vec<u32>| found.extend_from_slice(of(children, parents, span));
        for root in (0..index(count)).filter(|&i| parents[i as usize] == END && !spans[i as usize].mark) {
            walk.walk(&spans[..count], shifts, root, below, |met| match met {
                Met::Own(span, from, to) => waits[span as usize][0] += to.abs_diff(from),
                Met::Through(span, ns) => waits[span as usize][1] += ns,
            });
        }
    }

    /// Whether a span is one that answers a call: what it does besides calling others is its own work.
    fn handles(&self, i: usize, table: &Table) -> bool {
        match table.kind(self.spans[i].series) {
            Kind::Server | Kind::Consumer => true,
            Kind::Client | Kind::Producer => false,
            // It does not say. One that is called from outside its service answers.
            _ => match self.parents[i] {
                END => true,
                parent => self.spans[parent as usize].service != self.spans[i].service,
            },
        }
    }

    fn children_of(&self, parent: usize) -> &[u32] {
        of(&self.children, &self.parents, index(parent))
    }

    /// Enter a span as a call of its parent's: an edge to another service, or a step within its own.
    fn link(&mut self, parent: SeriesId, span: &OpenSpan, call: Call, sign: i32, table: &mut Table, clock: &Clock) {
        let [id, skew] = self.links.entry((parent, span.series)).or_insert_with(|| {
            let id = link(parent, span.series, table);
            [id, NONE]
        });
        let id = *id;
        // It is counted with the calls of its caller, by the clock of those.
        let at = second(span.end.saturating_add(call.shift));
        if call.shift != 0 {
            if *skew == NONE {
                let (caller, callee) =
                    (table.key(parent).service.to_owned(), table.key(span.series).service.to_owned());
                *skew = table.find(&Key { service: &caller, operation: &callee, within: "", kind: Kind::Skew });
            }
            let ns = Some((bucket(call.shift.unsigned_abs()), sign));
            // The callee's clock is behind, or ahead.
            let (duration, own) = if call.shift > 0 { (ns, None) } else { (None, ns) };
            let record = table.record_mut(*skew);
            record.count = record.count.saturating_add_signed(sign.into());
            let delta = Delta { count: sign, duration, own, ..Delta::default() };
            table.enter(*skew, at, clock, &delta);
        }
        let failed = i32::from(span.failed) * sign;
        let delta = Delta {
            count: sign,
            errors: failed,
            origins: 0,
            duration: (!span.mark).then(|| (bucket(span.took()), sign)),
            own: call.gap.map(|gap| (bucket(gap), sign)),
            path: signed(call.through, sign),
        };
        let record = table.record_mut_but_when(id);
        record.count = record.count.saturating_add_signed(sign.into());
        record.errors = record.errors.saturating_add_signed(failed.into());
        table.enter(id, at, clock, &delta);
    }
}

/// The parent of a span, if several share the id of it: the one of the span's own service, else the callee's side of
/// the call, else the first. That side names as its parent the id that it shares: its parent is the caller's side.
fn twin(spans: &[OpenSpan], twins: &[(SpanId, u32)], i: usize) -> Option<u32> {
    let span = &spans[i];
    let from = twins.partition_point(|&(id, _)| id < span.parent);
    let found = || twins[from..].iter().take_while(|(id, _)| *id == span.parent).map(|&(_, p)| p);
    let of = |p: u32| &spans[p as usize];
    if span.parent == span.id {
        return found().find(|&p| of(p).parent != span.id);
    }
    let others = || found().filter(|&p| p as usize != i);
    others()
        .find(|&p| of(p).service == span.service)
        .or_else(|| others().find(|&p| of(p).parent == of(p).id))
        .or_else(|| others().next())
}

/// The series of the calls from a parent's series to a child's.
fn link(parent: SeriesId, child: SeriesId, table: &mut Table) -> SeriesId {
    let callee = table.key(child);
    let (service, operation, is_mark) =
        (callee.service.to_owned(), callee.operation.to_owned(), callee.kind == Kind::Log);
    let outside = match parent {
        NONE => Some(""),
        NOT_SEEN => Some(UNSEEN),
        _ => None,
    };
    if let Some(caller) = outside {
        return table.find(&Key { service: caller, operation: &service, within: "", kind: Kind::Edge });
    }
    let caller = table.key(parent);
    let (from, within) = (caller.service.to_owned(), caller.operation.to_owned());
    if from == service {
        table.find(&Key { service: &from, operation: &operation, within: &within, kind: Kind::Step })
    } else if is_mark {
        // Written by another service than the span's: what it is a step of cannot be said.
        table.find(&Key { service: &service, operation: &operation, within: "", kind: Kind::Step })
    } else {
        table.find(&Key { service: &from, operation: &service, within: &within, kind: Kind::Edge })
    }
}

/// Those below a span, of all that are sorted by their parents.
fn of<'a>(children: &'a [u32], parents: &[u32], parent: u32) -> &'a [u32] {
    let from = children.partition_point(|&i| parents[i as usize] < parent);
    let rest = &children[from..];
    &rest[..rest.partition_point(|&i| parents[i as usize] == parent)]
}

fn add(table: &mut Table, clock: &Clock, span: &OpenSpan, [own, path]: [u64; 2], origin: bool, sign: i32) {
    let delta = Delta {
        origins: i32::from(origin) * sign,
        own: Some((bucket(own), sign)),
        path: signed(path, sign),
        ..Delta::default()
    };
    table.enter(span.series, second(span.end), clock, &delta);
}

/// Nanoseconds of a span that its children, sorted by start, cover together, by its clock.
fn covered(spans: &[OpenSpan], shifts: &[i64], children: &[u32], span: &OpenSpan) -> u64 {
    let (mut total, mut until) = (0, span.start);
    for &child in children {
        let (child, shift) = (&spans[child as usize], shifts[child as usize]);
        let [start, end] = [child.start, child.end].map(|time| time.saturating_add(shift));
        let (from, to) = (start.max(until), end.min(span.end));
        if to > from {
            total += to.abs_diff(from);
            until = to;
        }
    }
    total
}

fn second(ns: i64) -> Seconds {
    ns.div_euclid(NANOS)
}

fn index(i: usize) -> u32 {
    u32::try_from(i).unwrap_or(END)
}
