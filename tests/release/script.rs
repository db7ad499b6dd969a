//! Runs a story: lines that begin with `@` are events (seconds, then words), `policy` lines come
//! first, `#` lines and empty ones are kept; everything else is what came out.
//!
//! Deadlines that a step named are given by themselves, as the controller does (`~` lines).

use std::fmt::Write as _;

use greenlight::model::{Color, ServiceName, Tick};
use greenlight::release::{Event, Policy, State, reconcile, restore, step};

use crate::parse::{Words, event, policy, tick};
use crate::render;

struct Stage {
    state: State,
    deadline: Option<Tick>,
    out: String,
}

/// The whole transcript anew.
pub(crate) fn run(text: &str) -> String {
    let mut starts = Policy::default();
    let mut stage: Option<Stage> = None;
    let mut head = String::new();
    for line in text.lines() {
        let kept =
            line.is_empty() || line.starts_with('#') || line.starts_with("policy") || line.starts_with('@');
        if !kept {
            continue;
        }
        let out = stage.as_mut().map_or(&mut head, |stage| &mut stage.out);
        if let Some(rest) = line.strip_prefix('@') {
            let stage = stage.get_or_insert_with(|| Stage {
                state: State::new(ServiceName::from("backend"), Color::Blue, starts.clone()),
                deadline: None,
                out: String::new(),
            });
            let (at, words) = rest.split_once(' ').expect(line);
            stage.play(tick(at), line, &Words::new(words));
            continue;
        }
        if line.starts_with("policy") {
            policy(&mut starts, &Words::new(line));
        }
        writeln!(out, "{line}").unwrap();
    }
    head + &stage.map_or(String::new(), |stage| stage.out)
}

impl Stage {
    fn play(&mut self, at: Tick, line: &str, words: &Words) {
        self.wait_until(at);
        match words.0[0] {
            "rebuilt" => {
                self.line(line);
                let policy = self.state.policy.clone();
                self.state = State::rebuilt(ServiceName::from("backend"), Color::Blue, policy);
                writeln!(self.out, "    -> {}", render::state(&self.state)).unwrap();
            }
            "restart" => self.restart(at, line),
            "bucket" => self.buckets(at, line, words),
            "wait" => self.line(line),
            _ => {
                self.line(line);
                let event = event(words, &self.state, at);
                self.give(&event, at);
            }
        }
    }

    fn line(&mut self, line: &str) {
        writeln!(self.out, "{line}").unwrap();
    }

    /// Gives the deadlines that come due before.
    fn wait_until(&mut self, at: Tick) {
        for _ in 0..1000 {
            let Some(due) = self.deadline.filter(|due| *due <= at) else { return };
            writeln!(self.out, "~{} deadline", render::seconds(due)).unwrap();
            self.give(&Event::Deadline, due);
        }
        panic!("deadlines come faster than time:\n{}", self.out);
    }

    fn give(&mut self, event: &Event, at: Tick) {
        match step(&self.state, event, at) {
            Err(refused) => writeln!(self.out, "    refused: {refused}").unwrap(),
            Ok(step) => {
                self.out += &render::step(&step);
                self.take(step, at);
            }
        }
    }

    fn take(&mut self, step: greenlight::release::Step, at: Tick) {
        step.state.check().unwrap_or_else(|fault| panic!("@{}: {fault}\n{}", render::seconds(at), self.out));
        self.deadline = step.deadline;
        self.state = step.state;
    }

    /// `bucket 100/5 x20`: so many seconds of it, told where something happens.
    fn buckets(&mut self, at: Tick, line: &str, words: &Words) {
        self.line(line);
        let times = words.0.iter().find_map(|word| word.strip_prefix('x')?.parse().ok()).unwrap_or(1_i64);
        for second in 0..times {
            let at = Tick(at.0 + 1000 * second);
            self.wait_until(at);
            let event = event(words, &self.state, at);
            match step(&self.state, &event, at) {
                Err(refused) => {
                    writeln!(self.out, "~{} refused: {refused}", render::seconds(at)).unwrap();
                    return;
                }
                Ok(step) => {
                    if step.notes.is_empty() {
                        self.take(step, at);
                    } else {
                        writeln!(self.out, "~{} bucket {}", render::seconds(at), second + 1).unwrap();
                        self.out += &render::step(&step);
                        self.take(step, at);
                    }
                }
            }
        }
    }

    /// The process ends and another begins, through the stored text.
    fn restart(&mut self, at: Tick, line: &str) {
        self.line(line);
        let stored = serde_json::to_string(&self.state.to_saved(at)).unwrap();
        let mut saved: State = serde_json::from_str(&stored).unwrap();
        saved.policy = self.state.policy.clone();
        self.state = restore(saved, at);
        self.state.check().unwrap();
        for effect in reconcile(&self.state, at) {
            writeln!(self.out, "       reconcile: {}", render::effect(&effect)).unwrap();
        }
        self.give(&Event::Deadline, at);
    }
}
