//! Windows slide whatever came before, and as exactly as is promised.
use super::*;
use proptest::{collection::vec, prelude::*};

/// How many failures it takes after `successes` successes.
fn failures_to_open(config: &BreakerConfig, successes: u64) -> u64 {
    let subject = Subject::new(config);
    for _ in 0..successes {
        assert!(subject.call(1.0, Outcome::Success));
    }
    let mut failures = 0;
    while subject.call(1.0, Outcome::Failure) {
        failures += 1;
        assert!(failures <= 2_000_000, "it never opens");
    }
    failures
}

#[test]
fn a_window_of_100_opens_within_100_failures_after_100_000_successes() {
    let config = plain().window(WindowConfig::Calls(100));
    assert_eq!(failures_to_open(&config, 100_000), 50);
    let all = config.failure_rate(1.0);
    assert!((99..=100).contains(&failures_to_open(&all, 100_000)));
}

#[test]
fn a_window_of_calls_opens_within_its_length_whatever_came_before() {
    for calls in [1, 2, 7, 49, 50, 51, 99, 100, 101, 149, 1_000, 4_321] {
        for successes in [0, 1, u64::from(calls) - 1, u64::from(calls), 12_345] {
            for rate in [0.01, 0.5, 0.9, 1.0] {
                let config = plain()
                    .window(WindowConfig::Calls(calls))
                    .minimum_calls(calls.min(20))
                    .failure_rate(rate);
                let failures = failures_to_open(&config, successes) as f64;
                let case = format!("{failures} of {calls} at {rate} after {successes}");
                assert!(failures <= f64::from(calls), "{case}");
                if successes >= u64::from(calls) {
                    let exact = (rate * f64::from(calls)).ceil();
                    assert!(
                        failures >= (rate * 0.96 * f64::from(calls)).floor(),
                        "{case}"
                    );
                    assert!(failures <= exact, "{case}");
                }
            }
        }
    }
}

#[test]
fn a_window_of_time_forgets_what_is_older() {
    let config = plain()
        .window(WindowConfig::Time(seconds(10.0)))
        .minimum_calls(10);
    // The tenth failure comes when the first is 9.9 s or 10 s old.
    for (last, expected) in [(9.9, State::Open), (10.0, State::Closed)] {
        let subject = Subject::new(&config);
        subject.calls(0.0, "F");
        subject.calls(5.0, "FFFFFFFF");
        subject.calls(last, "F");
        assert_eq!(subject.state(), expected, "{last}");
    }
}

#[test]
fn a_success_opens_when_older_successes_have_left_the_window() {
    let config = plain()
        .window(WindowConfig::Time(seconds(10.0)))
        .minimum_calls(5);
    let subject = Subject::new(&config);
    subject.calls(0.0, "SSSSSSSSSSSS");
    subject.calls(6.0, "FFFF");
    assert_eq!(subject.state(), State::Closed);
    // At 10 s the four failures are all there is; with this success, four of five.
    subject.calls(10.0, "S");
    assert_eq!(subject.state(), State::Open);
    assert_eq!(subject.counts(10.0).failure_rate(), Some(0.8));
}

#[test]
fn a_window_is_empty_after_any_pause_that_is_longer() {
    let config = plain()
        .window(WindowConfig::Time(seconds(10.0)))
        .minimum_calls(10);
    let day = 86_400.0;
    for pause in [10.0, 11.5, 3_600.0, 49.0 * day, 50.0 * day, 900.0 * day] {
        let subject = Subject::new(&config);
        subject.calls(0.0, "FFFFFFFFF");
        subject.calls(pause, "F");
        let counts = subject.counts(pause);
        assert_eq!((counts.calls, counts.failures), (1, 1), "{pause}");
        assert_eq!(subject.state(), State::Closed);
    }
}

#[test]
fn calls_that_are_far_apart_never_meet_in_a_window() {
    let config = plain()
        .window(WindowConfig::Time(seconds(1.0)))
        .minimum_calls(2);
    let subject = Subject::new(&config);
    for call in 0..20_000 {
        let at = f64::from(call) * 1.5;
        subject.calls(at, "F");
        assert_eq!(subject.state(), State::Closed, "call {call}");
    }
}

