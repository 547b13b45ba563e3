//! Time on a processor, which other work on the machine changes little.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What this thread takes for something.
pub fn taken<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let began = now();
    let done = work();
    (now().saturating_sub(began), done)
}

fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let part = |number: i64| u64::try_from(number).unwrap_or(0);
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}

/// The 50th and the 99th percentile of a hundred.
pub fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    format!("p50 {:.1?}, p99 {:.1?}", times[times.len() / 2 - 1], times[times.len() * 99 / 100 - 1])
}
