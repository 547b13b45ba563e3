//! The face to Python, described in `_engine.pyi`: thin, and the only file that knows Python.
//!
//! Values go in and out as bytes or plain values; the GIL is released while the engine works; errors become the exceptions
//! of `tracegist.errors` here and nowhere else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::engine;
use crate::format::{self, Format};
use crate::query;
use crate::snapshot::{self, Damage};
use crate::state::Limits;
use crate::summary::facts::Section;
use crate::summary::{Error, Request};
use crate::survey;
use crate::templates;
use crate::tokens::Encoding;

pyo3::import_exception!(tracegist.errors, QueryError);
pyo3::import_exception!(tracegist.errors, SnapshotError);
pyo3::import_exception!(tracegist.errors, TokenBudgetExceeded);
pyo3::import_exception!(tracegist.errors, TraceNotFound);

const NANOS: i64 = 1_000_000_000;

/// Bytes that are copied at once while nothing else in Python can go on.
const PIECE: usize = 1 << 20;

impl From<Damage> for PyErr {
    fn from(damage: Damage) -> Self {
        SnapshotError::new_err(damage.to_string())
    }
}

impl From<format::Wrong> for PyErr {
    fn from(wrong: format::Wrong) -> Self {
        PyValueError::new_err(wrong.to_string())
    }
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        match error {
            Error::Budget { .. } => TokenBudgetExceeded::new_err(error.to_string()),
            Error::Encoding(_) => PyValueError::new_err(error.to_string()),
        }
    }
}

impl From<query::Error> for PyErr {
    fn from(error: query::Error) -> Self {
        let message = error.to_string();
        match error {
            query::Error::Word(wrong) => {
                QueryError::new_err((message, wrong.field, wrong.text, wrong.at, wrong.suggestion))
            }
            query::Error::Budget { .. } => TokenBudgetExceeded::new_err(message),
            query::Error::Encoding(_) => QueryError::new_err((message, "encoding")),
            query::Error::Missing(_) => TraceNotFound::new_err(message),
        }
    }
}

fn named(format: Option<&str>) -> PyResult<Option<Format>> {
    let Some(name) = format else { return Ok(None) };
    Format::named(name).map(Some).ok_or_else(|| {
        let known: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
        PyValueError::new_err(format!("unknown format {name:?}: it is one of {}", known.join(", ")))
    })
}

fn named_encoding(name: &str) -> PyResult<&'static Encoding> {
    Encoding::named(name).map_err(|unknown| PyValueError::new_err(unknown.to_string()))
}

fn json<T: serde::Serialize>(py: Python<'_>, value: &T) -> PyResult<Py<PyBytes>> {
    let bytes = serde_json::to_vec(value).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(PyBytes::new(py, &bytes).unbind())
}

/// Whole seconds of nanoseconds, at least one.
fn seconds(name: &str, ns: i64) -> PyResult<i64> {
    if ns < 0 {
        return Err(PyValueError::new_err(format!("{name} is {ns} ns: it must not be negative")));
    }
    Ok((ns + NANOS - 1) / NANOS)
}

fn positive(name: &str, value: i64) -> PyResult<usize> {
    usize::try_from(value)
        .ok()
        .filter(|&value| value > 0)
        .ok_or_else(|| PyValueError::new_err(format!("{name} is {value}: it must be at least 1")))
}

/// A field by its path, and the unit of its numbers where it has one.
#[derive(FromPyObject)]
enum FieldOf {
    Path(String),
    InUnit(String, Option<String>),
}

#[pyclass(frozen, module = "tracegist._engine")]
struct Dialect(Arc<format::Dialect>);

#[pymethods]
impl Dialect {
    #[new]
    #[pyo3(signature = (*, zone = None, fields = None, delimiter = None, columns = None))]
    fn new(
        zone: Option<&str>,
        fields: Option<BTreeMap<String, FieldOf>>,
        delimiter: Option<&str>,
        columns: Option<Vec<String>>,
    ) -> PyResult<Self> {
        let mut dialect = format::Dialect::default().in_zone(zone)?;
        for (role, field) in fields.unwrap_or_default() {
            let (path, unit) = match field {
                FieldOf::Path(path) => (path, None),
                FieldOf::InUnit(path, unit) => (path, unit),
            };
            dialect = dialect.with_field(&role, &path, unit.as_deref())?;
        }
        let columns = columns.unwrap_or_default();
        match delimiter {
            Some(delimiter) => dialect = dialect.delimited(delimiter, columns)?,
            None if !columns.is_empty() => return Err(format::Wrong::Columns.into()),
            None => {}
        }
        Ok(Self(Arc::new(dialect)))
    }
}

