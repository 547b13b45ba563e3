//! Systems made up: their graph, their operations, how they are traced, what they log.

use crate::names;
use crate::random::{Random, Times};
use crate::system::{Call, Instance, Message, Operation, Role, Service, Shape, Step, Style, System};

/// Spans that one call from outside brings about at most, on average.
const MOST_SPANS: f64 = 120.0;

/// Calls of one service by another, waited for or sent as messages.
struct Edge {
    from: usize,
    to: usize,
    message: bool,
}

impl System {
    /// A system of a shape, or of any. Its rate is yet to be set.
    #[must_use]
    pub fn random(random: &mut Random, shape: Option<Shape>) -> Self {
        let shape = shape.unwrap_or_else(|| *random.pick(&Shape::ALL));
        let style = Style { clients: random.chance(0.6), methods: random.chance(0.25), kinds: random.chance(0.75) };
        let (services, edges) = graph(random, shape);
        let mut system = Self { shape, services, operations: Vec::new(), entries: Vec::new(), rate: 1.0, style };
        system.add_operations(random);
        system.join(random, &edges);
        system.add_logs(random);
        let mut spans = system.spans();
        while spans > MOST_SPANS {
            for step in system.operations.iter_mut().flat_map(|operation| &mut operation.steps) {
                if let Step::Calls { calls, .. } = step {
                    calls.iter_mut().for_each(|call| call.chance *= 0.8);
                }
            }
            spans = system.spans();
        }
        system
    }

    fn add_operations(&mut self, random: &mut Random) {
        for (at, service) in self.services.iter().enumerate() {
            let count = if at == 0 { random.within(1, 4) } else { random.within(1, 3) };
            let first = self.operations.len();
            // What a service does takes about as long, whichever operation.
            let usual = match service.role {
                Role::Store => random.scale(2e5, 5e6),
                Role::Plain => random.scale(3e5, 2e7),
                Role::Consumer => random.scale(2e6, 1e8),
            };
            while self.operations.len() < first + count {
                let name = operation_name(random, service.role, at == 0);
                if self.operations[first..].iter().any(|other| other.name == name) {
                    continue;
                }
                let standing = if random.chance(0.12) { random.scale(0.002, 0.08) } else { 0.0 };
                self.operations.push(Operation {
                    service: at,
                    name,
                    steps: work(random, usual, service.role),
                    standing,
                    failure: message(random, &names::FAILURES),
                    logs_failures: random.chance(0.6),
                });
            }
            if at == 0 {
                self.entries = (0..count).map(|i| (i, random.scale(1.0, 10.0))).collect();
            }
        }
    }

    fn join(&mut self, random: &mut Random, edges: &[Edge]) {
        for edge in edges {
            let (callers, callees) = (self.operations_of(edge.from), self.operations_of(edge.to));
            let mut joined: Vec<(usize, usize)> = Vec::new();
            for &caller in &callers {
                if random.chance(0.6) {
                    joined.push((caller, *random.pick(&callees)));
                }
            }
            if joined.is_empty() {
                joined.push((*random.pick(&callers), *random.pick(&callees)));
            }
            for &callee in &callees {
                if !joined.iter().any(|pair| pair.1 == callee) && random.chance(0.5) {
                    joined.push((*random.pick(&callers), callee));
                }
            }
            for (caller, callee) in joined {
                let step = self.call(random, callee, edge.message);
                let steps = &mut self.operations[caller].steps;
                let at = random.within(1.min(steps.len()), steps.len());
                // Next to another call it may be made at the same time.
                if let (Some(Step::Calls { calls, together }), Step::Calls { calls: more, .. }) =
                    (steps.get_mut(at.saturating_sub(1)), &step)
                    && random.chance(0.4)
                {
                    calls.extend(more.iter().cloned());
                    *together |= random.chance(0.5);
                } else {
                    steps.insert(at, step);
                    if random.chance(0.08) {
                        steps.insert(at, Step::Cache { hits: random.scale(0.1, 0.9), skips: 1 });
                    }
                }
            }
        }
    }

