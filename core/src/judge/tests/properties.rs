//! Properties that hold for every run of seconds.

use proptest::prelude::*;

use super::*;

/// A run of `(requests, errors)`, errors at most requests.
fn run(seconds: usize) -> impl Strategy<Value = Vec<(u64, u64)>> {
    let second = (0_u64..200, 0_u8..8).prop_flat_map(|(n, kind)| {
        // Most seconds are good, and in some all or nearly all requests fail.
        (Just(n), if kind == 0 { (n * 8 / 10)..=n } else { 0..=(n / 4) })
    });
    proptest::collection::vec(second, 0..seconds)
}

fn score(judge: &mut Judge, run: &[(u64, u64)]) -> f64 {
    for &(n, e) in run {
        judge.observe(&bucket(n, e));
    }
    judge.numbers().s
}

proptest! {
    #[test]
    fn scores_are_never_negative(run in run(40), errors in 0_u64..60_000, clients in 0_usize..=20) {
        let mut judge = judge(errors, clients);
        for (n, e) in run {
            let trip = judge.observe(&bucket(n, e));
            let numbers = judge.numbers();
            prop_assert!(numbers.s >= 0.0 && numbers.h > 0.0);
            prop_assert_eq!(trip.is_some(), judge.tripped());
            prop_assert!(numbers.rule_on || numbers.s <= 0.0);
        }
    }

    /// One error more in place of a success never lowers the score.
    #[test]
    fn more_errors_never_score_less(run in run(25), at in 0_usize..25, baseline_errors in 0_u64..30_000) {
        // There is no ledger here. With a ledger one client's error can use up the part that another's
        // would have added.
        let (mut fewer, mut more) = (judge(baseline_errors, 0), judge(baseline_errors, 0));
        let mut worse = run.clone();
        if let Some(second) = worse.get_mut(at) {
            second.1 = (second.1 + 1).min(second.0);
        }
        prop_assert!(score(&mut more, &worse) >= score(&mut fewer, &run));
    }

    /// Where no step is cut and the score stays over 0, it does not matter where a second ends. Where the
    /// score touches 0, finer seconds never score less.
    #[test]
    fn borders_of_seconds_do_not_matter(run in run(20), size in 1_usize..6) {
        // The errors are so rare that no second reaches h/4.
        let run: Vec<(u64, u64)> = run.into_iter().map(|(n, e)| (n, (e / 8).min(2))).collect();
        let coarse: Vec<(u64, u64)> = run
            .chunks(size)
            .map(|part| part.iter().fold((0, 0), |sum, second| (sum.0 + second.0, sum.1 + second.1)))
            .collect();
        // A dispersion of 8 makes the steps small.
        let wild = Baseline { dispersion: 8.0, ..baseline(240, 0) };
        let start = |lead: u64| {
            let mut judge = Judge::new(wild.clone(), Policy::default(), 1e6);
            (0..lead).for_each(|_| { judge.observe(&bucket(20, 20)); });
            judge
        };
        let (mut fine, mut rough) = (start(0), start(0));
        prop_assert!(score(&mut fine, &run) >= score(&mut rough, &coarse) - 1e-9);
        let (mut fine, mut rough) = (start(4), start(4));
        // The score is 16 nats ahead, and 20 x 200 successes take 10, so it never touches 0.
        let (fine, rough) = (score(&mut fine, &run), score(&mut rough, &coarse));
        prop_assert!(fine > 0.0 && (fine - rough).abs() < 1e-9, "{} {}", fine, rough);
    }

    /// The score is the same whether one worker counts or several do.
    #[test]
    fn pooled_workers_are_judged_as_one(run in run(20), workers in 1_u64..5) {
        let (mut one, mut pooled) = (judge(240, 20), judge(240, 20));
        for (n, e) in run {
            let mut whole = Bucket::default();
            let mut parts = vec![Bucket::default(); usize::try_from(workers).unwrap()];
            for i in 0..n {
                let outcome = if i < e { Outcome::Error } else { Outcome::Success };
                whole.record(i % 8, outcome, None);
                parts[usize::try_from(i % workers).unwrap()].record(i % 8, outcome, None);
            }
            let mut sum = Bucket::default();
            for part in &parts {
                sum.merge(part);
            }
            one.observe(&whole);
            pooled.observe(&sum);
        }
        prop_assert_eq!(one, pooled);
    }

    /// A judge that is written as text and read back in the middle ends as one that was not.
    #[test]
    fn a_restart_changes_nothing(
        run in run(40),
        at in 0_usize..40,
        baseline_errors in 0_u64..40_000,
        clients in 18_usize..=20,
        dispersion in 1000_u32..8000,
        expected in 0.0_f64..1e6,
    ) {
        let dispersion = f64::from(dispersion) / 1000.0;
        let baseline = Baseline { dispersion, ..baseline(baseline_errors, clients) };
        let mut straight = Judge::new(baseline, Policy::default(), expected);
        let mut restarted = straight.clone();
        for (i, &(n, e)) in run.iter().enumerate() {
            if i == at {
                let text = serde_json::to_string(&restarted).unwrap();
                restarted = serde_json::from_str(&text).unwrap();
            }
            prop_assert_eq!(straight.observe(&bucket(n, e)), restarted.observe(&bucket(n, e)));
        }
        prop_assert_eq!(straight, restarted);
    }

    /// No client adds more than its quarter, whatever the other clients do.
    #[test]
    fn the_quarter_holds_for_any_mix(
        seconds in proptest::collection::vec(proptest::collection::vec(0_u64..6, 0..60), 1..30),
    ) {
        // There are only failures, of at most six clients, so S is the sum of the parts that the clients
        // have added.
        let mut judge = judge(240, 20);
        let mut clients = std::collections::BTreeSet::new();
        for second in seconds {
            let mut bucket = Bucket::default();
            for client in second {
                clients.insert(client);
                bucket.record(client, Outcome::Error, None);
            }
            judge.observe(&bucket);
            let numbers = judge.numbers();
            let quarters = clients.len() as f64;
            prop_assert!(numbers.s <= quarters * numbers.h / 4.0 + 1e-6, "{:?}", numbers);
        }
    }
}
