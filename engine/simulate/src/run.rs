//! A system at work: calls come in, services call each other and wait, things fail, spans and log records come out.

use std::collections::BTreeMap;

use crate::carried;
use crate::fault::{Fault, Kind};
use crate::random::Random;
use crate::record::{Log, Process, Record, Span};
use crate::system::{Call, Message, Operation, Role, Step, System};
use crate::traffic::Traffic;

const SECOND: i64 = 1_000_000_000;

/// Seconds since the epoch at which every run begins.
pub const START: i64 = 1_795_600_203;

/// A system at work.
#[derive(Debug)]
pub struct Run<'a> {
    system: &'a System,
    faults: &'a [Fault],
    random: Random,
    traffic: Traffic,
    /// The processes of all services, those gone too.
    pub processes: Vec<Process>,
    /// Calls that each fault has touched.
    pub touched: Vec<u64>,
    /// Processes that the fault is in, where it is in some alone.
    struck: Vec<usize>,
    /// Nanoseconds since the epoch at which each worker of a consumer is free.
    workers: Vec<Vec<i64>>,
    /// Records by the second in which they arrive.
    arriving: BTreeMap<i64, Vec<Record<'a>>>,
    /// The next second in which calls come in.
    second: i64,
}

/// How a call ended.
struct Answer {
    end: i64,
    failed: Option<String>,
}

/// Where a call comes from.
#[derive(Clone, Copy)]
struct From {
    trace: [u64; 2],
    parent: u64,
}

/// What faults do to an operation.
struct Effects {
    delay: f64,
    stretch: f64,
    fails: bool,
    early: bool,
    left_out: Option<usize>,
    burst: bool,
}

