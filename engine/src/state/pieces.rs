//! What events carry, piece by piece, each kept once however many events carry it: an attribute, or all of a resource's.
//!
//! A piece is known again by a hash of the bytes it is written in, so that what most events say is neither copied nor read
//! anew. The bytes of a new one are copied, and read, without secrets, when what is kept is looked at: by then most of what only one
//! event had is gone with it. Pieces that no event carries any more are swept out once they are as many as the others.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::pairs::{self, BETWEEN};
use crate::event::{Attributes, Event};
use crate::format::{self, is_field};

/// The number of a piece.
pub type Piece = u32;

/// The piece that says nothing.
pub const NOTHING: Piece = 0;

/// Pieces of one event that are kept, and attributes of one resource.
pub const MOST: usize = 64;

/// Bytes of a piece that are copied; a longer one is read at once.
const COPIED: usize = 512;

/// Bytes of a piece in the tables, besides its text.
const SIZE: usize = 64;

/// Pieces that came since the last sweep, before which there is none.
const FEW: usize = 4_096;

/// How a piece is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Form {
    /// As an OTLP/JSON `KeyValue`.
    Element,
    /// As `key=value`.
    Pair,
}

#[derive(Clone, Debug)]
enum Said {
    /// Where its bytes are among those that were copied, and their hash.
    Unread { hash: u64, at: u32, length: u16, form: Form },
    /// `key=value`, or several.
    Text(Box<str>),
    /// The same as another.
    Same(Piece),
    /// Nobody carries it.
    Free,
}

/// The pieces that events carry.
#[derive(Debug)]
pub struct Pieces {
    pieces: Vec<Said>,
    by_bytes: HashTable<(u64, Piece)>,
    by_text: HashTable<Piece>,
    free: Vec<Piece>,
    hasher: RandomState,
    /// Bytes that were copied, and of which pieces.
    copied: Vec<u8>,
    unread: Vec<Piece>,
    /// The resource that was looked at last, by where it lies.
    latest: Option<(usize, usize, Piece)>,
    /// Of the event that is looked at.
    found: Vec<Piece>,
    /// Where an attribute is written to be looked at.
    scratch: String,
    bytes: usize,
    /// Pieces that came since the last sweep, and were left by it.
    new: usize,
    left: usize,
    /// Whether an event was kept since all was read.
    pub touched: bool,
    /// How often the number of events that are kept was halved, since room was short.
    pub halved: u32,
}

/// The texts of pieces, copied.
#[derive(Debug, Default)]
pub struct Texts {
    all: String,
    /// Of each piece, where it ends.
    ends: Vec<usize>,
}

impl Texts {
    /// Pieces there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.ends.len()
    }

    /// What a piece says.
    #[must_use]
    pub fn get(&self, piece: usize) -> &str {
        let from = piece.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.all[from..self.ends[piece]]
    }
}

impl Default for Pieces {
    fn default() -> Self {
        Self {
            pieces: vec![Said::Text(Box::default())],
            by_bytes: HashTable::new(),
            by_text: HashTable::new(),
            free: Vec::new(),
            hasher: RandomState::default(),
            copied: Vec::new(),
            unread: Vec::new(),
            latest: None,
            found: Vec::new(),
            scratch: String::new(),
            bytes: 0,
            new: 0,
            left: 0,
            touched: false,
            halved: 0,
        }
    }
}

impl Pieces {
    /// Forget where the latest resource lies: other bytes may be there next.
    pub fn begin(&mut self) {
        self.latest = None;
    }

    /// The pieces of an event, those of its own first; its resource is one.
    pub fn of(&mut self, event: &Event<'_>) -> &[Piece] {
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        let mut add = |piece: Piece| {
            if piece != NOTHING && found.len() < MOST && !found.contains(&piece) {
                found.push(piece);
            }
        };
        match event.attributes {
            Attributes::OtlpJson { own, .. } => {
                format::elements(own, |element| add(self.piece(element, Form::Element)));
            }
            ref all => {
                let is_line = matches!(all, Attributes::Json(_) | Attributes::Pairs(_));
                let own = match *all {
                    Attributes::OtlpProto { own, field, .. } => Attributes::OtlpProto { own, field, resource: &[] },
                    ref own => own.clone(),
                };
                let mut scratch = std::mem::take(&mut self.scratch);
                pairs::read(&own, true, &mut scratch, &mut |pair| {
                    let key = pair.split_once('=').map_or(pair.as_str(), |(key, _)| key);
                    if !(is_line && is_field(key)) {
                        add(self.piece(pair.as_bytes(), Form::Pair));
                    }
                });
                self.scratch = scratch;
            }
        }
        let resource = self.resource(&event.attributes);
        if resource != NOTHING {
            found.push(resource);
        }
        self.found = found;
        &self.found
    }

