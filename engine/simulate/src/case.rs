//! One case: a system, quiet for a while, then a fault in it.

use crate::fault::{Fault, Kind};
use crate::random::Random;
use crate::system::{Shape, System};

/// A system, and what happens to it.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is made from.
    pub seed: u64,
    /// What goes wrong.
    pub kind: Kind,
    /// Where.
    pub system: System,
    /// All that goes wrong; one, or two of [`Kind::Two`].
    pub faults: Vec<Fault>,
    /// Seconds with nothing wrong.
    pub quiet: i64,
    /// Seconds after that.
    pub faulty: i64,
}

impl Case {
    /// The case of a seed. `quiet` seconds, or more where little happens, come before the fault; of systems that would bring
    /// about more than so many spans, as many calls come in as bring about these.
    #[must_use]
    pub fn new(seed: u64, kind: Kind, quiet: i64, spans: f64) -> Self {
        let mut random = Random::new(seed);
        loop {
            let shape = match kind {
                Kind::Backlog => Some(Shape::Queue),
                Kind::Database if random.chance(0.5) => Some(Shape::Monolith),
                Kind::Database => Some(Shape::Tiers),
                _ => None,
            };
            let mut system = System::random(&mut random, shape);
            let wanted = random.scale(1.0 / 60.0, 500.0);
            let rate = wanted.min(spans / system.spans() / (quiet + 180) as f64);
            // Where little happens, all of it takes longer: a hundred calls to know what is usual.
            let quiet = quiet.max((100.0 / rate) as i64).min(7_200);
            let faulty = (60 * random.within(1, 3) as i64).max((60.0 / rate) as i64).min(3_600);
            system.rate = rate;
            let calls = rate * faulty as f64;
            let mut faults: Vec<Fault> = Vec::new();
            let kinds = if kind == Kind::Two { two(&mut random) } else { vec![kind] };
            for &kind in &kinds {
                for _ in 0..20 {
                    let Some(fault) = Fault::random(&mut random, &mut system, kind, calls) else { break };
                    if faults.iter().all(|other| apart(other, &fault)) {
                        faults.push(Fault { from: quiet, until: quiet + faulty, ..fault });
                        break;
                    }
                }
            }
            if faults.len() == kinds.len() {
                return Self { seed, kind, system, faults, quiet, faulty };
            }
        }
    }

    /// A system with nothing wrong for so many seconds, of which about so many spans come.
    #[must_use]
    pub fn quiet(seed: u64, seconds: i64, spans: f64) -> Self {
        let mut random = Random::new(seed ^ 0x0071_7569);
        let mut system = System::random(&mut random, None);
        system.rate = random.scale(1.0 / 60.0, 500.0).min(spans / system.spans() / seconds as f64);
        Self { seed, kind: Kind::Two, system, faults: Vec::new(), quiet: seconds, faulty: 0 }
    }
}

fn two(random: &mut Random) -> Vec<Kind> {
    let single = [Kind::Latency, Kind::Cpu, Kind::Network, Kind::Exception, Kind::EarlyReturn, Kind::LostCall];
    vec![*random.pick(&single), *random.pick(&single)]
}

/// Whether two faults have no service in common.
fn apart(one: &Fault, other: &Fault) -> bool {
    let places = |fault: &Fault| [Some(fault.service), fault.caller];
    places(one).into_iter().flatten().all(|place| !places(other).contains(&Some(place)))
}
