//! The circuit does what the naive model does, whatever happens in whatever order.
use super::{
    model::{Model, ModelTicket},
    *,
};
use proptest::{collection::vec, option, prelude::*, sample::Index};

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Begin,
    End(Index, Outcome),
    /// Begins and ends at once.
    Call(Outcome),
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        5 => Just(Outcome::Success),
        4 => Just(Outcome::Failure),
        1 => Just(Outcome::Ignored),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => prop_oneof![0_u64..40, 0_u64..3_000].prop_map(Step::Wait),
        1 => Just(Step::Begin),
        1 => (any::<Index>(), outcome()).prop_map(|(at, outcome)| Step::End(at, outcome)),
        6 => outcome().prop_map(Step::Call),
    ]
}

/// Windows of calls that are exact, and windows of time.
fn window() -> impl Strategy<Value = WindowConfig> {
    prop_oneof![
        (1_u32..=50).prop_map(WindowConfig::Calls),
        (100_u64..3_000).prop_map(|ms| WindowConfig::Time(Duration::from_millis(ms))),
    ]
}

prop_compose! {
    fn config()(
        window in window(),
        minimum in 1_u32..30,
        failure in option::weighted(0.8, 0.05_f64..=1.0),
        slow in option::weighted(0.4, 0.05_f64..=1.0),
        slow_millis in 1_u64..200,
        run in option::weighted(0.3, 1_u32..8),
        probes in 1_u32..6,
        open in 1_u64..2_000,
        factor in prop_oneof![Just(1.0), Just(1.5), Just(2.0)],
        mode in prop_oneof![8 => Just(Mode::Enabled), 1 => Just(Mode::MetricsOnly), 1 => Just(Mode::Disabled)],
    ) -> BreakerConfig {
        let minimum = match window {
            WindowConfig::Calls(calls) => minimum.min(calls),
            WindowConfig::Time(_) => minimum,
        };
        let open = Duration::from_millis(open);
        let open = OpenConfig { factor, ..OpenConfig::doubling(open, open * 10) };
        BreakerConfig::default()
            .mode(mode)
            .window(window)
            .minimum_calls(minimum)
            .failure_rate(failure)
            .slow_calls(slow, Duration::from_millis(slow_millis))
            .consecutive_failures(run)
            .half_open_calls(probes)
            .open(open)
    }
}

fn agrees(subject: &Subject, model: &Model, now: u64) {
    assert_eq!(subject.state(), model.state);
    let counts = subject.counts(now as f64 / 1e3);
    assert_eq!(counts.refused, model.refused);
    let seen = (counts.calls, counts.failures, counts.slow);
    match model.state {
        State::Open => {}
        State::Disabled => assert_eq!(seen, (0, 0, 0)),
        _ => assert_eq!(seen, model.held(now)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn the_circuit_does_what_the_model_does(config in config(), steps in vec(step(), 1..250)) {
        let subject = Subject::new(&config);
        let mut model = Model::new(&config);
        let mut under_way: Vec<(Ticket, ModelTicket)> = Vec::new();
        let mut now = 0_u64;
        let at = |now: u64| subject.circuit.shared.base.at() + Duration::from_millis(now);
        for step in steps {
            match step {
                Step::Wait(millis) => now += millis,
                Step::Begin | Step::Call(_) => {
                    let ours = subject.circuit.enter(at(now));
                    let theirs = model.enter(now);
                    prop_assert_eq!(ours.is_ok(), theirs.is_some());
                    if let (Ok(ours), Some(theirs)) = (ours, theirs) {
                        if let Step::Call(outcome) = step {
                            subject.circuit.record(ours, outcome, at(now));
                            model.end(&theirs, outcome, now);
                        } else {
                            under_way.push((ours, theirs));
                        }
                    }
                }
                Step::End(_, _) if under_way.is_empty() => {}
                Step::End(which, outcome) => {
                    let (ours, theirs) = under_way.swap_remove(which.index(under_way.len()));
                    subject.circuit.record(ours, outcome, at(now));
                    model.end(&theirs, outcome, now);
                }
            }
            // Looking moves windows on, so it is not done each time.
            if now.is_multiple_of(3) {
                agrees(&subject, &model, now);
            }
            prop_assert_eq!(subject.state(), model.state);
        }
        agrees(&subject, &model, now);
    }

    #[test]
    fn open_durations_grow_to_their_maximum_and_jitter_only_adds(
        millis in 1_u64..10_000,
        factor in 1.0_f64..4.0,
        most in 1_u64..100,
        jitter in 0.0_f64..=1.0,
        randoms in vec(any::<u64>(), 16),
    ) {
        let duration = Duration::from_millis(millis);
        let open = OpenConfig { factor, ..OpenConfig::doubling(duration, duration * most as u32) };
        let limits = BreakerConfig::default().open(open.jitter(jitter)).limits();
        let mut base = millis as f64 * 1e6;
        for (streak, random) in randoms.into_iter().enumerate() {
            let longest = millis as f64 * 1e6 * most as f64;
            let expected = base.min(longest);
            let opened = limits.open_for(streak as u64, random) as f64;
            prop_assert!(opened >= expected * 0.999_999 - 1.0, "{opened} for {expected}");
            prop_assert!(opened <= expected * (1.0 + jitter) * 1.000_001 + 1.0);
            base *= factor;
        }
    }
}
