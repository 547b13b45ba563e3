//! Byte-pair merging of a piece that is not in the vocabulary whole.
//!
//! Starting from single bytes, the two neighbours whose joined bytes have the lowest rank become one, the leftmost first
//! among equals, until no joined neighbours have a rank (Sennrich et al., *Neural Machine Translation of Rare Words with
//! Subword Units*, 2016; the order is that of tiktoken's `byte_pair_encode`). Short pieces look for the lowest rank in
//! an array; long ones keep a heap, so that a piece of n bytes takes O(n log n): a line of base64 of 1 MB is one piece.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::vocabulary::{NONE, Vocabulary};

/// Pieces of up to this many bytes are scanned. Measured: the heap breaks even at 150 bytes of hex digits, 100 of letters of
/// both cases, and 15 of kana; at 96 bytes it is 20 % slower on the first and 40 % faster on the last.
const SHORT: usize = 96;

/// Give the ids of the tokens of `piece` to `emit`, in order. The piece is not empty.
pub(super) fn merge(vocabulary: &Vocabulary, piece: &[u8], emit: impl FnMut(u32)) {
    if piece.len() <= SHORT {
        merge_short(vocabulary, piece, emit);
    } else {
        merge_long(vocabulary, piece, emit);
    }
}

fn merge_short(vocabulary: &Vocabulary, piece: &[u8], emit: impl FnMut(u32)) {
    let mut parts = piece.len();
    // Where each part starts, its id, and the rank of what it makes with the next; after the last part, the piece's end.
    let mut starts = [0_usize; SHORT + 1];
    let mut ids = [NONE; SHORT];
    let mut ranks = [NONE; SHORT];
    for (at, &byte) in piece.iter().enumerate() {
        starts[at] = at;
        ids[at] = vocabulary.single(byte);
        if let Some(&next) = piece.get(at + 1) {
            ranks[at] = vocabulary.pair(byte, next);
        }
    }
    starts[parts] = piece.len();
    loop {
        let mut lowest = NONE;
        let mut at = 0;
        for (part, &rank) in ranks[..parts].iter().enumerate() {
            if rank < lowest {
                lowest = rank;
                at = part;
            }
        }
        if lowest == NONE {
            break;
        }
        ids[at] = lowest;
        starts.copy_within(at + 2..=parts, at + 1);
        ids.copy_within(at + 2..parts, at + 1);
        ranks.copy_within(at + 2..parts, at + 1);
        parts -= 1;
        let rank = |part: usize| {
            if part + 1 < parts { vocabulary.rank_or_none(&piece[starts[part]..starts[part + 2]]) } else { NONE }
        };
        ranks[at] = rank(at);
        if at > 0 {
            ranks[at - 1] = rank(at - 1);
        }
    }
    ids[..parts].iter().copied().for_each(emit);
}

/// A part of a long piece, kept where it starts; what it swallowed stays behind, out of reach.
#[derive(Clone, Copy)]
struct Part {
    previous: usize,
    end: usize,
    id: u32,
    /// The rank of what it makes with the next part, to tell a heap entry that is out of date.
    rank: u32,
}

fn merge_long(vocabulary: &Vocabulary, piece: &[u8], mut emit: impl FnMut(u32)) {
    let mut heap = Vec::with_capacity(piece.len());
    let mut parts: Vec<Part> = Vec::with_capacity(piece.len());
    for (at, &byte) in piece.iter().enumerate() {
        let rank = piece.get(at + 1).map_or(NONE, |&next| vocabulary.pair(byte, next));
        if rank != NONE {
            heap.push(Reverse((rank, at)));
        }
        parts.push(Part { previous: at.wrapping_sub(1), end: at + 1, id: vocabulary.single(byte), rank });
    }
    let mut heap = BinaryHeap::from(heap);
    while let Some(Reverse((rank, at))) = heap.pop() {
        if parts[at].rank != rank {
            continue;
        }
        let swallowed = parts[at].end;
        let end = parts[swallowed].end;
        parts[swallowed].rank = NONE;
        parts[at].id = rank;
        parts[at].end = end;
        let previous = parts[at].previous;
        let next_end = parts.get(end).map(|next| next.end);
        if let Some(next) = parts.get_mut(end) {
            next.previous = at;
        }
        let mut join = |start: usize, end: Option<usize>| {
            let rank = end.map_or(NONE, |end| vocabulary.rank_or_none(&piece[start..end]));
            parts[start].rank = rank;
            if rank != NONE {
                heap.push(Reverse((rank, start)));
            }
        };
        join(at, next_end);
        if at > 0 {
            join(previous, Some(end));
        }
    }
    let mut at = 0;
    while let Some(part) = parts.get(at) {
        emit(part.id);
        at = part.end;
    }
}
