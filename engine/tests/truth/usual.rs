//! What a summary says is usual: that of baseline and window together, and not contradicted by the window alone.

use super::{Event, Happened, Times, after, count, nanoseconds, quantile};

/// Round numbers, from fine to coarse, and how far apart they are.
const STEPS: [(f64, &[f64]); 4] = [
    (1.26, &[1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0]),
    (1.58, &[1.0, 1.5, 2.5, 4.0, 6.0]),
    (2.15, &[1.0, 2.0, 5.0]),
    (f64::INFINITY, &[1.0, 3.0]),
];

/// Whether `said` is the round number nearest to `is`, of those as far apart as `width` asks for; `error` is by how much,
/// as a share, either is not known exactly.
fn rounds(said: f64, is: f64, width: f64, error: f64) -> bool {
    let nearest = |is: f64, width: f64| {
        let steps = STEPS.iter().find(|step| width <= step.0).unwrap().1;
        let all = (-12..15).flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)));
        all.min_by(|a, b| (a / is).ln().abs().total_cmp(&(b / is).ln().abs())).unwrap()
    };
    let off = [1.0 - error, 1.0, 1.0 + error];
    off.iter().any(|a| off.iter().any(|b| (nearest(is * a, width * b * b) / said - 1.0).abs() < 1e-6))
}

/// Whether a share of time is said as so many events tell it.
pub fn part(said: f64, is: f64, events: f64) -> bool {
    rounds(said, is, interval(events).max(1.25), 1e-6)
}

/// A number as a summary writes it.
pub fn number(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(|c: char| c.is_alphabetic());
    let unit = match &text[digits.len()..] {
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        _ => return None,
    };
    Some(digits.parse::<f64>().ok()? * unit)
}

/// The interval of a rate, nineteen times of twenty: its upper end over its lower one.
fn interval(count: f64) -> f64 {
    (4.0 / count.sqrt()).exp()
}

/// What a count may be where so many are usual.
fn fits(count: f64, usual: f64, drift: f64) -> bool {
    let (low, high) = (usual / drift, usual * drift);
    count >= low - 4.0 * low.sqrt() && count <= high + 4.0 * high.sqrt() + 1.0
}

fn seconds(times: &Times) -> f64 {
    (times.now.end - times.before.start) as f64
}

fn window(times: &Times) -> f64 {
    (times.now.end - times.now.start) as f64
}

/// Whether the rate of a line is that of what came in these seconds.
pub fn rate(line: &str, came: &[i64], times: &Times) -> Result<(), String> {
    let [before, now] = [&times.before, &times.now].map(|range| count(came.iter().copied(), range));
    let all = before + now;
    let said = after(line, "usually").ok_or("no rate")?[0].trim_end_matches([',', '\n']);
    let (said, unit) = said.split_once('/').ok_or("no unit")?;
    let per = if unit == "h" { 3_600.0 } else { 60.0 };
    let (said, is) = (number(said).ok_or("no number")?, all * per / seconds(times));
    if !rounds(said, is, interval(all).max(1.5), 0.0) {
        return Err(format!("{all} events are {is} in {per} s"));
    }
    if !fits(now, all * window(times) / seconds(times), 1.5) {
        return Err(format!("{now} of {all} came in the window"));
    }
    Ok(())
}

/// Whether a line of calls says what is usual of them.
pub fn calls(line: &str, happened: &Happened, times: &Times) -> Result<(), String> {
    let range = times.before.start..times.now.end;
    let all: Vec<&Event> = happened.events.iter().filter(|event| range.contains(&event.second)).collect();
    let now: Vec<&Event> = all.iter().copied().filter(|event| times.now.contains(&event.second)).collect();
    rate(line, &all.iter().map(|event| event.second).collect::<Vec<_>>(), times)?;
    let took: Vec<u64> = all.iter().map(|event| event.took).collect();
    let (n, m) = (all.len() as f64, now.len() as f64);
    let ends = |q: f64| [-2.0, 0.0, 2.0].map(|off| (q * (n - 1.0) + off * (q * (1.0 - q) * n).sqrt()) / (n - 1.0));
    let tail = ends(0.95)[2] * (n - 1.0) < n - 0.5;
    if line.contains(" p95 ") != tail {
        return Err(format!("{n} calls"));
    }
    let values = |q: f64| ends(q).map(|q| quantile(took.clone(), q.clamp(0.0, 1.0)));
    let widths = [0.5, 0.95].map(|q| values(q)[2] / values(q)[0].max(1.0));
    let width = if tail { widths[0].max(widths[1]) } else { widths[0] }.max(1.25).max((2.0 / n.sqrt()).exp());
    for (word, q) in [("p50", 0.5), ("p95", 0.95)] {
        let is = values(q)[1];
        if q < 0.9 || tail {
            let said = after(line, word).and_then(|words| nanoseconds(words[0])).ok_or("no time")?;
            if !rounds(said, is, width, 0.034) {
                return Err(format!("{word} is {is}, known by {width}"));
            }
        }
        // More of the window lies beyond a quarter more, or less, than chance puts there.
        let chance = 4.0 * (q * (1.0 - q) * m).sqrt() + 1.0;
        let slower = now.iter().filter(|event| event.took as f64 > is * 1.25 * 1.05).count() as f64;
        let faster = now.iter().filter(|event| (event.took as f64) < is / 1.25 / 1.05).count() as f64;
        if slower > (1.0 - q) * m + chance || faster > q * m + chance {
            return Err(format!(
                "of {m} calls in the window, {slower} are slower and {faster} faster than {word} {is}"
            ));
        }
    }
    let failed = |events: &[&Event]| events.iter().filter(|event| event.failed).count() as f64;
    let (failures, newer) = (failed(&all), failed(&now));
    if !fits(newer, failures / n * m, 2.0) {
        return Err(format!("{newer} of {failures} failed in the window"));
    }
    match line.split_once("% failed") {
        None if failures == 0.0 => Ok(()),
        Some((begin, _)) => {
            let said = number(begin.rsplit(' ').next().unwrap()).ok_or("no share")?;
            let is = 100.0 * failures / n;
            if rounds(said, is, interval(failures).max(2.0), 0.0) { Ok(()) } else { Err(format!("{is} % failed")) }
        }
        None => Err(format!("{failures} failed")),
    }
}
