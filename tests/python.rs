//! Runs the Python tests under `cargo test`, each reported as a test of cargo's own.
//!
//! pytest runs once, in the environment of the build script. `under_cargo.py`, in it, tells on its standard output what
//! comes of each test, in frames of three fields that end with a NUL: kind, name, text. The flags are libtest's; those
//! that mean nothing here are accepted and ignored, as cargo gives the same ones to every test of the workspace.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Instant;

const PYTHON: &str = env!("TRACEGIST_ENVIRONMENT_PYTHON");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const FAILED: u8 = 101;

/// The flags of libtest that take a value and mean nothing here.
const VALUED: [&str; 6] = ["--color", "--format", "--logfile", "--report-time", "--shuffle-seed", "-Z"];

#[derive(Default)]
struct Request {
    list: bool,
    quiet: bool,
    uncaptured: bool,
    threads: Option<String>,
    /// What `under_cargo.py` selects by.
    selection: Vec<String>,
}

impl Request {
    fn new(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut request = Self::default();
        while let Some(argument) = arguments.next() {
            let (flag, inline) = match argument.split_once('=') {
                Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
                _ => (&*argument, None),
            };
            let mut value = || inline.clone().or_else(|| arguments.next());
            match flag {
                "--list" => request.list = true,
                "--nocapture" | "--no-capture" => request.uncaptured = true,
                "-q" | "--quiet" => request.quiet = true,
                "--exact" => request.selection.push("--exact".to_owned()),
                "--ignored" => request.selection.push("--ignored=only".to_owned()),
                "--include-ignored" => request.selection.push("--ignored=too".to_owned()),
                "--skip" => request.selection.extend(value().map(|name| format!("--skip={name}"))),
                "--test-threads" => request.threads = value(),
                _ if VALUED.contains(&flag) => drop(value()),
                _ if flag.starts_with('-') => {}
                _ => request.selection.push(format!("--only={argument}")),
            }
        }
        request
    }

    /// Whether it may well be that no test is meant.
    fn filtered(&self) -> bool {
        self.selection.iter().any(|argument| argument.starts_with("--only=") || argument == "--ignored=only")
    }

    fn pytest(&self) -> Command {
        let mut pytest = Command::new(PYTHON);
        pytest.args(["-P", "tests/under_cargo.py"]).args(&self.selection).current_dir(ROOT);
        pytest.env_remove("PYTHONHOME").env_remove("PYTHONPATH").env_remove("PYTEST_ADDOPTS");
        if self.list {
            pytest.args(["--collect-only", "--numprocesses=0"]);
        } else if self.uncaptured {
            pytest.args(["--capture=no", "--numprocesses=0"]);
        } else if let Some(threads) = &self.threads {
            pytest.arg(format!("--numprocesses={}", if threads == "1" { "0" } else { threads }));
        } else if !self.filtered() {
            pytest.arg("--numprocesses=2");
        }
        pytest.stdin(Stdio::null()).stdout(Stdio::piped());
        pytest.stderr(if self.uncaptured { Stdio::inherit() } else { Stdio::piped() });
        pytest
    }
}

#[derive(Default)]
struct Outcome {
    passed: usize,
    ignored: usize,
    filtered_out: usize,
    failures: Vec<(String, String)>,
}

impl Outcome {
    fn tests(&self) -> usize {
        self.passed + self.ignored + self.failures.len()
    }

    /// Reads the frames to their end, and shows each as it comes.
    fn read(mut self, request: &Request, frames: &mut impl BufRead) -> io::Result<Self> {
        while let (Some(kind), Some(name), Some(text)) = (field(frames)?, field(frames)?, field(frames)?) {
            let word = match &*kind {
                "listed" => {
                    println!("{name}: test");
                    self.passed += 1;
                    continue;
                }
                "selected" if request.list => continue,
                "selected" => {
                    println!("\nrunning {name} test{}", if name == "1" { "" } else { "s" });
                    continue;
                }
                "deselected" => {
                    self.filtered_out = name.parse().unwrap_or(0);
                    continue;
                }
                "passed" => {
                    self.passed += 1;
                    "ok".to_owned()
                }
                "ignored" => {
                    self.ignored += 1;
                    if text.is_empty() { "ignored".to_owned() } else { format!("ignored, {text}") }
                }
                _ => {
                    self.failures.push((name.clone(), text));
                    "FAILED".to_owned()
                }
            };
            if request.quiet && kind != "failed" {
                print!("{}", if kind == "passed" { '.' } else { 'i' });
                io::stdout().flush()?;
            } else {
                println!("test {name} ... {word}");
            }
        }
        Ok(self)
    }
}

fn field(frames: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    frames.read_until(0, &mut bytes)?;
    Ok((bytes.pop() == Some(0)).then(|| String::from_utf8_lossy(&bytes).into_owned()))
}

fn run(request: &Request) -> io::Result<bool> {
    let start = Instant::now();
    let mut pytest = request.pytest().spawn()?;
    let said = pytest.stderr.take().map(|mut stderr| {
        thread::spawn(move || {
            let mut said = Vec::new();
            stderr.read_to_end(&mut said).map(|_| String::from_utf8_lossy(&said).into_owned())
        })
    });
    let mut outcome = Outcome::default();
    if let Some(frames) = pytest.stdout.take() {
        outcome = outcome.read(request, &mut BufReader::new(frames))?;
    }
    let status = pytest.wait()?;
    let said = said.and_then(|said| said.join().ok()).transpose()?.unwrap_or_default();

    if !outcome.failures.is_empty() {
        println!("\nfailures:");
        for (name, text) in &outcome.failures {
            println!("\n---- {name} ----\n{}", text.trim_end());
        }
        println!("\nfailures:");
        for (name, _) in &outcome.failures {
            println!("    {name}");
        }
    }
    // pytest ends with 0 if all passed, 1 if a test failed, 5 if there was none; with anything else it did not get through.
    let through = match status.code() {
        Some(0 | 5) => outcome.failures.is_empty(),
        Some(1) => false,
        _ => {
            println!("\npytest ended with {status}:\n{}", said.trim_end());
            false
        }
    };
    let empty = outcome.tests() == 0 && !request.filtered();
    if empty {
        println!("\nthere is no Python test: {ROOT}/tests should hold some\n{}", said.trim_end());
    }
    let ok = through && !empty;
    if request.list {
        println!("\n{} tests, 0 benchmarks", outcome.tests());
        return Ok(ok);
    }
    println!(
        "\ntest result: {}. {} passed; {} failed; {} ignored; 0 measured; {} filtered out; finished in {:.2}s\n",
        if ok { "ok" } else { "FAILED" },
        outcome.passed,
        outcome.failures.len(),
        outcome.ignored,
        outcome.filtered_out,
        start.elapsed().as_secs_f64()
    );
    Ok(ok)
}

fn main() -> ExitCode {
    match run(&Request::new(env::args().skip(1))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        Err(error) => {
            eprintln!("cannot run pytest with {PYTHON}: {error}");
            ExitCode::from(FAILED)
        }
    }
}
