//! Measures the cost of the pure modules. `cargo bench --bench core` runs all benches in a profile that
//! inherits from `dist`; with `-- --test` each bench runs once.
//!
//! Everything here is on the path of a request (lookup, pick, count, record), of a probe (observe), or of
//! the work that the controller does each second (summary, merge, judge, step).

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::cell::Cell;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use greenlight::data_plane::{Asker, EvidenceSettings, Failure, Recorder};
use greenlight::health::{ColorHealth, ProbeFailure, ProbeOutcome, Roster, Thresholds};
use greenlight::judge::{self, Baseline, BaselineWindow, Bucket, Judge, Outcome, RouteTemplate};
use greenlight::model::{Color, Endpoint, EndpointId, Epoch, PerColor, ServiceName, Tick};
use greenlight::release::{self, Event, Source, State};
use greenlight::routing::{
    Candidate, ColorRoute, Pick, RouteTable, ServiceRoute, ServiceSettings, TableBuilder, WEIGHT_FULL,
    pick_two,
};

const HOSTS: usize = 10_000;

fn service(n: usize, hosts: Vec<String>, settings: &Arc<ServiceSettings>) -> Arc<ServiceRoute> {
    Arc::new(ServiceRoute {
        name: ServiceName::new(format!("service-{n}")),
        hosts,
        preview_hosts: PerColor::default(),
        default: false,
        active: Color::Blue,
        epoch: Epoch(1),
        paused: false,
        canary_percent: 0,
        baking: false,
        slow_after: None,
        stall_after: None,
        colors: PerColor::from_fn(|_| ColorRoute::default()),
        settings: Arc::clone(settings),
    })
}

/// Services with 10 000 exact hosts, and a `*.` host for every hundredth service.
fn services() -> Vec<Arc<ServiceRoute>> {
    let settings = Arc::new(ServiceSettings::default());
    (0..HOSTS)
        .map(|n| {
            let mut hosts = vec![format!("app-{n}.tenant-{}.example.org", n % 97)];
            if n % 100 == 0 {
                hosts.push(format!("*.wild-{n}.example.org"));
            }
            service(n, hosts, &settings)
        })
        .collect()
}

