//! A system of services: who calls whom, how long things take, what is traced and logged of it.

use crate::random::Times;

/// How the services are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One calls the next.
    Chain,
    /// One calls many.
    Fan,
    /// One calls several that all call the same.
    Diamond,
    /// Anybody calls anybody further down.
    Mesh,
    /// Some send messages that others work on later.
    Queue,
    /// One program and its databases.
    Monolith,
    /// A gateway, services, and each with a database or cache of its own.
    Tiers,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Chain, Self::Fan, Self::Diamond, Self::Mesh, Self::Queue, Self::Monolith, Self::Tiers];
}

/// What a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It answers calls.
    Plain,
    /// A database or cache.
    Store,
    /// It works on messages, so many at a time.
    Consumer,
}

/// A system.
#[derive(Clone, Debug)]
pub struct System {
    /// How its services are joined.
    pub shape: Shape,
    /// The services; calls go from lower to higher places only.
    pub services: Vec<Service>,
    /// The operations of all services, those of one service together, in the order of the services.
    pub operations: Vec<Operation>,
    /// Operations that are called from outside, with their weights.
    pub entries: Vec<(usize, f64)>,
    /// Calls from outside in a second.
    pub rate: f64,
    /// How it is instrumented.
    pub style: Style,
}

/// How the services of a system are instrumented.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Callers make spans of their calls too.
    pub clients: bool,
    /// Those are called by their method alone, whomever they call.
    pub methods: bool,
    /// Spans say their role; else all are internal.
    pub kinds: bool,
}

/// A service.
#[derive(Clone, Debug)]
pub struct Service {
    /// `service.name`.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Its spans and logs are seen.
    pub seen: bool,
    /// The processes it runs in.
    pub instances: Vec<Instance>,
    /// `service.version`.
    pub version: String,
    /// How many messages a consumer works on at a time.
    pub workers: usize,
}

/// A process of a service.
#[derive(Clone, Debug)]
pub struct Instance {
    /// `service.instance.id`.
    pub id: String,
    /// `host.name`.
    pub host: String,
    /// Nanoseconds that its clock is ahead.
    pub skew: i64,
    /// Seconds between its exports.
    pub export: i64,
}

/// What a service does when it is called.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Whose it is.
    pub service: usize,
    /// Its span's name.
    pub name: String,
    /// What it does, one after the other.
    pub steps: Vec<Step>,
    /// The share of its calls that fails without a fault.
    pub standing: f64,
    /// What a failure says.
    pub failure: String,
    /// Failures are logged too.
    pub logs_failures: bool,
}

impl Operation {
    /// Nanoseconds that its own work takes on average.
    #[must_use]
    pub fn own(&self) -> f64 {
        let work = |step: &Step| if let Step::Work { times, .. } = step { times.mean() } else { 0.0 };
        self.steps.iter().map(work).sum()
    }
}

/// A part of an operation.
#[derive(Clone, Debug)]
pub enum Step {
    /// Work of its own; in a span if it has a name.
    Work {
        /// The span's name.
        name: Option<String>,
        /// How long.
        times: Times,
    },
    /// A line in the log.
    Log(Message),
    /// Calls, waited for; at the same time or one after the other.
    Calls {
        /// Whom.
        calls: Vec<Call>,
        /// At the same time.
        together: bool,
    },
    /// Where the answer is known already, so many steps are passed over.
    Cache {
        /// How often it is known.
        hits: f64,
        /// Steps.
        skips: usize,
    },
    /// A message to a consumer's operation, not waited for.
    Publish {
        /// Which operation works on it.
        operation: usize,
        /// What the span of sending is called.
        name: String,
    },
}

/// A call of another service.
#[derive(Clone, Debug)]
pub struct Call {
    /// The operation called.
    pub operation: usize,
    /// How often it is made.
    pub chance: f64,
    /// Nanoseconds on the way, there and back together.
    pub network: Times,
    /// Nanoseconds after which it is given up.
    pub timeout: i64,
    /// Times it is tried again.
    pub retries: usize,
    /// Whether the caller does without when it fails.
    pub tolerated: bool,
    /// The caller's span is called so.
    pub name: String,
}

