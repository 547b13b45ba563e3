//! Makes what the launcher runs: a Python environment in `target/venv` with the dependencies that `requirements.lock` pins,
//! and the engine in it as the module `tracegist._engine`, in release mode whatever the profile.
//!
//! `TRACEGIST_PYTHON=/path/to/python` names an interpreter that has all of this already, and nothing is made.

use std::env;
use std::error::Error;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const MODULE: &str = "daemon/tracegist/_engine.abi3.so";
const LOCK: &str = "requirements.lock";
const VERSION: &str = env!("CARGO_PKG_VERSION");
const OLDEST: (u32, u32) = (3, 11);

/// What cargo tells a build script and must not tell the cargo inside it; the user's own settings pass.
const CARGOS: [&str; 11] = [
    "DEBUG",
    "HOST",
    "MAKEFLAGS",
    "NUM_JOBS",
    "OPT_LEVEL",
    "OUT_DIR",
    "PROFILE",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
    "TARGET",
];
const USERS: [&str; 5] = ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR", "CARGO_SOURCE_"];

fn main() -> ExitCode {
    match make() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{error}\n");
            ExitCode::FAILURE
        }
    }
}

fn make() -> Result<()> {
    println!("cargo::rerun-if-env-changed=TRACEGIST_PYTHON");
    if let Some(python) = env::var("TRACEGIST_PYTHON").ok().filter(|python| !python.is_empty()) {
        println!("cargo::rustc-env=TRACEGIST_ENVIRONMENT_PYTHON={python}");
        return Ok(());
    }

    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let venv = root.join("target/venv");
    let python = venv.join("bin/python");
    println!("cargo::rustc-env=TRACEGIST_ENVIRONMENT_PYTHON={}", python.display());

    fs::create_dir_all(root.join("target"))?;
    // Cargo runs one build of a profile at a time, but builds of two profiles share this environment.
    let lock = File::create(root.join("target/venv.lock"))?;
    lock.lock()?;
    let stamp = environment(&root, &venv, &python)?;
    module(&root, &venv, &python)?;
    watch(&root, &stamp)
}

/// Makes the environment, unless it stands as the lock file has it.
fn environment(root: &Path, venv: &Path, python: &Path) -> Result<PathBuf> {
    let stamp = venv.join("made-from");
    let wanted = format!("{VERSION} {}\n{}", venv.display(), fs::read_to_string(root.join(LOCK))?);
    let stands = fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) && version(python.as_os_str()).is_ok();
    if stands {
        return Ok(stamp);
    }
    let base = interpreter()?;
    run("make the Python environment", Command::new(base).args(["-m", "venv", "--clear"]).arg(venv).current_dir(root))?;
    run(
        "install the Python dependencies",
        isolated(python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-input",
                "--require-hashes",
                "-r",
            ])
            .arg(LOCK)
            .current_dir(root),
    )?;
    import_in_place(root, python)?;
    fs::write(&stamp, wanted)?;
    set_old(&stamp)?;
    Ok(stamp)
}

/// Has the environment import the package from where its sources are, under its name and version.
///
/// `maturin develop` would do so too, but asks the package index for the dependencies each time.
fn import_in_place(root: &Path, python: &Path) -> Result<()> {
    let site = run(
        "ask for the packages' folder",
        isolated(python).args(["-c", "import site; print(site.getsitepackages()[0])"]),
    )?;
    let site = Path::new(site.trim_end());
    let known = site.join(format!("tracegist-{VERSION}.dist-info"));
    fs::create_dir_all(&known)?;
    fs::write(known.join("METADATA"), format!("Metadata-Version: 2.1\nName: tracegist\nVersion: {VERSION}\n"))?;
    fs::write(site.join("tracegist.pth"), format!("{}\n", root.join("daemon").display()))?;
    Ok(())
}