fn routing(c: &mut Criterion) {
    let table = TableBuilder::build(&RouteTable::default(), services());
    let mut random = fastrand::Rng::with_seed(1);
    let mut hosts = |write: fn(usize) -> String| -> Vec<String> {
        (0..1024).map(|_| write(random.usize(..HOSTS))).collect()
    };
    let cases = [
        ("exact", hosts(|n| format!("App-{n}.tenant-{}.example.org:443", n % 97))),
        ("wildcard", hosts(|n| format!("a.b.wild-{}.example.org", n / 100 * 100))),
        ("unknown", hosts(|n| format!("app-{n}.elsewhere.example.net"))),
    ];
    let mut group = c.benchmark_group("route_lookup_10000_hosts");
    for (name, hosts) in &cases {
        let mut at = 0;
        group.bench_function(*name, |b| {
            b.iter(|| {
                at = (at + 1) % hosts.len();
                black_box(table.find(hosts[at].as_bytes()).map(|found| found.index))
            });
        });
    }
    group.finish();

    let mut group = c.benchmark_group("route_table_10000_hosts");
    let services = table.services().to_vec();
    group.bench_function("switch_one", |b| {
        b.iter_batched(
            || {
                let mut next = services.clone();
                let mut switched = ServiceRoute::clone(&next[77]);
                switched.active = switched.active.other();
                next[77] = Arc::new(switched);
                next
            },
            |next| TableBuilder::build(&table, next),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn picking(c: &mut Criterion) {
    let mut random = fastrand::Rng::with_seed(2);
    let mut group = c.benchmark_group("pick_and_count");
    for count in [2_usize, 16] {
        let inflight: Vec<Cell<u32>> = (0..count).map(|n| Cell::new(u32::try_from(n % 3).unwrap())).collect();
        group.bench_function(format!("{count}_endpoints"), |b| {
            b.iter(|| {
                let look =
                    |i: usize| Candidate { load: inflight[i].get(), weight: WEIGHT_FULL, is_out: false };
                let Some(Pick::One(at)) = pick_two(count, random.u64(..), look) else { return };
                inflight[at].set(inflight[at].get() + 1);
                black_box(&inflight[at]);
                inflight[at].set(inflight[at].get() - 1);
            });
        });
    }
    group.finish();
}

/// 1024 attempts from this many clients. `errors` is the share that fails.
fn attempts(clients: u64, errors: f64) -> Vec<(u64, Outcome, Option<Duration>)> {
    let mut random = fastrand::Rng::with_seed(3);
    (0..1024)
        .map(|_| {
            let client = random.u64(..clients).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let outcome = if random.f64() < errors { Outcome::Error } else { Outcome::Success };
            (client, outcome, Some(Duration::from_micros(random.u64(500..200_000))))
        })
        .collect()
}

fn recording(c: &mut Criterion) {
    let mut group = c.benchmark_group("judge_record");
    group.throughput(Throughput::Elements(1));
    for (name, clients, errors) in
        [("4_clients", 4, 0.004), ("10000_clients", 10_000, 0.004), ("10000_clients_all_fail", 10_000, 1.0)]
    {
        let attempts = attempts(clients, errors);
        let (mut bucket, mut at) = (Bucket::default(), 0);
        group.bench_function(name, |b| {
            b.iter(|| {
                at = (at + 1) % attempts.len();
                let (client, outcome, first_byte) = attempts[at];
                bucket.record(client, outcome, first_byte);
            });
        });
        black_box(bucket);
    }
    group.finish();
}

/// The whole work that a worker does on a request for the judge. It makes the route template, keeps the
/// place of the request among those that wait, looks at the clock twice, and counts. The bar is 0.4 us.
fn evidence(c: &mut Criterion) {
    let mut group = c.benchmark_group("evidence");
    let targets: Vec<String> = (0..1024)
        .map(|n| match n % 4 {
            0 => format!("/api/v2/orders/{n}/lines?page=2"),
            1 => format!("/static/app.{n:08x}.js"),
            2 => "/api/v2/search".to_owned(),
            _ => format!("/users/0b8c9f3e-26a7-4a4e-9a52-{n:012x}"),
        })
        .collect();
    for errors in [0_usize, 100] {
        let recorder = Recorder::default();
        recorder.configure(EvidenceSettings {
            slow_after: Some(Duration::from_secs(1)),
            ..EvidenceSettings::default()
        });
        let endpoint = "127.0.0.1:80".parse().ok();
        let mut n = 0_usize;
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("request, {errors} of 1000 fail"), |b| {
            b.iter(|| {
                n += 1;
                let route = RouteTemplate::new(b"GET", black_box(targets[n % 1024].as_bytes()));
                let asker = Asker { client: (n % 300) as u64, route: &route, endpoint };
                let place = recorder.begin(&asker);
                recorder.head_arrived(place);
                if n % 1000 < errors {
                    recorder.failure(&asker, Failure { status: Some(500), cause: None });
                } else {
                    recorder.success(&asker);
                }
            });
        });
        black_box(recorder.take());
    }
    group.bench_function("template", |b| {
        let mut n = 0_usize;
        b.iter(|| {
            n += 1;
            RouteTemplate::new(b"GET", black_box(targets[n % 1024].as_bytes())).key()
        });
    });
    group.finish();
}

/// The counts of a second of 100 requests, one of which fails.
fn second() -> Bucket {
    let mut bucket = Bucket::default();
    for (i, (client, _, first_byte)) in attempts(200, 0.0).into_iter().take(100).enumerate() {
        bucket.record(client, if i == 50 { Outcome::Error } else { Outcome::Success }, first_byte);
    }
    bucket
}

/// The baseline of 600 such seconds.
fn baseline() -> Baseline {
    let policy = judge::Policy::default();
    let mut window = BaselineWindow::default();
    for _ in 0..600 {
        window.push(&second(), &policy);
    }
    window.freeze(&policy)
}

fn judging(c: &mut Criterion) {
    let bucket = second();
    let mut judge = Judge::new(baseline(), judge::Policy::default(), 30_000.0);
    c.bench_function("judge_second", |b| b.iter(|| black_box(judge.observe(&bucket))));
    let mut sum = Bucket::default();
    c.bench_function("judge_merge_workers", |b| {
        b.iter(|| {
            sum.clear();
            (0..4).for_each(|_| sum.merge(black_box(&bucket)));
        });
    });
    c.bench_function("judge_baseline_freeze", |b| {
        let policy = judge::Policy::default();
        let mut window = BaselineWindow::default();
        (0..600).for_each(|_| window.push(&bucket, &policy));
        b.iter(|| black_box(window.freeze(&policy)));
    });
}

fn probing(c: &mut Criterion) {
    let endpoints: Vec<Endpoint> = (0..2000_u16)
        .map(|n| {
            let [high, low] = n.to_be_bytes();
            let address = ([127, 1, high, low], 8080).into();
            Endpoint { id: EndpointId::new(format!("web/blue/{address}")), address, probe: None }
        })
        .collect();
    let mut roster = Roster::default();
    roster.set_endpoints(&endpoints);
    let thresholds = Thresholds { rise: 3, fall: 3 };
    let outcomes = [ProbeOutcome::Pass, ProbeOutcome::Pass, ProbeOutcome::Fail(ProbeFailure::Timeout)];
    let mut at = 0_usize;
    c.bench_function("roster_observe_2000_endpoints", |b| {
        b.iter(|| {
            at += 7;
            let id = &endpoints[at % endpoints.len()].id;
            let tick = Tick::from_millis(i64::try_from(at).unwrap());
            black_box(roster.observe(None, id, &outcomes[at % 3], thresholds, tick))
        });
    });
    c.bench_function("roster_summary_2000_endpoints", |b| b.iter(|| black_box(roster.summary())));
}

/// A service in the middle of a bake, and the tick of its last step.
fn baking() -> (State, Tick) {
    let mut state = State::new(ServiceName::from("web"), Color::Blue, release::Policy::default());
    let mut at = Tick::ZERO;
    let step =
        |state: &mut State, event: Event, at: Tick| *state = release::step(state, &event, at).unwrap().state;
    let well =
        |since| ColorHealth { total: 2, healthy: 2, clean_since: Some(since), ..ColorHealth::default() };
    step(&mut state, Event::Health { color: Color::Blue, release: None, health: well(at) }, at);
    let deploy = Event::Deploy { version: None, auto_promote: None, force: false, source: Source::Person };
    step(&mut state, deploy, at);
    let candidate = state.release.as_ref().unwrap().id.clone();
    at = at + Duration::from_secs(1);
    let health = Event::Health { color: Color::Green, release: Some(candidate), health: well(at) };
    step(&mut state, health, at);
    at = at + Duration::from_secs(11);
    step(&mut state, Event::Deadline, at);
    let epoch = state.epoch;
    step(&mut state, Event::Acknowledged { epoch, baseline: baseline() }, at);
    assert_eq!(state.state_word(), "baking");
    (state, at)
}

fn stepping(c: &mut Criterion) {
    let (state, at) = baking();
    let later = at + Duration::from_secs(1);
    let event = Event::Bucket { color: Color::Green, epoch: state.epoch, bucket: second() };
    c.bench_function("step_bake_second", |b| b.iter(|| black_box(release::step(&state, &event, later))));
    let early = Event::Deadline;
    c.bench_function("step_deadline_not_due", |b| b.iter(|| black_box(release::step(&state, &early, later))));
}

criterion_group!(core, routing, picking, recording, evidence, judging, probing, stepping);
criterion_main!(core);