/// How a source writes: as was said, else the plain way in the zone of this host.
fn dialect_of(dialect: Option<&Bound<'_, Dialect>>) -> PyResult<Arc<format::Dialect>> {
    match dialect {
        Some(dialect) => Ok(Arc::clone(&dialect.get().0)),
        None => Ok(Arc::new(format::Dialect::default().in_zone(None)?)),
    }
}

#[pyclass(frozen, module = "tracegist._engine")]
struct Engine(engine::Engine);

#[pymethods]
impl Engine {
    fn abandon(slf: Py<Self>) {
        std::mem::forget(slf);
    }

    #[new]
    #[pyo3(signature = (*, host = "", max_memory = None, max_record = None, max_series = None, max_streams = None, max_open_spans = None, max_evidence = None, trace_hold = None))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        host: &str,
        max_memory: Option<i64>,
        max_record: Option<i64>,
        max_series: Option<i64>,
        max_streams: Option<i64>,
        max_open_spans: Option<i64>,
        max_evidence: Option<i64>,
        trace_hold: Option<i64>,
    ) -> PyResult<Self> {
        let defaults = Limits::default();
        let limit = |name, value: Option<i64>, default| value.map_or(Ok(default), |value| positive(name, value));
        let limits = Limits {
            max_record: limit("max_record", max_record, defaults.max_record)?,
            memory: limit("max_memory", max_memory, defaults.memory)?,
            max_series: limit("max_series", max_series, defaults.max_series)?,
            max_streams: limit("max_streams", max_streams, defaults.max_streams)?,
            max_open_spans: limit("max_open_spans", max_open_spans, defaults.max_open_spans)?,
            max_evidence: limit("max_evidence", max_evidence, defaults.max_evidence)?,
            trace_hold: match trace_hold {
                Some(ns) if ns <= 0 => {
                    return Err(PyValueError::new_err(format!("trace_hold is {ns}: it must be at least 1")));
                }
                Some(ns) => ns,
                None => defaults.trace_hold,
            },
        };
        Ok(Self(engine::Engine::new(host.to_owned(), limits)))
    }

    #[pyo3(signature = (stream, data, *, received, format = None, dialect = None, size = None, source = ""))]
    #[allow(clippy::too_many_arguments)]
    fn ingest(
        &self,
        py: Python<'_>,
        stream: &str,
        data: &[u8],
        received: i64,
        format: Option<&str>,
        dialect: Option<&Bound<'_, Dialect>>,
        size: Option<usize>,
        source: &str,
    ) -> PyResult<(u64, u64, String)> {
        let format = named(format)?;
        let dialect = dialect_of(dialect)?;
        let size = size.unwrap_or(data.len());
        let Some(data) = data.get(..size) else {
            return Err(PyValueError::new_err(format!("size is {size}: there are only {} bytes", data.len())));
        };
        let outcome = py.detach(|| self.0.ingest_of(source, stream, data, received, format, Some(&dialect)));
        Ok((outcome.events, outcome.rejected, outcome.reason))
    }

    #[pyo3(signature = (reason, *, bytes = 0, lines = 0))]
    fn missed(&self, py: Python<'_>, reason: &str, bytes: u64, lines: u64) {
        py.detach(|| self.0.missed(reason, bytes, lines));
    }

    #[pyo3(signature = (*, budget, encoding = "o200k_base", window = None, baseline = None, focus = None, sections = None, now = None, notices = None))]
    #[allow(clippy::too_many_arguments)]
    fn summary(
        &self,
        py: Python<'_>,
        budget: i64,
        encoding: &str,
        window: Option<i64>,
        baseline: Option<i64>,
        focus: Option<String>,
        sections: Option<Vec<String>>,
        now: Option<i64>,
        notices: Option<Vec<String>>,
    ) -> PyResult<Py<PyBytes>> {
        let section = |name: String| {
            Section::named(&name).ok_or_else(|| {
                let known: Vec<&str> = Section::ALL.iter().map(|section| section.name()).collect();
                PyValueError::new_err(format!("unknown section {name:?}: it is one of {}", known.join(", ")))
            })
        };
        let request = Request {
            budget: positive("budget", budget)?,
            encoding: encoding.to_owned(),
            window: window.map_or(Ok(300), |ns| seconds("window", ns))?.max(1),
            baseline: baseline.map(|ns| seconds("baseline", ns)).transpose()?,
            focus: focus.filter(|focus| !focus.is_empty()),
            sections: sections.unwrap_or_default().into_iter().map(section).collect::<PyResult<_>>()?,
            now,
            notices: notices.unwrap_or_default(),
            host: String::new(),
        };
        let summary = py.detach(|| self.0.summary(request))?;
        json(py, &summary)
    }

    fn query(&self, py: Python<'_>, request: &[u8]) -> PyResult<Py<PyBytes>> {
        let answer = py.detach(|| query::Request::from_json(request).and_then(|request| self.0.query(&request)))?;
        json(py, &answer)
    }

    fn evidence(&self, py: Python<'_>, number: i64) -> PyResult<Py<PyBytes>> {
        let found = u32::try_from(number).ok().and_then(|number| py.detach(|| self.0.evidence(number)));
        let missing = || {
            TraceNotFound::new_err(format!(
                "no evidence #{number}: the number was never given, or its events have expired"
            ))
        };
        json(py, &found.ok_or_else(missing)?)
    }

    #[pyo3(signature = (template, *, service = None, most = 5))]
    fn values(&self, py: Python<'_>, template: &str, service: Option<&str>, most: usize) -> PyResult<Py<PyBytes>> {
        let found = py.detach(|| self.0.values(template, service, most));
        json(py, &found)
    }

    fn stats(&self, py: Python<'_>) -> PyResult<Py<PyBytes>> {
        let stats = py.detach(|| self.0.stats());
        json(py, &stats)
    }

    #[pyo3(signature = (stream = None))]
    fn watermark(&self, py: Python<'_>, stream: Option<&str>) -> Option<i64> {
        py.detach(|| self.0.watermark(stream))
    }

    fn generation(&self, py: Python<'_>) -> u64 {
        py.detach(|| self.0.generation())
    }

    fn snapshot(&self, py: Python<'_>) -> Py<PyBytes> {
        let bytes = py.detach(|| self.0.snapshot());
        PyBytes::new(py, &bytes).unbind()
    }

    fn capture(&self, py: Python<'_>) -> Capture {
        Capture(Mutex::new(Some(py.detach(|| self.0.capture()))))
    }

    fn restore(&self, py: Python<'_>, data: &[u8]) -> PyResult<()> {
        Ok(py.detach(|| self.0.restore(data))?)
    }

    fn merge(&self, py: Python<'_>, data: &[u8]) -> PyResult<()> {
        Ok(py.detach(|| self.0.merge(data))?)
    }
}

