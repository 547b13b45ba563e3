//! Simulated systems of services, with faults in them: what a trace host would hold of them, and the truth about them.
//!
//! A seed makes a [`case::Case`]: a [`system::System`] of any shape, a [`fault::Fault`] at any place of it. A [`run::Run`]
//! has calls come in by its [`traffic::Traffic`], lets services call each other, wait, give up, try again and fail, and
//! hands out [`record::Record`]s as they arrive, each process exporting in its own rhythm; [`record::text`] makes them the
//! OTLP/JSON lines of the OpenTelemetry Collector. The engine's verdicts are measured on them, on systems that nothing in
//! it was made for: `cargo bench -p tracegist-engine --bench verdicts`.
#![forbid(unsafe_code)]
// Times, counts and shares of a model: nanoseconds of minutes are far from where floats end.
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

pub mod carried;
pub mod case;
pub mod fault;
mod names;
pub mod random;
pub mod record;
pub mod run;
pub mod shape;
pub mod system;
pub mod traffic;
