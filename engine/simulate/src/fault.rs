//! Faults: what goes wrong where and when, and who is to be named for it.

use crate::carried::TENANTS;
use crate::random::Random;
use crate::system::{Operation, Role, Step, System};

/// The share of the time of a call from outside by which a fault makes one longer at least, on average.
const SHOWS: f64 = 0.1;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A service or one operation of it takes longer.
    Latency,
    /// A service has too little of a processor: all that it does takes several times as long, now more, now less.
    Cpu,
    /// The way between two services takes longer.
    Network,
    /// What is sent between two services is lost now and then: sent again late, or waited for in vain.
    Loss,
    /// An operation fails somewhere on its way.
    Exception,
    /// An operation fails at its beginning, and does not do the rest.
    EarlyReturn,
    /// A service is down: who calls it is refused.
    Crash,
    /// A service works, and nothing is heard of it.
    Silence,
    /// An operation leaves out a call it used to make.
    LostCall,
    /// A new version in some of the instances fails or is slow.
    Deployment,
    /// A database is slow, seen or not.
    Database,
    /// A consumer works on messages more slowly than they come.
    Backlog,
    /// Failures that are tried again, and so bring more calls.
    RetryStorm,
    /// One instance of several is slow.
    Partial,
    /// A service logs errors and works.
    LogBurst,
    /// The calls of one tenant of several fail or are slow.
    Tenant,
    /// Two of these at once, in two services.
    Two,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Latency,
        Self::Cpu,
        Self::Network,
        Self::Loss,
        Self::Exception,
        Self::EarlyReturn,
        Self::Crash,
        Self::Silence,
        Self::LostCall,
        Self::Deployment,
        Self::Database,
        Self::Backlog,
        Self::RetryStorm,
        Self::Partial,
        Self::LogBurst,
        Self::Tenant,
        Self::Two,
    ];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Cpu => "cpu",
            Self::Network => "network",
            Self::Loss => "loss",
            Self::Exception => "exception",
            Self::EarlyReturn => "early return",
            Self::Crash => "crash",
            Self::Silence => "silence",
            Self::LostCall => "lost call",
            Self::Deployment => "deployment",
            Self::Database => "database",
            Self::Backlog => "backlog",
            Self::RetryStorm => "retry storm",
            Self::Partial => "partial",
            Self::LogBurst => "log burst",
            Self::Tenant => "tenant",
            Self::Two => "two at once",
        }
    }
}

/// One fault.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What goes wrong.
    pub kind: Kind,
    /// Where; of a fault on the way, the callee.
    pub service: usize,
    /// In one of its operations alone.
    pub operation: Option<usize>,
    /// Of a fault on the way, the caller.
    pub caller: Option<usize>,
    /// The step that is left out.
    pub step: usize,
    /// Of a fault in the calls of one tenant, whose, by place.
    pub tenant: usize,
    /// Seconds since the beginning.
    pub from: i64,
    /// Seconds since the beginning; it is over then.
    pub until: i64,
    /// Nanoseconds added, or a factor, as the kind has it.
    pub size: f64,
    /// The share of calls that it touches.
    pub share: f64,
}