#[pyclass(frozen, module = "tracegist._engine")]
struct Capture(Mutex<Option<snapshot::Capture>>);

#[pymethods]
impl Capture {
    fn encode(&self, py: Python<'_>) -> PyResult<Vec<Py<PyBytes>>> {
        let bytes = py.detach(|| {
            let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
            taken.map(snapshot::Capture::encode)
        });
        let bytes = bytes.ok_or_else(|| PyValueError::new_err("the capture has been encoded already"))?;
        let mut pieces = Vec::with_capacity(bytes.len().div_ceil(PIECE));
        for piece in bytes.chunks(PIECE) {
            pieces.push(PyBytes::new(py, piece).unbind());
            // Whoever waits for the interpreter has a turn.
            py.detach(std::thread::yield_now);
        }
        Ok(pieces)
    }
}

#[pyclass(frozen, module = "tracegist._engine")]
struct Survey(Mutex<survey::Survey>);

impl Survey {
    fn lock(&self) -> MutexGuard<'_, survey::Survey> {
        // A panic in another thread has been reported there; the survey is counts and stays readable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Survey {
    #[new]
    #[pyo3(signature = (*, format = None, dialect = None, max_record = None, events = 5))]
    fn new(
        format: Option<&str>,
        dialect: Option<&Bound<'_, Dialect>>,
        max_record: Option<i64>,
        events: usize,
    ) -> PyResult<Self> {
        let limit = max_record.map_or(Ok(Limits::default().max_record), |value| positive("max_record", value))?;
        Ok(Self(Mutex::new(survey::Survey::new(named(format)?, Some(dialect_of(dialect)?), limit, events))))
    }

    #[pyo3(signature = (data, *, received))]
    fn feed(&self, py: Python<'_>, data: &[u8], received: i64) -> (u64, u64, String) {
        let outcome = py.detach(|| self.lock().feed(data, received));
        (outcome.events, outcome.rejected, outcome.reason)
    }

    fn newest(&self, py: Python<'_>) -> Option<i64> {
        py.detach(|| self.lock().newest())
    }

    fn report(&self, py: Python<'_>) -> PyResult<Py<PyBytes>> {
        let bytes = py.detach(|| serde_json::to_vec(&self.lock().report()));
        let bytes = bytes.map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(PyBytes::new(py, &bytes).unbind())
    }
}

