//! The engine of tracegist: bytes in, facts and summaries out.
//!
//! Data moves one way: [`format`] decodes the bytes of a stream into [`event`]s, the [`state`] aggregates them with the
//! help of [`templates`], the [`summary`] says what matters and counts its [`tokens`], a [`query`] what was asked.
//! [`snapshot`] is the state as bytes, [`engine`] what users meet. Pure Rust; Python is a feature of it (`python.rs`).
#![forbid(unsafe_code)]

pub mod engine;
pub mod event;
pub mod format;
#[cfg(feature = "python")]
mod python;
pub mod query;
pub mod redact;
pub mod show;
pub mod snapshot;
pub mod state;
pub mod summary;
pub mod survey;
pub mod templates;
pub mod tokens;
pub mod values;