impl<'a> Run<'a> {
    /// A system at work from [`START`] on. `traffic` says how many calls come when.
    #[must_use]
    pub fn new(system: &'a System, faults: &'a [Fault], traffic: Traffic, seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x0072_756e);
        let mut processes: Vec<Process> = Vec::new();
        for (at, service) in system.services.iter().enumerate() {
            let each = |instance| Process::new(at, &service.name, &service.version, instance, 0);
            processes.extend(service.instances.iter().map(each));
        }
        let mut struck = Vec::new();
        for fault in faults {
            let mine: Vec<usize> = (0..processes.len()).filter(|&i| processes[i].service == fault.service).collect();
            if fault.kind == Kind::Partial {
                struck.push(*random.pick(&mine));
            }
            if fault.kind == Kind::Deployment {
                let service = &system.services[fault.service];
                let version = format!("{}-rc{}", service.version, random.within(1, 9));
                for &old in &mine[..mine.len().div_ceil(2)] {
                    let from = (START + fault.from) * SECOND;
                    processes[old].until = from;
                    struck.push(processes.len());
                    let instance = crate::shape::instance(&mut random, &service.name);
                    processes.push(Process::new(fault.service, &service.name, &version, &instance, from));
                }
            }
        }
        let workers = workers(system);
        let touched = vec![0; faults.len()];
        let arriving = BTreeMap::new();
        Self { system, faults, random, traffic, processes, touched, struck, workers, arriving, second: START }
    }

    /// Put other processes with a new version in the place of those of a service, one after the other, from a second on.
    pub fn deploy(&mut self, service: usize, second: i64, version: &str) {
        let old: Vec<usize> = (0..self.processes.len())
            .filter(|&i| self.processes[i].service == service && self.processes[i].until == i64::MAX)
            .collect();
        for (i, old) in old.into_iter().enumerate() {
            let from = (second + 15 * i as i64) * SECOND;
            self.processes[old].until = from;
            let name = &self.system.services[service].name;
            let instance = crate::shape::instance(&mut self.random, name);
            self.processes.push(Process::new(service, name, version, &instance, from));
            let process = self.processes.len() - 1;
            for (at, body) in [(0, format!("starting {name} {version}")), (800, "listening on port 8080".to_owned())] {
                let log = Log { at: from + at * 1_000_000, trace: [0; 2], span: 0, process, severity: 9, body };
                self.arrive(process, log.at, Record::Log(log));
            }
        }
    }

    /// All that arrives before a second (since the epoch) and has not been handed out, in the order in which it does.
    pub fn until(&mut self, second: i64) -> Vec<Record<'a>> {
        while self.second < second {
            let count = self.random.poisson(self.traffic.calls(self.second));
            let mut times: Vec<i64> =
                (0..count).map(|_| self.second * SECOND + (self.random.unit() * 1e9) as i64).collect();
            times.sort_unstable();
            for at in times {
                let weights = self.system.entries.iter().enumerate();
                let second = self.second;
                let traffic = &self.traffic;
                let entry = self.random.weighted(weights.map(|(i, entry)| entry.1 * traffic.mix(i, second)));
                let trace = [self.random.bits(), self.random.bits() | 1];
                self.serve(self.system.entries[entry].0, From { trace, parent: 0 }, at);
            }
            self.second += 1;
        }
        let later = self.arriving.split_off(&second);
        std::mem::replace(&mut self.arriving, later).into_values().flatten().collect()
    }

    /// What sets the calls that faults touch apart from all others, as `key=value` of their attributes: any is right. Empty
    /// where nothing does.
    #[must_use]
    pub fn marks(&self) -> Vec<String> {
        let mut marks: Vec<String> = Vec::new();
        for fault in self.faults {
            match fault.kind {
                Kind::Tenant => marks.push(format!("tenant={}", carried::TENANTS[fault.tenant].0)),
                Kind::Deployment => {
                    let versions = self.struck.iter().map(|&process| &self.processes[process].version);
                    marks.extend(versions.map(|version| format!("service.version={version}")));
                }
                Kind::Partial => {
                    let instances = self.struck.iter().map(|&process| &self.processes[process].instance);
                    for instance in instances {
                        marks.push(format!("service.instance.id={}", instance.id));
                        marks.push(format!("host.name={}", instance.host));
                    }
                }
                _ => {}
            }
        }
        marks.sort_unstable();
        marks.dedup();
        marks
    }

    fn active(&self, at: i64) -> impl Iterator<Item = (usize, &'a Fault)> + use<'a> {
        let second = at.div_euclid(SECOND) - START;
        self.faults.iter().enumerate().filter(move |(_, fault)| fault.from <= second && second < fault.until)
    }

    fn effects(&mut self, operation: usize, process: usize, trace: [u64; 2], at: i64) -> Effects {
        let service = self.system.operations[operation].service;
        let mut effects =
            Effects { delay: 0.0, stretch: 1.0, fails: false, early: false, left_out: None, burst: false };
        for (nth, fault) in self.active(at) {
            if fault.service != service || fault.operation.is_some_and(|one| one != operation) {
                continue;
            }
            let struck = self.struck.contains(&process);
            let touched = match fault.kind {
                Kind::Tenant => carried::tenant(trace) == fault.tenant,
                _ => self.random.chance(fault.share),
            };
            let everywhere = !matches!(fault.kind, Kind::Partial | Kind::Deployment);
            self.touched[nth] += u64::from(touched && (struck || everywhere));
            match fault.kind {
                Kind::Tenant if touched && fault.size < 3e8 => effects.fails = true,
                Kind::Latency | Kind::Database | Kind::Tenant if touched => {
                    effects.delay += fault.size * self.random.factor(0.3);
                }
                Kind::Cpu | Kind::Backlog => effects.stretch *= 1.0 + (fault.size - 1.0) * self.random.factor(0.5),
                Kind::Partial if struck => effects.stretch *= fault.size * self.random.factor(0.3),
                Kind::Deployment if struck && fault.size < 3e8 => effects.fails = self.random.chance(0.7),
                Kind::Deployment if struck => effects.delay += fault.size * self.random.factor(0.3),
                Kind::Exception | Kind::RetryStorm if touched => effects.fails = true,
                Kind::EarlyReturn if touched => (effects.fails, effects.early) = (true, true),
                Kind::LostCall => effects.left_out = Some(fault.step),
                Kind::LogBurst if touched => effects.burst = true,
                _ => {}
            }
        }
        // A process that has just begun is slower for a while.
        if at - self.processes[process].from < 15 * SECOND {
            effects.stretch *= 1.5;
        }
        effects
    }

    fn serve(&mut self, place: usize, from: From, at: i64) -> Answer {
        let operation = &self.system.operations[place];
        let process = self.process(operation.service, at);
        let effects = self.effects(place, process, from.trace, at);
        let span = self.random.bits() | 1;
        let within = From { parent: span, ..from };
        let mut now = at + (effects.delay) as i64;
        let mut fails_at = None;
        if effects.fails || self.random.chance(operation.standing) {
            let last = operation.steps.len();
            fails_at = Some(if effects.early { 1.min(last) } else { self.random.within(1.min(last), last) });
        }
        let (mut failed, mut skip_until) = (None, 0);
        for (i, step) in operation.steps.iter().enumerate() {
            if fails_at == Some(i) {
                break;
            }
            if effects.left_out == Some(i) || i < skip_until {
                continue;
            }
            match step {
                Step::Work { name, times } => {
                    let load = self.traffic.load();
                    let took = times.draw(&mut self.random) * effects.stretch * load;
                    let end = now + took as i64;
                    if let Some(name) = name {
                        self.span(process, name, 1, within, (now, end), None);
                    }
                    now = end;
                }
                Step::Log(message) if self.random.chance(message.chance) => self.log(process, within, now, message),
                Step::Log(_) => {}
                Step::Cache { hits, skips } => {
                    if self.random.chance(*hits) {
                        skip_until = i + 1 + skips;
                    }
                }
                Step::Publish { operation, name } => now = self.publish(process, *operation, name, within, now),
                Step::Calls { calls, together } => {
                    let begin = now;
                    for call in calls {
                        if !self.random.chance(call.chance) {
                            continue;
                        }
                        let answer = self.call(process, call, within, if *together { begin } else { now });
                        now = now.max(answer.end);
                        let Some(why) = answer.failed else { continue };
                        self.callee_failed(process, operation, call, within, answer.end, &why);
                        if !call.tolerated {
                            failed = Some(why);
                            break;
                        }
                    }
                }
            }
            if failed.is_some() {
                break;
            }
        }
        if failed.is_none() && fails_at.is_some() {
            let message = Message { severity: 17, text: operation.failure.clone(), chance: 1.0 };
            failed = Some(fill(&mut self.random, &message.text));
            if operation.logs_failures {
                self.log(process, within, now, &message);
            }
        }
        if effects.burst {
            let text = "connection pool exhausted: %d of %d in use".to_owned();
            for _ in 0..self.random.within(1, 3) {
                self.log(process, within, now, &Message { severity: 17, text: text.clone(), chance: 1.0 });
            }
        }
        let kind = if self.system.services[operation.service].role == Role::Consumer { 5 } else { 2 };
        self.own_span(process, &operation.name, kind, from, span, (at, now), failed.as_deref());
        Answer { end: now, failed }
    }

    fn callee_failed(&mut self, process: usize, own: &Operation, call: &Call, within: From, at: i64, why: &str) {
        if !own.logs_failures {
            return;
        }
        let callee = &self.system.services[self.system.operations[call.operation].service].name;
        let severity = if call.tolerated { 13 } else { 17 };
        let text = format!("call to {callee} failed: {}", why.replace('%', ""));
        self.log(process, within, at, &Message { severity, text, chance: 1.0 });
    }

    /// Call another service, again if it fails and that is the caller's way.
    fn call(&mut self, process: usize, call: &'a Call, from: From, at: i64) -> Answer {
        let caller = self.processes[process].service;
        let callee = self.system.operations[call.operation].service;
        let mut begin = at;
        let mut attempt = 0;
        loop {
            let span = self.random.bits() | 1;
            let within = if self.system.style.clients { From { parent: span, ..from } } else { from };
            let mut way = call.network.draw(&mut self.random);
            let (mut lost, mut down) = (false, false);
            for (nth, fault) in self.active(begin) {
                let here = fault.service == callee && fault.caller == Some(caller);
                if here || (fault.kind == Kind::Crash && fault.service == callee) {
                    self.touched[nth] += 1;
                }
                match fault.kind {
                    Kind::Network if here => way += fault.size * self.random.factor(0.2),
                    // Sent again after 200 ms, or twice that, or never.
                    Kind::Loss if here && self.random.chance(fault.share) => {
                        way += 2e8 * f64::from(1u8 << self.random.below(3));
                        lost = self.random.chance(0.3);
                    }
                    Kind::Crash if fault.service == callee => down = true,
                    _ => {}
                }
            }
            let there = begin + (way / 2.0) as i64;
            let mut answer = if down {
                Answer { end: begin + 400_000, failed: Some("connection refused".to_owned()) }
            } else if lost && self.random.chance(0.5) {
                Answer { end: i64::MAX, failed: None }
            } else {
                let answer = self.serve(call.operation, within, there);
                Answer { end: if lost { i64::MAX } else { answer.end + (way / 2.0) as i64 }, ..answer }
            };
            if answer.end > begin + call.timeout {
                let failed = Some(format!("deadline exceeded after {}ms", call.timeout / 1_000_000));
                answer = Answer { end: begin + call.timeout, failed };
            }
            if self.system.style.clients {
                self.own_span(process, &call.name, 3, from, span, (begin, answer.end), answer.failed.as_deref());
            }
            if answer.failed.is_none() || attempt == call.retries {
                return answer;
            }
            begin = answer.end + (10_000_000 << attempt);
            attempt += 1;
        }
    }

    /// Send a message, and have it worked on when there is time for it.
    fn publish(&mut self, process: usize, operation: usize, name: &'a str, from: From, at: i64) -> i64 {
        let span = self.random.bits() | 1;
        let sent = at + (2e5 * self.random.factor(0.4)) as i64;
        self.own_span(process, name, 4, from, span, (at, sent), None);
        let consumer = self.system.operations[operation].service;
        let ready = sent + (2e6 * self.random.factor(0.6)) as i64;
        let free = &self.workers[consumer];
        let worker = (0..free.len()).min_by_key(|&i| free[i]).unwrap_or(0);
        let begin = ready.max(free[worker]);
        let within = From { parent: span, ..from };
        if begin - ready > 5 * SECOND && self.random.chance(0.05) {
            let process = self.process(consumer, begin);
            let text = format!("consumer lag is {} s", (begin - ready) / SECOND);
            self.log(process, From { trace: [0; 2], parent: 0 }, begin, &Message { severity: 13, text, chance: 1.0 });
        }
        let answer = self.serve(operation, within, begin);
        self.workers[consumer][worker] = answer.end;
        sent
    }

    /// A process of a service that runs at a time.
    fn process(&mut self, service: usize, at: i64) -> usize {
        let runs = |process: &Process| process.service == service && process.from <= at && at < process.until;
        let count = self.processes.iter().filter(|process| runs(process)).count();
        let nth = self.random.below(count.max(1));
        let mut all = (0..self.processes.len()).filter(|&i| runs(&self.processes[i]));
        all.nth(nth).unwrap_or(0)
    }

    fn log(&mut self, process: usize, from: From, at: i64, message: &Message) {
        let body = fill(&mut self.random, &message.text);
        let log = Log { at, trace: from.trace, span: from.parent, process, severity: message.severity, body };
        self.arrive(process, at, Record::Log(log));
    }

    fn span(&mut self, process: usize, name: &'a str, kind: u8, from: From, times: (i64, i64), failed: Option<&str>) {
        let id = self.random.bits() | 1;
        self.own_span(process, name, kind, from, id, times, failed);
    }

    #[allow(clippy::too_many_arguments)] // what a span has
    fn own_span(
        &mut self,
        process: usize,
        name: &'a str,
        kind: u8,
        from: From,
        id: u64,
        (start, end): (i64, i64),
        failed: Option<&str>,
    ) {
        let kind = if self.system.style.kinds || kind > 3 { kind } else { 1 };
        let failed = failed.map(Into::into);
        let span = Span { trace: from.trace, id, parent: from.parent, process, name, kind, start, end, failed };
        self.arrive(process, end, Record::Span(span));
    }

    /// Have a record of a time arrive with the next export of its process.
    fn arrive(&mut self, process: usize, at: i64, record: Record<'a>) {
        let Process { service, export, skew, .. } = self.processes[process];
        let silent = self.active(at).any(|(_, fault)| fault.kind == Kind::Silence && fault.service == service);
        if silent || !self.system.services[service].seen {
            return;
        }
        let phase = process as i64 % export;
        let second = (at.div_euclid(SECOND) - phase).div_euclid(export) * export + export + phase;
        self.arriving.entry(second).or_default().push(record.by_clock(skew));
    }
}

/// Workers enough that each is idle two thirds of the time.
fn workers(system: &System) -> Vec<Vec<i64>> {
    let (visits, took) = (system.visits(), system.took());
    let mut busy = vec![0.0; system.services.len()];
    for (at, operation) in system.operations.iter().enumerate() {
        busy[operation.service] += took[at] / 1e9 * visits[at] * system.rate;
    }
    busy.into_iter().map(|busy: f64| vec![i64::MIN; (busy * 3.0).ceil().max(2.0) as usize]).collect()
}

/// A message with its variables.
fn fill(random: &mut Random, text: &str) -> String {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut rest = part.chars();
        match rest.next() {
            Some('d') => out += &random.below(100_000).to_string(),
            Some('x') => out += &format!("{:016x}", random.bits()),
            Some('u') => out += &format!("u{:06}", random.below(1_000_000)),
            Some('t') => out += &random.within(1, 900).to_string(),
            Some(other) => out.push(other),
            None => {}
        }
        out += rest.as_str();
    }
    out
}