    fn call(&self, random: &mut Random, callee: usize, message: bool) -> Step {
        let Operation { service, name, .. } = &self.operations[callee];
        let service = &self.services[*service];
        if message {
            return Step::Publish { operation: callee, name: format!("{} send", name.trim_end_matches(" process")) };
        }
        let name = match service.role {
            Role::Store => name.clone(),
            _ if self.style.methods => (*random.pick(&["GET", "POST"])).to_owned(),
            _ => name.clone(),
        };
        let call = Call {
            operation: callee,
            chance: if random.chance(0.7) { 1.0 } else { random.scale(0.05, 0.9) },
            network: Times { median: random.scale(5e4, 2e6), sigma: random.scale(0.1, 0.5), other: None },
            timeout: *random.pick(&[1_000_000_000, 2_000_000_000, 5_000_000_000, 30_000_000_000]),
            retries: if random.chance(0.2) { random.within(1, 3) } else { 0 },
            tolerated: random.chance(0.2),
            name,
        };
        Step::Calls { calls: vec![call], together: false }
    }

    fn add_logs(&mut self, random: &mut Random) {
        for at in 0..self.services.len() {
            if self.services[at].role == Role::Store || random.chance(0.2) {
                continue;
            }
            let lines = random.within(1, 4);
            for operation in self.operations.iter_mut().filter(|operation| operation.service == at) {
                for _ in 0..random.within(0, lines) {
                    let place = random.within(0, operation.steps.len());
                    let (severity, from) =
                        if random.chance(0.1) { (13, &names::WARNINGS[..]) } else { (9, &names::MESSAGES[..]) };
                    let chance = if severity == 9 && random.chance(0.8) { 1.0 } else { random.scale(0.01, 0.5) };
                    let text = message(random, from);
                    operation.steps.insert(place, Step::Log(Message { severity, text, chance }));
                    // What a cache passes over stays what it was: it stands right before.
                    if place > 0 && matches!(operation.steps[place - 1], Step::Cache { .. }) {
                        operation.steps.swap(place - 1, place);
                    }
                }
            }
        }
    }
}