impl Fault {
    /// The services of which any is a right answer.
    #[must_use]
    pub fn culprits<'a>(&self, system: &'a System) -> Vec<&'a str> {
        let mut places: Vec<usize> = self.caller.into_iter().collect();
        // Of what is not seen, those who use it can be named and no other.
        if !system.services[self.service].seen {
            places.extend(system.callers(self.service));
        }
        places.push(self.service);
        places.into_iter().map(|place| &*system.services[place].name).collect()
    }

    /// A fault of a kind at any place where there is traffic; `None` where the system has no such place. `calls` are those
    /// from outside while it lasts. The system may be changed so that there can be such a fault.
    pub fn random(random: &mut Random, system: &mut System, kind: Kind, calls: f64) -> Option<Self> {
        // Of those who call often enough to be worth a verdict.
        let tenant = if kind == Kind::Tenant { random.below(5) } else { 0 };
        let share = match kind {
            Kind::Tenant => TENANTS[tenant].1,
            Kind::Exception | Kind::EarlyReturn | Kind::RetryStorm => random.scale(0.15, 1.0),
            Kind::Loss => random.scale(0.1, 0.5),
            Kind::LogBurst => random.scale(0.2, 1.0),
            Kind::Latency if random.chance(0.3) => random.scale(0.2, 1.0),
            _ => 1.0,
        };
        let size = match kind {
            Kind::Cpu | Kind::Partial => random.scale(3.0, 15.0),
            Kind::Backlog => random.scale(8.0, 40.0),
            Kind::Network => random.scale(3e7, 1e9),
            _ => random.scale(3e7, 3e9),
        };
        let visits = system.visits();
        let busy = |operation: &usize| visits[*operation] * calls * share >= 12.0;
        // What takes no time takes none either when it takes ten times as long: what comes from outside must show it.
        let took = system.took();
        let waits = system.entries.iter().map(|entry| entry.1 * took[entry.0]).sum::<f64>()
            / system.entries.iter().map(|entry| entry.1).sum::<f64>();
        let stretches = matches!(kind, Kind::Cpu | Kind::Partial | Kind::Backlog);
        let shows = |operation: &Operation| !stretches || operation.own() * (size - 1.0) >= SHOWS * waits;
        let mut places: Vec<(usize, usize, Option<usize>, usize)> = Vec::new();
        for (at, operation) in
            system.operations.iter().enumerate().filter(|(at, operation)| busy(at) && shows(operation))
        {
            let service = &system.services[operation.service];
            let fits = match kind {
                Kind::Database => service.role == Role::Store,
                Kind::Backlog => service.role == Role::Consumer,
                Kind::Crash => service.seen && service.role == Role::Plain && operation.service > 0,
                Kind::Silence => service.seen && operation.service > 0,
                Kind::RetryStorm | Kind::Network | Kind::Loss | Kind::LostCall => false,
                _ => service.seen,
            };
            if fits {
                places.push((operation.service, at, None, 0));
            }
            for (i, step) in operation.steps.iter().enumerate() {
                let Step::Calls { calls: made, .. } = step else { continue };
                for call in made {
                    let callee = system.operations[call.operation].service;
                    let often = busy(&call.operation) && visits[at] * call.chance * calls * share >= 12.0;
                    let fits = match kind {
                        Kind::Network | Kind::Loss => often,
                        Kind::RetryStorm => often && system.services[callee].seen,
                        Kind::LostCall => often && made.len() == 1 && call.chance > 0.5 && system.services[callee].seen,
                        _ => false,
                    };
                    if fits && kind == Kind::LostCall {
                        places.push((operation.service, at, None, i));
                    } else if fits {
                        places.push((callee, call.operation, Some(operation.service), 0));
                    }
                }
            }
        }
        // Each service as likely as any other, whatever it has of operations.
        let mut services: Vec<(usize, Option<usize>)> = places.iter().map(|place| (place.0, place.2)).collect();
        services.sort_unstable();
        services.dedup();
        let (service, caller) = *services.get(random.below(services.len().max(1)))?;
        places.retain(|place| (place.0, place.2) == (service, caller));
        let (_, operation, _, step) = *random.pick(&places);
        let whole = match kind {
            Kind::Cpu
            | Kind::Network
            | Kind::Loss
            | Kind::Crash
            | Kind::Silence
            | Kind::Deployment
            | Kind::Backlog
            | Kind::Partial => true,
            Kind::Latency | Kind::Database => random.chance(0.5),
            _ => false,
        };
        if kind == Kind::RetryStorm {
            for step in system.operations.iter_mut().flat_map(|operation| &mut operation.steps) {
                let Step::Calls { calls, .. } = step else { continue };
                for call in calls.iter_mut().filter(|call| call.operation == operation) {
                    call.retries = call.retries.max(2);
                }
            }
        }
        if matches!(kind, Kind::Partial | Kind::Deployment) {
            while system.services[service].instances.len() < 3 {
                let more = crate::shape::instance(random, &system.services[service].name);
                system.services[service].instances.push(more);
            }
        }
        let caller = caller.filter(|_| matches!(kind, Kind::Network | Kind::Loss));
        let operation = (!whole).then_some(operation);
        Some(Self { kind, service, operation, caller, step, tenant, from: 0, until: 0, size, share })
    }
}
