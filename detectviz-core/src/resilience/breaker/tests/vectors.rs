//! The vectors of other libraries, under their numbers.
use super::*;

fn time(length: f64) -> BreakerConfig {
    plain()
        .window(WindowConfig::Time(seconds(length)))
        .minimum_calls(5)
}

#[test]
fn b1_the_fifth_call_opens_with_a_rate_of_60_percent_and_tells_once() {
    let subject = Subject::new(&time(20.0));
    subject.calls(0.0, "FFFS");
    assert_eq!(subject.state(), State::Closed);
    assert_eq!(subject.counts(0.0).failure_rate(), None);
    subject.calls(0.0, "S");
    assert_eq!(subject.state(), State::Open);
    assert_eq!(subject.counts(0.0).failure_rate(), Some(0.6));
    assert_eq!(subject.exceeded("failure_rate"), 1.0);
    assert!(!subject.call(0.0, Outcome::Success));
    assert_eq!(subject.counts(0.0).refused, 1);
    assert_eq!(subject.refused(), 1.0);
    assert_eq!(subject.exceeded("failure_rate"), 1.0);
}

#[test]
fn b2_exactly_half_trips_one_result_a_second() {
    let subject = Subject::new(&time(20.0));
    for (at, letter) in ["S", "S", "S", "F", "F"].into_iter().enumerate() {
        subject.calls(at as f64, letter);
    }
    assert_eq!(subject.state(), State::Closed);
    assert_eq!(subject.counts(4.0).failure_rate(), Some(0.4));
    subject.calls(5.0, "F");
    assert_eq!(subject.state(), State::Open);
    assert_eq!(subject.counts(5.0).failure_rate(), Some(0.5));
}

#[test]
fn b3_slow_calls_open_as_well() {
    let config = time(60.0).failure_rate(None).slow_calls(0.5, seconds(4.0));
    let subject = Subject::new(&config);
    for (at, took) in [(5.0, 5.0), (6.0, 5.0), (7.0, 0.1), (8.0, 0.1)] {
        assert!(subject.timed(at, took, Outcome::Success));
    }
    assert_eq!(subject.state(), State::Closed);
    assert!(subject.timed(9.0, 5.0, Outcome::Success));
    assert_eq!(subject.state(), State::Open);
    assert_eq!(subject.counts(9.0).slow_call_rate(), Some(0.6));
    assert_eq!(subject.exceeded("slow_rate"), 1.0);
}

#[test]
fn b4_after_its_duration_an_open_circuit_is_half_open_with_counters_of_0() {
    let subject = Subject::new(&time(20.0));
    subject.calls(0.0, "FFFFF");
    assert!(!subject.call(1.0, Outcome::Success));
    let open = subject.enter(3.0).unwrap_err();
    assert_eq!(open.retry_after(), Some(seconds(2.0)));
    assert_eq!(subject.counts(3.0).refused, 2);
    let _probe = subject.enter(6.0).unwrap();
    assert_eq!(subject.state(), State::HalfOpen);
    assert_eq!(subject.counts(6.0), Counts::default());
}

fn half_open(permits: u32) -> Subject {
    let config = time(20.0)
        .half_open_calls(permits)
        .open(OpenConfig::constant(seconds(1.0)));
    let subject = Subject::new(&config);
    subject.calls(0.0, "FFFFF");
    subject
}

#[test]
fn b5_four_probes_go_through_and_one_given_back_makes_room_for_one() {
    let subject = half_open(4);
    let probes: Vec<Ticket> = (0..4).map(|_| subject.enter(1.0).unwrap()).collect();
    for _ in 5..=6 {
        let refused = subject.enter(1.0).unwrap_err();
        assert_eq!(
            (refused.state(), refused.retry_after()),
            (State::HalfOpen, None)
        );
    }
    subject.circuit.cancel(probes[0]);
    assert!(subject.enter(1.0).is_ok());
    assert!(subject.enter(1.0).is_err());
    subject
        .circuit
        .record(probes[1], Outcome::Ignored, subject.at(1.0));
    assert!(subject.enter(1.0).is_ok());
    assert!(subject.enter(1.0).is_err());
}

#[test]
fn b6_the_probes_decide_together() {
    let subject = half_open(4);
    subject.calls(1.0, "FFS");
    assert_eq!(subject.state(), State::HalfOpen);
    assert_eq!(subject.counts(1.0).failure_rate(), None);
    subject.calls(1.0, "F");
    assert_eq!(subject.state(), State::Open);
    assert_eq!(subject.counts(1.0).failure_rate(), Some(0.75));

    subject.calls(2.0, "FSSS");
    assert_eq!(subject.state(), State::Closed);
    assert_eq!(subject.counts(2.0), Counts::default());
}