/// Services and who calls whom, from lower to higher places.
fn graph(random: &mut Random, shape: Shape) -> (Vec<Service>, Vec<Edge>) {
    let mut count = random.scale(3.0, 60.5) as usize;
    let mut edges: Vec<(usize, usize, bool)> = Vec::new();
    let mut roles: Vec<Role> = Vec::new();
    match shape {
        Shape::Chain => {
            count = count.min(12);
            edges.extend((1..count).map(|i| (i - 1, i, false)));
        }
        Shape::Fan => edges.extend((1..count).map(|i| (if i < 20 { 0 } else { i / 4 }, i, false))),
        Shape::Diamond => {
            count = count.max(4);
            let middle = 1 + (count - 2) / 2;
            edges.extend((1..=middle).map(|i| (0, i, false)));
            for i in middle + 1..count {
                edges.extend((1..=middle).filter(|_| random.chance(0.7)).map(|from| (from, i, false)));
                edges.push((random.within(1, middle), i, false));
            }
        }
        Shape::Mesh => {
            for i in 1..count {
                for _ in 0..random.within(1, 3) {
                    edges.push((random.within(i.saturating_sub(12), i - 1), i, false));
                }
            }
        }
        Shape::Queue => {
            roles = vec![Role::Plain; count];
            for (i, role) in roles.iter_mut().enumerate().skip(1) {
                let from = random.within(i.saturating_sub(6), i - 1);
                let message = i == count - 1 || random.chance(0.35);
                *role = if message { Role::Consumer } else { Role::Plain };
                edges.push((from, i, message));
            }
        }
        Shape::Monolith => {
            count = random.within(2, 4);
            roles = vec![Role::Store; count];
            roles[0] = Role::Plain;
            edges.extend((1..count).map(|i| (0, i, false)));
        }
        Shape::Tiers => {
            let middle = (count / 2).max(1);
            count = 1 + middle * 2;
            roles = (0..count).map(|i| if i > middle { Role::Store } else { Role::Plain }).collect();
            for i in 1..=middle {
                edges.push((if i == 1 || random.chance(0.6) { 0 } else { random.within(1, i - 1) }, i, false));
                edges.push((i, i + middle, false));
            }
        }
    }
    roles.resize(count, Role::Plain);
    edges.sort_unstable();
    edges.dedup();
    let traced_stores = random.chance(0.3);
    let mut services: Vec<Service> = Vec::new();
    let suffix = *random.pick(&["", "service", "-service", "-svc", "-api"]);
    while services.len() < count {
        let role = roles[services.len()];
        let at = services.len();
        let base = match role {
            _ if at == 0 => *random.pick(&["frontend", "gateway", "web", "edge", "api"]),
            Role::Store => random.pick(&names::STORES),
            _ => random.pick(&names::SERVICES),
        };
        let whose = if role == Role::Store && count > 4 { *random.pick(&names::SERVICES) } else { "" };
        let name = match (role, whose) {
            (Role::Store, "") => base.to_owned(),
            (Role::Store, whose) => format!("{whose}-{base}"),
            (Role::Consumer, _) => format!("{base}-worker"),
            _ => format!("{base}{suffix}"),
        };
        let name =
            if at > 25 && services.iter().any(|other| other.name == name) { format!("{name}-{at}") } else { name };
        if services.iter().all(|other| other.name != name) {
            services.push(service(random, name, role, role != Role::Store || traced_stores));
        }
    }
    let edges = edges.into_iter().map(|(from, to, message)| Edge { from, to, message }).collect();
    (services, edges)
}

fn service(random: &mut Random, name: String, role: Role, seen: bool) -> Service {
    let instances = (0..random.within(1, 4)).map(|_| instance(random, &name)).collect();
    let version = format!("{}.{}.{}", random.within(1, 4), random.below(20), random.below(10));
    Service { name, role, seen, instances, version, workers: 4 }
}

/// A new process of a service.
pub(crate) fn instance(random: &mut Random, service: &str) -> Instance {
    let skew = if random.chance(0.1) { 2e7 } else { 5e5 } * random.normal();
    Instance {
        id: format!("{service}-{:05x}", random.bits() & 0xf_ffff),
        host: format!("node-{}", random.below(8)),
        skew: skew as i64,
        export: *random.pick(&[1, 1, 2, 5]),
    }
}

fn operation_name(random: &mut Random, role: Role, outside: bool) -> String {
    let (verb, noun) = (*random.pick(&names::VERBS), *random.pick(&names::NOUNS));
    match role {
        Role::Store => format!("{} {noun}s", random.pick(&["SELECT", "INSERT", "UPDATE", "GET"])),
        Role::Consumer => format!("{noun}s.{} process", verb.to_lowercase()),
        Role::Plain if outside || random.chance(0.3) => {
            format!("{} /api/{noun}s{}", random.pick(&["GET", "POST"]), random.pick(&["", "/{id}", "/search"]))
        }
        Role::Plain => format!("shop.{noun}/{verb}"),
    }
}

/// What an operation does itself.
fn work(random: &mut Random, usual: f64, role: Role) -> Vec<Step> {
    let parts = if role == Role::Store { 1 } else { random.within(1, 3) };
    let mut steps = Vec::new();
    for i in 0..parts {
        let name = (i > 0 && random.chance(0.4)).then(|| (*random.pick(&names::PARTS)).to_owned());
        let median = usual * random.scale(0.3, 2.0) / parts as f64;
        steps.push(Step::Work { name, times: Times::random(random, median) });
    }
    steps
}

fn message(random: &mut Random, from: &[&str]) -> String {
    random.pick(from).replace('#', random.pick::<&str>(&names::NOUNS))
}
