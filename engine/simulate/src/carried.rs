//! What the spans of a call from outside carry: whose call it is, from where, with which flag on. Told from its trace alone.

/// Tenants, and the share of calls that is theirs.
pub const TENANTS: [(&str, f64); 8] = [
    ("acme", 0.3),
    ("birch", 0.2),
    ("cobalt", 0.15),
    ("dahlia", 0.1),
    ("ember", 0.1),
    ("fjord", 0.08),
    ("garnet", 0.05),
    ("heron", 0.02),
];

const REGIONS: [&str; 3] = ["eu-west", "us-east", "ap-south"];

/// The place of the tenant whose call a trace is.
#[must_use]
pub fn tenant(trace: [u64; 2]) -> usize {
    let mut left = unit(trace[0] ^ trace[1].rotate_left(17));
    TENANTS
        .iter()
        .position(|(_, share)| {
            left -= share;
            left < 0.0
        })
        .unwrap_or(0)
}

/// Keys and values of a span's attributes; `name` is what it does.
#[must_use]
pub fn attributes(trace: [u64; 2], name: &str) -> [(&'static str, &str); 4] {
    let region = REGIONS[(trace[0] >> 7) as usize % REGIONS.len()];
    let flag = if trace[1] >> 9 & 1 == 0 { "on" } else { "off" };
    [("tenant", TENANTS[tenant(trace)].0), ("cloud.region", region), ("feature.recommend", flag), ("http.route", name)]
}

/// From 0 to 1, by `SplitMix64` (Steele, Lea and Flood, 2014).
fn unit(seed: u64) -> f64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}