#[test]
fn open_circuits_let_a_probe_through_after_any_pause() {
    let day = 86_400.0;
    for pause in [5.0, 3_600.0, 49.0 * day, 50.0 * day, 900.0 * day] {
        let subject = Subject::new(&plain().consecutive_failures(1));
        subject.calls(1.0, "F");
        assert!(subject.enter(5.999).is_err());
        assert!(subject.enter(1.0 + pause).is_ok(), "{pause}");
    }
}

#[test]
fn a_reading_of_the_clock_that_is_older_changes_nothing() {
    let config = plain()
        .window(WindowConfig::Time(seconds(10.0)))
        .minimum_calls(3);
    let subject = Subject::new(&config);
    subject.calls(100.0, "SF");
    subject.calls(99.0, "S");
    subject.calls(40.0, "S");
    let counts = subject.counts(40.0);
    assert_eq!((counts.calls, counts.failures), (4, 1));
    subject.calls(100.0, "F");
    assert_eq!(subject.counts(100.0).failures, 2);
}

/// Whether, of the last `length` calls, too many failed.
fn reached(failed: &[bool], length: usize, rate: f64) -> bool {
    let last = &failed[failed.len().saturating_sub(length)..];
    last.iter().filter(|f| **f).count() as f64 >= rate * last.len() as f64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_long_window_of_calls_is_one_of_96_percent_to_all_of_its_calls(
        calls in 51_u32..400,
        rate in 0.1_f64..=1.0,
        failing in 0.0_f64..0.6,
        draws in vec(0.0_f64..1.0, 1..1_200),
    ) {
        let config = plain().window(WindowConfig::Calls(calls)).failure_rate(rate);
        let subject = Subject::new(&config);
        let mut failed = Vec::new();
        for draw in draws {
            failed.push(draw < failing);
            let outcome = if draw < failing { Outcome::Failure } else { Outcome::Success };
            subject.call(0.0, outcome);
            if failed.len() < 20 {
                continue;
            }
            let lengths = (calls as usize * 96).div_ceil(100)..=calls as usize;
            let verdicts: Vec<bool> = lengths.map(|length| reached(&failed, length, rate)).collect();
            if subject.state() == State::Open {
                prop_assert!(verdicts.contains(&true), "it opened too early");
                return Ok(());
            }
            prop_assert!(verdicts.contains(&false), "it should have opened");
        }
    }

    #[test]
    fn a_window_that_is_cut_anew_keeps_its_share_of_failures(
        from in prop_oneof![(10_u32..2_000).prop_map(WindowConfig::Calls), Just(WindowConfig::Time(seconds(30.0)))],
        to in prop_oneof![(10_u32..2_000).prop_map(WindowConfig::Calls), (1_u64..100).prop_map(|s| WindowConfig::Time(Duration::from_secs(s)))],
        draws in vec(0_u32..100, 1..600),
    ) {
        let config = plain().minimum_calls(1).mode(Mode::MetricsOnly).window(from);
        let subject = Subject::new(&config);
        for draw in &draws {
            subject.call(0.0, if *draw < 20 { Outcome::Failure } else { Outcome::Success });
        }
        let before = subject.counts(0.0);
        subject.circuit.handle().reconfigure(&config.window(to));
        let after = subject.counts(0.0);
        let most = match to {
            WindowConfig::Calls(calls) if from != to => u64::from(calls),
            _ => u64::MAX,
        };
        prop_assert!(after.calls <= before.calls.min(most));
        prop_assert!(after.calls as f64 >= 0.96 * before.calls.min(most) as f64 - 1.0);
        let (was, is) = (before.failure_rate().unwrap(), after.failure_rate().unwrap());
        // Each window may have forgotten up to 4 % of its calls.
        prop_assert!((was - is).abs() <= 0.04 + 1.0 / after.calls as f64, "{was} {is}");
        subject.calls(0.0, "F");
        prop_assert!(subject.counts(0.0).failures >= after.failures);
    }
}