/// Builds the engine's Python module and lays it beside the Python sources, which the environment imports where they are.
fn module(root: &Path, venv: &Path, python: &Path) -> Result<()> {
    let mut maturin = isolated(python);
    // A folder of its own: on the target folder of the cargo that waits for this script, the inner cargo would wait for it.
    maturin
        .args(["-m", "maturin", "develop", "--skip-install", "--release", "--target-dir", "target/python"])
        .current_dir(root);
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        let users = USERS.iter().any(|users| name.starts_with(users));
        if CARGOS.contains(&&*name) || (name.starts_with("CARGO") && !users) {
            maturin.env_remove(&*name);
        }
    }
    maturin.env("VIRTUAL_ENV", venv);
    if let Some(bin) = env::var_os("CARGO").as_deref().map(Path::new).and_then(Path::parent) {
        let path = env::var_os("PATH").unwrap_or_default();
        maturin.env("PATH", env::join_paths([bin.to_owned()].into_iter().chain(env::split_paths(&path)))?);
    }
    run("build the native module", &mut maturin)?;
    set_old(&root.join(MODULE))
}

/// Cargo takes a watched file that is newer than this run for a change; an old one it misses only when it is gone.
fn set_old(made: &Path) -> Result<()> {
    Ok(File::options().write(true).open(made)?.set_modified(SystemTime::UNIX_EPOCH)?)
}

/// Tells cargo what this was made from, and what it made. Python sources are not among it: they are imported in place.
fn watch(root: &Path, stamp: &Path) -> Result<()> {
    let mut watched = vec![stamp.to_owned()];
    watched.extend([LOCK, MODULE, "Cargo.lock", "Cargo.toml", "pyproject.toml"].map(|name| root.join(name)));
    for entry in fs::read_dir(root.join("engine"))? {
        let entry = entry?;
        if !["benches", "examples", "fuzz", "target", "tests"].contains(&&*entry.file_name().to_string_lossy()) {
            watched.push(entry.path());
        }
    }
    for path in watched {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    Ok(())
}

/// The first Python on the search path that can make the environment.
fn interpreter() -> Result<String> {
    let names = std::iter::once("python3".to_owned())
        .chain((OLDEST.1..=OLDEST.1 + 9).rev().map(|minor| format!("python3.{minor}")));
    let mut found = Vec::new();
    for name in names {
        let (major, minor) = match version(OsStr::new(&name)) {
            Ok(version) => version,
            Err(reason) => {
                found.extend(reason.map(|reason| format!("  {name}: {reason}")));
                continue;
            }
        };
        if (major, minor) < OLDEST {
            found.push(format!("  {name}: Python {major}.{minor}, too old"));
        } else if !succeeds(Command::new(&name).args(["-I", "-c", "import ensurepip, venv"])) {
            found.push(format!(
                "  {name}: Python {major}.{minor}, without venv or ensurepip (Debian, Ubuntu: apt install python3-venv)"
            ));
        } else {
            return Ok(name);
        }
    }
    if found.is_empty() {
        found.push("  none".to_owned());
    }
    Err(format!(
        "tracegist needs Python {}.{} or newer with venv. Found on the search path:\n{}\n\
         Install one (Debian, Ubuntu: apt install python3 python3-venv; Fedora: dnf install python3) and build again.\n\
         TRACEGIST_PYTHON=/path/to/python names one that has tracegist's dependencies already, and makes no environment.",
        OLDEST.0,
        OLDEST.1,
        found.join("\n")
    )
    .into())
}

/// Major and minor version; or why it does not say, with no reason if there is no such program.
fn version(python: &OsStr) -> std::result::Result<(u32, u32), Option<String>> {
    let output = match Command::new(python).args(["-I", "-c", "import sys; print(*sys.version_info[:2])"]).output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(None),
        Err(error) => return Err(Some(error.to_string())),
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let mut numbers = said.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if output.status.success() => Ok((major, minor)),
        _ => Err(Some(format!("does not run: {}", String::from_utf8_lossy(&output.stderr).trim()))),
    }
}

/// Python as the environment has it: nothing of the user's own environment, site or current folder.
fn isolated(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.arg("-I").env_remove("PIP_USER").env_remove("PIP_TARGET").env_remove("PIP_PREFIX");
    command
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// What the command prints; when it fails, that is the error.
fn run(purpose: &str, command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| format!("could not {purpose}: {error}"))?;
    let [said, complained] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    if output.status.success() {
        return Ok(said.into_owned());
    }
    let program = Path::new(command.get_program()).display();
    let arguments: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    Err(format!(
        "could not {purpose}: {program} {} ended with {}:\n{said}{complained}",
        arguments.join(" "),
        output.status
    )
    .into())
}