#[test]
fn b10_forced_open_refuses_after_any_wait() {
    let subject = Subject::new(&time(20.0));
    subject.circuit.handle().force_open();
    for at in [0.0, 5.0, 3600.0, 86_400.0 * 400.0] {
        let open = subject.enter(at).unwrap_err();
        assert_eq!(
            (open.state(), open.retry_after()),
            (State::ForcedOpen, None)
        );
    }
}

#[test]
fn b10_disabled_permits_and_records_nothing() {
    let subject = Subject::new(&time(20.0).mode(Mode::Disabled));
    subject.calls(0.0, "FFFFFFFFFFFFFFFFFFFF");
    assert_eq!(subject.state(), State::Disabled);
    assert_eq!(subject.counts(0.0), Counts::default());
}

#[test]
fn b10_metrics_only_records_and_never_opens() {
    let subject = Subject::new(&time(20.0).mode(Mode::MetricsOnly));
    subject.calls(0.0, "FFFFFFFFFFSSSSSSSSSF");
    assert_eq!(subject.state(), State::MetricsOnly);
    assert_eq!(subject.counts(0.0).failure_rate(), Some(0.55));
    assert_eq!(subject.exceeded("failure_rate"), 1.0);
}

#[test]
fn b10_a_closed_circuit_cannot_be_made_half_open() {
    let subject = Subject::new(&time(20.0));
    let handle = subject.circuit.handle();
    let illegal = handle.half_open().unwrap_err();
    assert_eq!(
        (illegal.from(), illegal.to()),
        (State::Closed, State::HalfOpen)
    );
    assert_eq!(subject.state(), State::Closed);
    for set in [BreakerHandle::disable, BreakerHandle::force_close] {
        set(&handle);
        assert!(handle.half_open().is_err());
    }
    handle.force_open();
    assert_eq!(handle.half_open(), Ok(()));
    assert_eq!(handle.state(), State::HalfOpen);
}

#[test]
fn b11_two_failures_in_a_row_shut_for_1_then_2_seconds() {
    let config = BreakerConfig::default()
        .failure_rate(None)
        .consecutive_failures(2)
        .half_open_calls(1)
        .open(OpenConfig::doubling(seconds(1.0), seconds(100.0)));
    let subject = Subject::new(&config);
    let early = subject.enter(0.0).unwrap();
    subject.calls(0.0, "FF");
    assert_eq!(subject.state(), State::Open);
    assert!(subject.enter(0.5).is_err());

    let probe = subject.enter(1.0).unwrap();
    assert!(subject.enter(1.0).is_err());
    subject
        .circuit
        .record(probe, Outcome::Failure, subject.at(1.0));
    assert_eq!(subject.state(), State::Open);
    // Late answers, of a call from before and of the probe once more.
    subject
        .circuit
        .record(early, Outcome::Success, subject.at(2.0));
    subject
        .circuit
        .record(probe, Outcome::Success, subject.at(2.0));
    assert_eq!(subject.state(), State::Open);
    assert!(subject.enter(2.0).is_err());

    let probe = subject.enter(3.0).unwrap();
    assert!(subject.enter(3.0).is_err());
    subject
        .circuit
        .record(probe, Outcome::Success, subject.at(3.0));
    assert_eq!(subject.state(), State::Closed);
}

#[test]
fn b16_a_rolling_window_of_ten_buckets_forgets_one_at_a_time() {
    let config = plain()
        .window(WindowConfig::Time(seconds(10.0)))
        .minimum_calls(1)
        .mode(Mode::MetricsOnly);
    let subject = Subject::new(&config);
    let seen = |at| {
        let counts = subject.counts(at);
        (counts.calls, counts.failure_rate().unwrap())
    };
    let expected = [(2, 0.5), (4, 0.5), (6, 2.0 / 6.0), (8, 0.25), (8, 0.125)];
    for (step, letters) in ["FS", "FS", "SS", "SS", "SS"].into_iter().enumerate() {
        let at = 2.0 * step as f64;
        subject.calls(at, letters);
        // Polly's test looks when the two seconds have passed.
        assert_eq!(seen(at + 2.0), expected[step], "step {step}");
    }
    assert_eq!(seen(12.0), (6, 0.0));
}
