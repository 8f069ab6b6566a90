//! What operators see and do.
use super::*;
use std::sync::{Arc, Mutex};
use tracing::{Event, Level, Subscriber, subscriber::with_default};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt};

/// Keeps the levels of events.
#[derive(Clone, Default)]
struct Levels(Arc<Mutex<Vec<Level>>>);

impl<S: Subscriber> Layer<S> for Levels {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.0.lock().unwrap().push(*event.metadata().level());
    }
}

#[test]
fn transitions_are_logged_and_calls_are_not() {
    let levels = Levels::default();
    with_default(tracing_subscriber::registry().with(levels.clone()), || {
        let subject = Subject::new(&plain().consecutive_failures(1).half_open_calls(1));
        let seen = || std::mem::take(&mut *levels.0.lock().unwrap());
        subject.calls(0.0, "SSSF");
        assert_eq!(seen(), [Level::WARN], "opened");
        assert!(subject.enter(1.0).is_err());
        assert!(seen().is_empty());
        subject.calls(5.0, "S");
        assert_eq!(seen(), [Level::INFO, Level::INFO], "half-open, closed");
        let handle = subject.circuit.handle();
        handle.force_open();
        assert_eq!(seen(), [Level::WARN]);
        handle.reconfigure(&plain().mode(Mode::MetricsOnly).minimum_calls(2));
        assert_eq!(seen(), [Level::INFO]);
        subject.calls(5.0, "FFFFFF");
        assert_eq!(seen(), [Level::WARN], "it would open, and says so once");
    });
}

#[test]
fn metrics_tell_states_transitions_and_refusals() {
    let subject = Subject::new(&plain().consecutive_failures(2).half_open_calls(1));
    let state = |state| subject.metric(names::BREAKER_STATE, &["orders", state]);
    let became = |state| subject.metric(names::BREAKER_TRANSITIONS, &["orders", state]);
    assert_eq!((state("closed"), state("open")), (1.0, 0.0));
    subject.calls(0.0, "FF");
    assert!(subject.enter(1.0).is_err());
    assert_eq!(
        (state("closed"), state("open"), became("open")),
        (0.0, 1.0, 1.0)
    );
    let probe = subject.enter(5.0).unwrap();
    assert_eq!((state("open"), state("half_open")), (0.0, 1.0));
    subject
        .circuit
        .record(probe, Outcome::Success, subject.at(5.0));
    assert_eq!((state("half_open"), state("closed")), (0.0, 1.0));
    assert_eq!((became("half_open"), became("closed")), (1.0, 1.0));
    assert_eq!(
        (subject.refused(), subject.exceeded("consecutive_failures")),
        (1.0, 1.0)
    );
}

#[test]
fn circuits_that_share_their_series_are_counted_by_state_and_leave_when_dropped() {
    let registry = Registry::new();
    let metrics = BreakerMetrics::new(&registry, "orders");
    let config = plain();
    let endpoint = |name| Circuit::with_metrics(name, &config, metrics.clone());
    let (one, two) = (endpoint("10.0.0.1:80"), endpoint("10.0.0.2:80"));
    one.handle().force_open();
    let value = |state| {
        let snapshot = registry.snapshot();
        snapshot
            .value(names::BREAKER_STATE, &["orders", state])
            .cloned()
    };
    assert_eq!(value("closed"), Some(Value::Gauge(1.0)));
    assert_eq!(value("forced_open"), Some(Value::Gauge(1.0)));
    drop((one, two));
    assert_eq!(value("closed"), Some(Value::Gauge(0.0)));
    assert_eq!(value("forced_open"), Some(Value::Gauge(0.0)));
}

#[test]
fn by_hand_it_goes_anywhere_but_from_closed_to_half_open() {
    let subject = Subject::new(
        &plain()
            .minimum_calls(1)
            .failure_rate(1.0)
            .mode(Mode::MetricsOnly),
    );
    let handle = subject.circuit.handle();
    subject.calls(0.0, "SFS");
    assert_eq!(handle.counts().calls, 3);
    for (step, expected) in [
        (BreakerHandle::force_open as fn(&_), State::ForcedOpen),
        (BreakerHandle::disable, State::Disabled),
        (BreakerHandle::force_close, State::Closed),
        (BreakerHandle::reset, State::MetricsOnly),
    ] {
        step(&handle);
        assert_eq!(handle.state(), expected);
        assert_eq!(handle.counts().calls, 0);
    }
    // The window is empty each time, however often.
    for _ in 0..100 {
        handle.force_close();
        subject.calls(0.0, "SSS");
        assert_eq!(handle.counts().calls, 3);
        handle.reset();
        assert_eq!(handle.counts().calls, 0);
    }
}

#[test]
fn results_of_calls_that_began_before_are_late() {
    let subject = Subject::new(&plain().minimum_calls(1));
    let early = subject.enter(0.0).unwrap();
    subject.circuit.handle().force_close();
    subject
        .circuit
        .record(early, Outcome::Failure, subject.at(0.0));
    assert_eq!(subject.state(), State::Closed);
    assert_eq!(subject.counts(0.0).calls, 0);
}

#[test]
fn a_change_of_settings_keeps_counts_and_judges_by_them() {
    let subject = Subject::new(&plain().failure_rate(0.9));
    let handle = subject.circuit.handle();
    subject.calls(0.0, "SSSSSSSSSSFFFFFFFFFFFF");
    let under_way = subject.enter(0.0).unwrap();
    handle.reconfigure(&plain().failure_rate(0.8));
    assert_eq!(subject.counts(0.0).failures, 12);
    // Calls that are under way are recorded all the same.
    subject
        .circuit
        .record(under_way, Outcome::Success, subject.at(0.0));
    assert_eq!(subject.counts(0.0).calls, 23);
    assert_eq!(subject.state(), State::Closed);
    handle.reconfigure(&plain().failure_rate(0.5));
    assert_eq!(subject.state(), State::Open);
    assert_eq!(handle.config(), plain().failure_rate(0.5));
}

#[test]
fn a_change_of_mode_starts_anew() {
    let subject = Subject::new(&plain());
    let handle = subject.circuit.handle();
    for (mode, expected) in [
        (Mode::Disabled, State::Disabled),
        (Mode::MetricsOnly, State::MetricsOnly),
        (Mode::Enabled, State::Closed),
    ] {
        handle.reconfigure(&plain().mode(mode));
        assert_eq!(subject.state(), expected);
    }
    handle.force_open();
    handle.reconfigure(&plain().minimum_calls(3));
    assert_eq!(subject.state(), State::ForcedOpen);
}

#[test]
fn a_trial_that_fewer_probes_decide_now_is_decided() {
    for (letters, expected) in [("SS", State::Closed), ("FF", State::Open)] {
        let subject = Subject::new(&plain().consecutive_failures(1).half_open_calls(5));
        subject.calls(0.0, "F");
        subject.calls(5.0, letters);
        let fewer = plain().consecutive_failures(1).half_open_calls(2);
        subject.circuit.handle().reconfigure(&fewer);
        assert!(subject.enter(5.0).is_err());
        assert_eq!(subject.state(), expected);
    }
}