    fn resource(&mut self, attributes: &Attributes<'_>) -> Piece {
        let (resource, alone) = match *attributes {
            Attributes::OtlpJson { resource, .. } => (resource, Attributes::OtlpJson { own: &[], resource }),
            Attributes::OtlpProto { resource, field, .. } => {
                (resource, Attributes::OtlpProto { own: &[], field, resource })
            }
            _ => return NOTHING,
        };
        if resource.is_empty() {
            return NOTHING;
        }
        let (at, length) = (resource.as_ptr().addr(), resource.len());
        if let Some((where_, long, known)) = self.latest
            && (where_, long) == (at, length)
        {
            return known;
        }
        let hash = self.hasher.hash_one(("resource", resource));
        let known = self.by_bytes.find(hash, |known| known.0 == hash).map(|known| known.1);
        let piece = known.unwrap_or_else(|| {
            let (mut text, mut number) = (String::new(), 0);
            pairs::read(&alone, false, &mut self.scratch, &mut |pair| {
                number += 1;
                if number <= MOST {
                    pairs::keep(pair);
                    join(&mut text, pair);
                }
            });
            let piece = self.said(&text);
            self.by_bytes.insert_unique(hash, (hash, piece), |known| known.0);
            piece
        });
        self.latest = Some((at, length, piece));
        piece
    }

    fn piece(&mut self, bytes: &[u8], form: Form) -> Piece {
        let hash = self.hasher.hash_one((form, bytes));
        if let Some(&(_, known)) = self.by_bytes.find(hash, |known| known.0 == hash) {
            return known;
        }
        self.new_piece(bytes, form, hash)
    }

    #[cold]
    fn new_piece(&mut self, bytes: &[u8], form: Form, hash: u64) -> Piece {
        let place = (u32::try_from(self.copied.len()), u16::try_from(bytes.len()));
        let piece = match place {
            (Ok(at), Ok(length)) if bytes.len() <= COPIED => {
                self.copied.extend_from_slice(bytes);
                let piece = self.add(Said::Unread { hash, at, length, form });
                self.unread.push(piece);
                self.bytes += bytes.len();
                piece
            }
            _ => {
                let mut text = String::new();
                read(bytes, form, &mut text, &mut String::new());
                self.said(&text)
            }
        };
        self.by_bytes.insert_unique(hash, (hash, piece), |known| known.0);
        piece
    }

    fn add(&mut self, said: Said) -> Piece {
        self.new += 1;
        self.bytes += SIZE;
        if let Some(piece) = self.free.pop() {
            self.pieces[piece as usize] = said;
            return piece;
        }
        self.pieces.push(said);
        u32::try_from(self.pieces.len() - 1).unwrap_or(NOTHING)
    }

    /// The piece that says this, which is without secrets.
    pub fn said(&mut self, text: &str) -> Piece {
        if text.is_empty() {
            return NOTHING;
        }
        self.known(text).unwrap_or_else(|| {
            let piece = self.add(Said::Text(text.into()));
            self.enter(piece, text);
            piece
        })
    }

    fn known(&self, text: &str) -> Option<Piece> {
        self.by_text.find(self.hasher.hash_one(text), |&piece| self.text(piece) == text).copied()
    }

    fn enter(&mut self, piece: Piece, text: &str) {
        self.bytes += text.len();
        let (pieces, hasher) = (&self.pieces, &self.hasher);
        self.by_text.insert_unique(hasher.hash_one(text), piece, |&piece| hasher.hash_one(text_in(pieces, piece)));
    }

    /// Read what is yet to be read.
    pub fn read(&mut self) {
        self.touched = false;
        let copied = std::mem::take(&mut self.copied);
        let (mut text, mut scratch) = (String::new(), String::new());
        for piece in std::mem::take(&mut self.unread) {
            let Said::Unread { hash, at, length, form } = self.pieces[piece as usize] else { continue };
            let (at, length) = (at as usize, usize::from(length));
            self.bytes -= length;
            text.clear();
            read(&copied[at..at + length], form, &mut text, &mut scratch);
            let same = if text.is_empty() { Some(NOTHING) } else { self.known(&text) };
            if let Some(same) = same {
                self.pieces[piece as usize] = Said::Same(same);
                if let Some(known) = self.by_bytes.find_mut(hash, |known| known.1 == piece) {
                    known.1 = same;
                }
            } else {
                self.pieces[piece as usize] = Said::Text(text.as_str().into());
                self.enter(piece, &text);
            }
        }
    }

