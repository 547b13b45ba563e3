//! `cargo run -- VERB`: becomes Python, running tracegist in the environment that the build script made.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

const PYTHON: &str = env!("TRACEGIST_ENVIRONMENT_PYTHON");

fn main() -> ExitCode {
    // -P: a file of the current folder must not pass for one of tracegist's modules.
    let failure = Command::new(PYTHON)
        .args(["-P", "-m", "tracegist"])
        .args(env::args_os().skip(1))
        .env_remove("PYTHONHOME")
        .env_remove("PYTHONPATH")
        .exec();
    eprintln!("tracegist: cannot run {PYTHON}: {failure}; `cargo build --release` makes the environment anew");
    ExitCode::from(127)
}