/// A line of a log.
#[derive(Clone, Debug)]
pub struct Message {
    /// OpenTelemetry's `SeverityNumber`.
    pub severity: u8,
    /// The text: `%d` stands for a number, `%x` for hex digits, `%u` for a user, `%t` for a time.
    pub text: String,
    /// How often it is written.
    pub chance: f64,
}

impl System {
    /// The places of a service's operations.
    #[must_use]
    pub fn operations_of(&self, service: usize) -> Vec<usize> {
        (0..self.operations.len()).filter(|&i| self.operations[i].service == service).collect()
    }

    /// How often each operation is called for one call from outside.
    #[must_use]
    pub fn visits(&self) -> Vec<f64> {
        let mut visits = vec![0.0; self.operations.len()];
        let all: f64 = self.entries.iter().map(|entry| entry.1).sum();
        for &(operation, weight) in &self.entries {
            visits[operation] += weight / all;
        }
        // Calls go to higher places, so each is final when its turn comes.
        for caller in 0..self.operations.len() {
            let (mut open, mut until) = (1.0, 0);
            for (i, step) in self.operations[caller].steps.iter().enumerate() {
                if i >= until {
                    open = 1.0;
                }
                match step {
                    Step::Calls { calls, .. } => {
                        for call in calls {
                            visits[call.operation] += visits[caller] * call.chance * open;
                        }
                    }
                    Step::Publish { operation, .. } => visits[*operation] += visits[caller] * open,
                    Step::Cache { hits, skips } => (open, until) = (1.0 - hits, i + 1 + skips),
                    Step::Work { .. } | Step::Log(_) => {}
                }
            }
        }
        visits
    }

    /// Nanoseconds that each operation takes on average, with all that it waits for one after the other.
    #[must_use]
    pub fn took(&self) -> Vec<f64> {
        let mut took = vec![0.0; self.operations.len()];
        for (at, operation) in self.operations.iter().enumerate().rev() {
            took[at] = operation.own();
            for step in &operation.steps {
                let Step::Calls { calls, .. } = step else { continue };
                took[at] +=
                    calls.iter().map(|call| call.chance * (took[call.operation] + call.network.mean())).sum::<f64>();
            }
        }
        took
    }

    /// How many spans one call from outside brings about.
    #[must_use]
    pub fn spans(&self) -> f64 {
        let visits = self.visits();
        let each = |operation: &Operation| {
            let steps = operation.steps.iter().filter(|step| matches!(step, Step::Work { name: Some(_), .. })).count();
            1.0 + steps as f64 + f64::from(u8::from(self.style.clients))
        };
        visits.iter().zip(&self.operations).map(|(visits, operation)| visits * each(operation)).sum()
    }

    /// Pairs of services of which the first calls the second and waits for it.
    #[must_use]
    pub fn edges(&self) -> Vec<(usize, usize)> {
        let mut edges: Vec<(usize, usize)> = Vec::new();
        for operation in &self.operations {
            for step in &operation.steps {
                let Step::Calls { calls, .. } = step else { continue };
                edges.extend(calls.iter().map(|call| (operation.service, self.operations[call.operation].service)));
            }
        }
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    /// Services that call a service, waiting or not.
    #[must_use]
    pub fn callers(&self, service: usize) -> Vec<usize> {
        let mut callers: Vec<usize> =
            self.edges().into_iter().filter(|edge| edge.1 == service).map(|edge| edge.0).collect();
        for operation in &self.operations {
            let publishes = |step: &Step| matches!(step, Step::Publish { operation, .. } if self.operations[*operation].service == service);
            if operation.steps.iter().any(publishes) {
                callers.push(operation.service);
            }
        }
        callers.sort_unstable();
        callers.dedup();
        callers
    }
}
