//! The engine of tracegist: bytes in, facts and summaries out.
//!
//! Data moves one way: [`format`] decodes the bytes of a source into [`event`]s, the state aggregates them, the summary
//! chooses what to say and counts its [`tokens`]. Pure Rust; Python is a feature of it (`python.rs`).
#![forbid(unsafe_code)]

pub mod event;
pub mod format;
pub mod tokens;