#[pyfunction]
fn formats() -> Vec<&'static str> {
    Format::ALL.iter().map(|format| format.name()).collect()
}

#[pyfunction]
#[pyo3(signature = (data, *, format = None, max_record = None))]
fn boundary(py: Python<'_>, data: &[u8], format: Option<&str>, max_record: Option<i64>) -> PyResult<usize> {
    let format = named(format)?;
    let limit = max_record.map_or(Ok(Limits::default().max_record), |value| positive("max_record", value))?;
    Ok(py.detach(|| match format::boundary(format, data) {
        0 if data.len() > limit => data.len(),
        length => length,
    }))
}

#[pyfunction]
#[pyo3(signature = (data, *, whole = false))]
fn detect(py: Python<'_>, data: &[u8], whole: bool) -> Option<&'static str> {
    py.detach(|| format::detect(data, whole)).map(Format::name)
}

#[pyclass(frozen, module = "tracegist._engine")]
struct Decoder(Mutex<crate::show::Shower>);

#[pymethods]
impl Decoder {
    #[new]
    #[pyo3(signature = (*, format = None, received = 0, dialect = None))]
    fn new(format: Option<&str>, received: i64, dialect: Option<&Bound<'_, Dialect>>) -> PyResult<Self> {
        let dialect = dialect_of(dialect)?;
        Ok(Self(Mutex::new(crate::show::Shower::new(named(format)?, received, Some(&dialect)))))
    }

    fn decode(&self, py: Python<'_>, data: &[u8]) -> Py<PyBytes> {
        let lines = py.detach(|| self.0.lock().unwrap_or_else(PoisonError::into_inner).lines(data));
        PyBytes::new(py, &lines).unbind()
    }
}

#[pyfunction]
#[pyo3(signature = (data, *, format = None, received = 0, dialect = None))]
fn decode(
    py: Python<'_>,
    data: &[u8],
    format: Option<&str>,
    received: i64,
    dialect: Option<&Bound<'_, Dialect>>,
) -> PyResult<Py<PyBytes>> {
    let format = named(format)?;
    let dialect = dialect_of(dialect)?;
    let lines = py.detach(|| crate::show::lines(data, format, received, Some(&dialect)));
    Ok(PyBytes::new(py, &lines).unbind())
}

#[pyfunction]
#[pyo3(name = "templates")]
fn templates_of(py: Python<'_>, data: &[u8]) -> Py<PyBytes> {
    let lines = py.detach(|| templates::of_lines(data));
    PyBytes::new(py, &lines).unbind()
}

#[pyfunction]
#[pyo3(signature = (data, *, most = 5))]
fn template_values(py: Python<'_>, data: &[u8], most: usize) -> Py<PyBytes> {
    let lines = py.detach(|| templates::values_of_lines(data, most));
    PyBytes::new(py, &lines).unbind()
}

#[pyfunction]
#[pyo3(signature = (text, encoding = "o200k_base"))]
fn count_tokens(py: Python<'_>, text: &str, encoding: &str) -> PyResult<usize> {
    let encoding = named_encoding(encoding)?;
    Ok(py.detach(|| encoding.count(text)))
}

#[pyfunction]
#[pyo3(signature = (text, encoding = "o200k_base"))]
fn split_tokens(py: Python<'_>, text: &str, encoding: &str) -> PyResult<Vec<u32>> {
    let encoding = named_encoding(encoding)?;
    Ok(py.detach(|| encoding.encode(text)))
}

#[pyfunction]
#[pyo3(signature = (text, budget, encoding = "o200k_base"))]
fn truncate<'a>(py: Python<'_>, text: &'a str, budget: usize, encoding: &str) -> PyResult<&'a str> {
    let encoding = named_encoding(encoding)?;
    Ok(py.detach(|| encoding.truncate(text, budget)))
}

#[pyfunction]
fn encodings() -> Vec<&'static str> {
    Encoding::names().to_vec()
}

#[pyfunction]
fn vocabulary(py: Python<'_>, encoding: &str) -> PyResult<Vec<Py<PyBytes>>> {
    Ok(named_encoding(encoding)?.vocabulary().map(|token| PyBytes::new(py, token).unbind()).collect())
}

#[pymodule]
mod _engine {
    #[pymodule_export]
    use super::{
        Capture, Decoder, Dialect, Engine, Survey, boundary, count_tokens, decode, detect, encodings, formats,
        split_tokens, template_values, templates_of, truncate, vocabulary,
    };
}
