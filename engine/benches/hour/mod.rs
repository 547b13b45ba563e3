//! A host of 10,000 series of calls and 5,000 templates of messages in 24 services, for the benchmarks of reading.

use std::fmt::Write as _;

use tracegist_engine::state::Limits;

const START: u64 = 1_764_000_000_000_000_000;
const SECOND: u64 = 1_000_000_000;
pub const RECEIVED: i64 = 1_764_100_000_000_000_000;

fn word(mut n: u64) -> String {
    let mut word = String::new();
    while n > 0 || word.is_empty() {
        word.push(char::from(b'a' + u8::try_from(n % 26).unwrap()));
        n /= 26;
    }
    word
}

/// One call of each operation and one message of each template in each of `rounds` minutes.
pub fn host(rounds: u64, from: u64) -> String {
    let mut out = String::new();
    for round in 0..rounds {
        let now = START + (from + round) * 60 * SECOND;
        for i in 0..10_000_u64 {
            let (service, id) = (word(i % 24 + 26), (from + round) * 10_000 + i);
            let took = 1_000_000 * (1 + (id * 7_919) % 97);
            writeln!(
                out,
                r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}},"scopeSpans":[{{"spans":[{{"traceId":"{id:032x}","spanId":"{:016x}","name":"call {}","kind":2,"startTimeUnixNano":"{}","endTimeUnixNano":"{}","status":{{}}}}]}}]}}]}}"#,
                id + 1,
                word(i + 1_000),
                now + i * 1_000_000 - took,
                now + i * 1_000_000
            )
            .unwrap();
            if i % 2 == 0 {
                let time = now + i * 1_000_000;
                writeln!(
                    out,
                    r#"{{"time":{time},"level":"info","service":"{service}","msg":"{} of {} has {} after {took} ns"}}"#,
                    word(i * 31 + 7_000),
                    word(i * 17 + 900),
                    word(i + 50_000)
                )
                .unwrap();
            }
        }
    }
    out
}

pub fn limits() -> Limits {
    Limits { memory: 1 << 30, ..Limits::default() }
}
