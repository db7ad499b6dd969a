//! The settings of the rules. They come from the defaults, from a service in a configuration file, or from
//! options.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::fault::Fault;
use crate::cli::replay::{Plan, Settings, rfc3339_millis};
use crate::cli::span;
use crate::config;
use crate::judge::{OnLatency, Policy};
use crate::release;

/// The largest number of times that `--at` may name. For more, the hourly plan is the right one.
const TIMES_MAX: usize = 1000;

/// Each mirrors a key of `[services.NAME.analysis]`, and wins over the file.
#[derive(Clone, Debug, clap::Args)]
#[group(id = "analysis")]
pub(super) struct Args {
    /// Imagine a release at this time (RFC 3339), not at every hour; may be given more than once
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Vec<i64>,
    /// Take the settings of a service from this configuration
    #[arg(value_name = "FILE", requires = "service", conflicts_with = "config")]
    file: Option<PathBuf>,
    /// The same, as an option
    #[arg(short, long, value_name = "FILE", requires = "service")]
    config: Option<PathBuf>,
    /// The service: in the configuration, and in a log of greenlight's own
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// The chance of a false revert per release [default: 0.001]
    #[arg(long, value_name = "CHANCE", value_parser = chance)]
    alpha: Option<f64>,
    /// How much of the time before a release is its baseline [default: 10m]
    #[arg(long, value_name = "D", value_parser = span::parse)]
    baseline_window: Option<Duration>,
    /// Error rates under this are not told apart [default: 0.005]
    #[arg(long, value_name = "SHARE", value_parser = chance)]
    rate_floor: Option<f64>,
    /// Bad is at least this many times the old rate [default: 3]
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    ratio: Option<f64>,
    /// Bad is at least the old rate and this [default: 0.02]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    add_points: Option<f64>,
    /// What the latency rule does [default: revert]
    #[arg(long, value_name = "ACTION", value_enum)]
    latency: Option<Latency>,
    /// How long after a release only hangs count as slow, at most half of the bake [default: 60s]
    #[arg(long, value_name = "D", value_parser = span::parse)]
    latency_warmup: Option<Duration>,
    /// How long each release is watched [default: 5m]
    #[arg(long, value_name = "D", value_parser = span::parse)]
    bake_time: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Latency {
    Revert,
    Notify,
    Off,
}

impl Args {
    /// The chosen service, if there is one.
    pub(super) fn service(&self) -> Option<String> {
        self.service.clone()
    }

    /// The settings of the replay. An option wins over the file, and the file wins over the defaults.
    ///
    /// Fails if the file can't be read or lacks the service, if the bake time is under a second, or if there
    /// are too many times.
    pub(super) fn settings(&self) -> Result<Settings, Fault> {
        let (mut policy, mut bake_time) = self.given()?;
        let Policy { alpha, baseline_window, rate_floor, ratio, add_points, latency, latency_warmup } =
            &mut policy;
        set(alpha, self.alpha);
        set(baseline_window, self.baseline_window);
        set(rate_floor, self.rate_floor);
        set(ratio, self.ratio);
        set(add_points, self.add_points);
        set(latency_warmup, self.latency_warmup);
        set(&mut bake_time, self.bake_time);
        if let Some(action) = self.latency {
            *latency = match action {
                Latency::Revert => OnLatency::Revert,
                Latency::Notify => OnLatency::Notify,
                Latency::Off => OnLatency::Off,
            };
        }
        if bake_time < Duration::from_secs(1) {
            return Err(Fault::Usage("bake_time is under a second: nothing would be judged".into()));
        }
        if self.at.len() > TIMES_MAX {
            return Err(Fault::Usage(format!(
                "{} times are given with --at: {TIMES_MAX} is the most",
                self.at.len()
            )));
        }
        let plan = if self.at.is_empty() { Plan::Hourly } else { Plan::At(self.at.clone()) };
        Ok(Settings { policy, bake_time, plan })
    }

    /// The settings of the service in the file, or the defaults. Also returns the bake time.
    fn given(&self) -> Result<(Policy, Duration), Fault> {
        let (Some(path), Some(name)) = (self.file.as_ref().or(self.config.as_ref()), &self.service) else {
            let release::Policy { judge, bake_time, .. } = release::Policy::default();
            return Ok((judge, bake_time));
        };
        let loaded = config::load(path)
            .map_err(|faults| Fault::Usage(config::render_faults(path, &faults.0).trim_end().to_owned()))?;
        let services = &loaded.config.services;
        let service = services.iter().find(|service| service.name.as_str() == name).ok_or_else(|| {
            let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
            Fault::Usage(format!(
                "{}: it has no service \"{name}\": one of {}",
                path.display(),
                names.join(", ")
            ))
        })?;
        Ok((service.policy.judge, service.policy.bake_time))
    }
}

fn set<T: Copy>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}

fn time(text: &str) -> Result<i64, String> {
    let wrong = || "it has to be like 2026-11-24T12:00:00Z".to_owned();
    rfc3339_millis(text.as_bytes()).map(|millis| millis.div_euclid(1000)).ok_or_else(wrong)
}

fn real(text: &str, good: impl Fn(f64) -> bool, right: &str) -> Result<f64, String> {
    text.parse().ok().filter(|number| good(*number)).ok_or_else(|| format!("it has to be {right}"))
}

fn chance(text: &str) -> Result<f64, String> {
    real(text, |number| number > 0.0 && number <= 0.5, "greater than 0 and at most 0.5, such as 0.001")
}

fn factor(text: &str) -> Result<f64, String> {
    real(text, |number| number > 1.0 && number <= 1000.0, "greater than 1 and at most 1000, such as 3.0")
}

fn share(text: &str) -> Result<f64, String> {
    real(text, |number| (0.0..1.0).contains(&number), "from 0 to less than 1, such as 0.02")
}
