//! Tokens counted a second, on what the engine counts: lines of summaries, log lines, JSON, and a piece with no seam.
//!
//! `cargo bench -p tracegist-engine --bench tokens`; an element is a token.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tracegist_engine::tokens::Encoding;

const SUMMARY: &str = "\
# web-3 14:02-14:07Z, 5m against the hour before. 1.2M events, 18 services, lag 0.3s, nothing lost
## wrong
1 payment: slow since 14:03. self time p95 12ms > 2.1s (8.1k calls); checkout and frontend wait on it #12
2 checkout POST /pay: errors .2% > 7.1% (571): \"upstream timeout after <*>ms calling payment\" #13
## stopped
payment: \"charge accepted <*>\" 540/min > 0 since 14:03 #14
";

const LOG: &str = "\
2024-03-09T14:02:33.123456Z INFO  payment.PaymentService - charge accepted order=7f3a9c1e amount=12.50 EUR in 12ms
2024-03-09T14:02:33.131002Z ERROR checkout.CheckoutController - upstream timeout after 2001ms calling payment:8080
";

const JSON: &str = r#"{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"POST /pay","kind":2,
"startTimeUnixNano":"1709992953123456000","endTimeUnixNano":"1709992955124456000","status":{"code":2}}
"#;

fn count(criterion: &mut Criterion) {
    let seamless: String = ('a'..='z').cycle().step_by(7).take(100_000).collect();
    let texts = [
        ("summary", SUMMARY.to_owned()),
        ("log", LOG.to_owned()),
        ("json", JSON.to_owned()),
        ("seamless_100k", seamless),
    ];
    for name in Encoding::names() {
        let Ok(encoding) = Encoding::named(name) else { continue };
        let mut group = criterion.benchmark_group(format!("tokens/count/{name}"));
        for (label, text) in &texts {
            group.throughput(Throughput::Elements(encoding.count(text) as u64));
            group.bench_function(*label, |bencher| bencher.iter(|| encoding.count(black_box(text))));
        }
        group.finish();
    }
}

fn truncate(criterion: &mut Criterion) {
    let Ok(encoding) = Encoding::named("o200k_base") else { return };
    let text = LOG.repeat(100);
    let mut group = criterion.benchmark_group("tokens/truncate/o200k_base");
    for budget in [20, 1000] {
        group.bench_function(budget.to_string(), |bencher| {
            bencher.iter(|| encoding.truncate(black_box(&text), budget).len());
        });
    }
    group.finish();
}

criterion_group!(benches, count, truncate);
criterion_main!(benches);
