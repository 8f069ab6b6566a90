//! The arithmetic of the budget, and that no behaviour of a part breaks it.
use super::*;
use crate::lifecycle::state::Budget;
use proptest::prelude::*;

fn config(grace: u64, drain: u64, hooks: u64, stop: u64, flush: u64) -> ShutdownConfig {
    let ms = Duration::from_millis;
    ShutdownConfig {
        grace: ms(grace),
        pre_stop: None,
        drain: ms(drain),
        hooks: ms(hooks),
        stop: ms(stop),
        flush: ms(flush),
    }
}

#[test]
fn each_step_gets_its_share_and_what_was_left_over() {
    let began = std::time::Instant::now();
    let config = ShutdownConfig::default();
    for (step, at, expected) in [
        (Step::PreStop, 0, 5_000),
        (Step::Drain, 5_000, 15_000),
        (Step::Hooks, 20_000, 4_000),
        (Step::Flush, 24_000, 2_000),
        (Step::Stop, 24_000, 2_000),
        (Step::LastFlush, 26_000, 2_000),
        (Step::Join, 28_000, 250),
        // Earlier than planned: the rest is passed on, except to flushing and joining.
        (Step::Hooks, 6_000, 18_000),
        (Step::Flush, 7_000, 2_000),
        (Step::Stop, 7_000, 19_000),
        (Step::LastFlush, 8_000, 2_000),
        (Step::Join, 9_000, 1_000),
        // Later than planned: nobody goes beyond the grace.
        (Step::Drain, 21_000, 0),
        (Step::Flush, 27_000, 0),
        (Step::Stop, 25_500, 500),
        (Step::LastFlush, 27_500, 500),
        (Step::LastFlush, 40_000, 0),
        (Step::Join, 40_000, 250),
    ] {
        let budget = Budget::new(&config, config.pre_stop(true), began);
        let limit = budget.limit(step, began + Duration::from_millis(at));
        assert_eq!(limit, Duration::from_millis(expected), "{step:?} at {at}");
    }
}

#[test]
fn shares_that_do_not_fit_are_cut_at_the_grace() {
    let began = std::time::Instant::now();
    let at = |ms| began + Duration::from_millis(ms);
    for (config, pre_stop, step, now, expected) in [
        (
            config(10_000, 60_000, 0, 0, 0),
            2_000,
            Step::Drain,
            2_000,
            8_000,
        ),
        (
            config(10_000, 1_000, 60_000, 0, 0),
            2_000,
            Step::Hooks,
            3_000,
            7_000,
        ),
        (
            config(10_000, 1_000, 0, 0, 0),
            60_000,
            Step::PreStop,
            0,
            10_000,
        ),
        (
            config(10_000, 1_000, 0, 60_000, 60_000),
            0,
            Step::Flush,
            1_000,
            0,
        ),
        (
            config(10_000, 1_000, 0, 60_000, 60_000),
            0,
            Step::LastFlush,
            1_000,
            9_000,
        ),
    ] {
        let budget = Budget::new(&config, Duration::from_millis(pre_stop), began);
        assert_eq!(
            budget.limit(step, at(now)),
            Duration::from_millis(expected),
            "{step:?} {config:?}"
        );
    }
}

#[test]
fn an_abort_leaves_less_than_a_second() {
    let began = std::time::Instant::now();
    let config = ShutdownConfig::default();
    for at in [0, 3_000, 10_000, 22_000, 27_900] {
        let mut budget = Budget::new(&config, config.pre_stop(true), began);
        let mut now = began + Duration::from_millis(at);
        let aborted = now;
        budget.abort(now);
        for step in [
            Step::PreStop,
            Step::Drain,
            Step::Hooks,
            Step::Flush,
            Step::Stop,
            Step::LastFlush,
            Step::Join,
        ] {
            now += budget.limit(step, now);
        }
        assert!(now - aborted < seconds(1), "{at}: {:?}", now - aborted);
    }
}

#[test]
fn the_default_budget_fits_and_is_used_up() {
    let config = ShutdownConfig::default();
    assert_eq!(config.problems(), []);
    let shares = [
        config.pre_stop(true),
        config.drain,
        config.hooks,
        config.stop,
        config.flush,
    ];
    assert_eq!(shares.iter().sum::<Duration>(), config.grace);
}

#[test]
fn a_config_is_read_and_written_back() {
    for (text, pre_stop) in [
        ("{}", None),
        (r#"{"pre_stop":"0s"}"#, Some(Duration::ZERO)),
        (r#"{"pre_stop":null}"#, None),
    ] {
        let read: ShutdownConfig = serde_json::from_str(text).unwrap();
        assert_eq!(read.pre_stop, pre_stop, "{text}");
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(
            serde_json::from_str::<ShutdownConfig>(&written).unwrap(),
            read
        );
    }
    assert!(serde_json::from_str::<ShutdownConfig>(r#"{"graze":"1s"}"#).is_err());
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        Just(Act::Done),
        (1..40_000_u64).prop_map(Act::After),
        Just(Act::Never),
        Just(Act::Fail),
        Just(Act::Panic),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_exit_comes_within_the_grace_and_a_second_whatever_parts_do(
        pre_stop in 0..9_000_u64,
        (grace, drain, hooks, stop, flush) in (0..30_000_u64, 0..20_000_u64, 0..8_000_u64, 0..5_000_u64, 0..5_000_u64),
        acts in prop::collection::vec((act(), act(), act(), any::<bool>()), 0..5),
        flushes in act(),
        deaf in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let (outcome, took, ended_by) = runtime.block_on(async {
            let journal = Journal::new();
            let tasks = Tasks::new();
            if deaf {
                tasks.spawn("deaf", std::future::pending::<()>());
            }
            // Room for the shares, so that the config is a valid one; the grace may be longer than them.
            let shares = pre_stop.max(5_000) + drain + hooks + stop + flush;
            let mut config = config(grace.max(shares), drain, hooks, stop, flush);
            config.pre_stop = Some(Duration::from_millis(pre_stop));
            let grace = config.grace;
            let mut lifecycle = Lifecycle::new(config, &tasks).with_flush({
                let part = Arc::new(journal.part("flush").on_start(flushes));
                move |_| {
                    let part = Arc::clone(&part);
                    async move { drop(part.start().await) }
                }
            });
            for (at, (drain, stop, hook, chained)) in acts.iter().enumerate() {
                let after = (*chained && at > 0).then(|| at.saturating_sub(1).to_string());
                let part = journal.part("part").on_drain(*drain).on_stop(*stop);
                lifecycle = lifecycle.add(at.to_string(), after, part.arc());
                let part = journal.part("hook").on_start(*hook);
                lifecycle = lifecycle.add_hook(at.to_string(), seconds(3), move || async move { part.start().await });
            }
            let (outcome, took) = run(lifecycle, &[0]).await;
            (outcome, Duration::from_millis(took), grace)
        });
        prop_assert!(took <= ended_by + Duration::from_millis(300), "{took:?} of {ended_by:?}: {outcome:?}");
        let shown: Duration = outcome.steps().iter().map(|(_, took)| *took).sum();
        // What a step needs to drop what it cut is not part of it.
        prop_assert!(shown <= took && took - shown <= Duration::from_millis(25), "{shown:?} of {took:?}");
        let endless = acts.iter().any(|(drain, ..)| *drain == Act::Never);
        prop_assert!(!endless || outcome.exit_code() != 0, "{outcome:?}");
    }
}
