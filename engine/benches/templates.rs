//! Speed of templates, in lines a second on one core: `cargo bench -p tracegist-engine --bench templates`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tracegist_engine::templates::{Grouping, shape};

/// Marsaglia's xorshift: the same lines on every run, with no dependency.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let at = self.below(words.len() as u64);
        words[usize::try_from(at).unwrap_or(0)]
    }
}

const SERVICES: [&str; 6] = ["checkout", "cart", "payment", "shipping", "ledger", "frontend"];
const USERS: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];

/// Lines as services write them, 100 bytes on average.
fn lines(count: usize) -> Vec<String> {
    let mut random = Random(7);
    (0..count)
        .map(|_| {
            let (n, service, user) = (random.below(1 << 40), random.pick(&SERVICES), random.pick(&USERS));
            match random.below(8) {
                0 => format!("charge accepted for order {n} of customer {user}, amount {}.{:02} EUR, provider answered in {}ms", n % 900, n % 100, n % 1000),
                1 => format!("GET /api/v1/orders/{n}/items status=200 duration={}.{}ms bytes={} client=10.2.{}.{}:{}", n % 900, n % 10, n % 90_000, n % 256, n / 256 % 256, 1024 + n % 60_000),
                2 => format!("upstream timed out after {}ms while calling {service} at http://{service}.shop.svc:8080/v1/{n:x}, attempt {} of 5", n % 9000, n % 5),
                3 => format!("session {:08x}-{:04x}-4{:03x}-a{:03x}-{:012x} of user {user} opened from 192.168.{}.{}", n & 0xffff_ffff, n & 0xffff, n & 0xfff, n & 0xfff, n, n % 256, n / 256 % 256),
                4 => format!("cache entry product:{n} expired after {} s and was fetched again from the database in {} ms", n % 3600, n % 100),
                5 => format!("consumer group {service} rebalanced: generation {}, partitions assigned to this member are now settled", n % 1000),
                6 => format!("wrote {} bytes to /var/lib/{service}/segments/{n:016x}.log, {} files remain to be compacted tonight", n % 1_000_000, n % 50),
                _ => String::from("connection to the message broker was closed by the peer, a new one will be opened within a few seconds"),
            }
        })
        .collect()
}

fn shapes(bench: &mut Criterion) {
    let lines = lines(20_000);
    let mut group = bench.benchmark_group("templates");
    group.throughput(Throughput::Elements(lines.len() as u64));
    let mut out = String::with_capacity(1024);
    group.bench_function("shape", |b| {
        b.iter(|| {
            for line in &lines {
                shape(black_box(line), &mut out);
                black_box(&out);
            }
        });
    });
    group.finish();
}

/// Ten thousand shapes: names in 200 messages of a few words.
fn grouping(bench: &mut Criterion) {
    let mut random = Random(11);
    let verbs = ["opened", "closed", "moved", "copied", "checked", "locked", "sent", "dropped", "merged", "split"];
    let things = ["session", "ticket", "basket", "letter", "backup", "folder", "window", "channel", "bucket", "stream"];
    let ends = ["after <*> ms", "by the operator"];
    let shapes: Vec<String> = (0..10_000)
        .map(|_| {
            let name: String = (0..6).map(|_| char::from(b'a' + u8::try_from(random.below(26)).unwrap_or(0))).collect();
            format!("the {} of {name} was {} {}", random.pick(&things), random.pick(&verbs), random.pick(&ends))
        })
        .collect();
    let shapes: Vec<&str> = shapes.iter().map(String::as_str).collect();
    let mut group = bench.benchmark_group("templates");
    group.throughput(Throughput::Elements(shapes.len() as u64));
    group.sample_size(20);
    group.bench_function("grouping", |b| b.iter(|| Grouping::of(black_box(&shapes))));
    group.finish();
}

criterion_group!(benches, shapes, grouping);
criterion_main!(benches);