    /// What a piece is the same as: itself, most often.
    #[must_use]
    pub fn same(&self, piece: Piece) -> Piece {
        match self.pieces[piece as usize] {
            Said::Same(other) => other,
            _ => piece,
        }
    }

    /// What a piece says: `key=value`, or several; nothing as long as it is not read.
    #[must_use]
    pub fn text(&self, piece: Piece) -> &str {
        text_in(&self.pieces, piece)
    }

    /// `key=value` of each attribute of an event that has these pieces, each once.
    #[must_use]
    pub fn pairs(&self, pieces: &[Piece]) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::with_capacity(pieces.len());
        for &piece in pieces {
            for pair in self.text(piece).split(BETWEEN) {
                // What its resource says may be said of the event too.
                if !(pair.is_empty() || all.contains(&pair)) {
                    all.push(pair);
                }
            }
        }
        all
    }

    /// Numbers of pieces end before this.
    #[must_use]
    pub const fn end(&self) -> usize {
        self.pieces.len()
    }

    /// What all of them say.
    #[must_use]
    pub fn texts(&self) -> Texts {
        let mut texts = Texts { all: String::with_capacity(self.bytes), ends: Vec::with_capacity(self.pieces.len()) };
        for said in &self.pieces {
            texts.all.push_str(if let Said::Text(text) = said { text } else { "" });
            texts.ends.push(texts.all.len());
        }
        texts
    }

    /// Bytes that all of it takes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that are yet to be read.
    #[must_use]
    pub const fn unread(&self) -> usize {
        self.copied.len()
    }

    /// Whether it is time for a sweep.
    #[must_use]
    pub const fn is_crowded(&self) -> bool {
        self.new > FEW && self.new > self.left
    }

    /// Forget the pieces that are not among those that are carried.
    pub fn sweep(&mut self, mut carried: Vec<bool>) {
        carried.resize(self.pieces.len(), false);
        carried[NOTHING as usize] = true;
        for (piece, said) in self.pieces.iter().enumerate() {
            if let Said::Same(other) = *said
                && carried[piece]
            {
                carried[other as usize] = true;
            }
        }
        self.latest = None;
        self.by_bytes.retain(|&mut (_, piece)| piece != NOTHING && carried[piece as usize]);
        self.by_text.retain(|&mut piece| carried[piece as usize]);
        let copied = std::mem::take(&mut self.copied);
        self.unread.retain(|&piece| carried[piece as usize]);
        (self.bytes, self.left) = (0, 0);
        for ((piece, said), carried) in (0..).zip(&mut self.pieces).zip(carried).skip(1) {
            match said {
                Said::Free => continue,
                _ if !carried => {
                    *said = Said::Free;
                    self.free.push(piece);
                    continue;
                }
                Said::Unread { at, length, .. } => {
                    let from = *at as usize;
                    *at = u32::try_from(self.copied.len()).unwrap_or(u32::MAX);
                    self.copied.extend_from_slice(&copied[from..from + usize::from(*length)]);
                    self.bytes += usize::from(*length);
                }
                Said::Text(text) => self.bytes += text.len(),
                Said::Same(_) => {}
            }
            self.bytes += SIZE;
            self.left += 1;
        }
        self.new = 0;
    }
}

fn text_in(pieces: &[Said], piece: Piece) -> &str {
    match &pieces[piece as usize] {
        Said::Text(text) => text,
        &Said::Same(other) => match &pieces[other as usize] {
            Said::Text(text) => text,
            _ => "",
        },
        Said::Unread { .. } | Said::Free => "",
    }
}

/// Append what bytes say, without secrets.
fn read(bytes: &[u8], form: Form, text: &mut String, scratch: &mut String) {
    let mut add = |pair: &mut String| {
        pairs::keep(pair);
        join(text, pair);
    };
    scratch.clear();
    match form {
        Form::Pair => {
            scratch.push_str(&String::from_utf8_lossy(bytes));
            add(scratch);
        }
        Form::Element => pairs::read_elements(bytes, scratch, &mut add),
    }
}

fn join(text: &mut String, pair: &str) {
    if !text.is_empty() {
        text.push(BETWEEN);
    }
    text.push_str(pair);
}
