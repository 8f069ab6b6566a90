//! Which settings are refused, and how they are written.
use super::*;
use crate::config::{Sources, check, load};

#[test]
fn settings_that_cannot_work_are_refused_with_what_to_write() {
    let ok = BreakerConfig::default;
    let open = OpenConfig::default;
    let open_with = |change: fn(&mut OpenConfig)| {
        let mut config = open();
        change(&mut config);
        ok().open(config)
    };
    for (config, problem) in [
        (
            ok().window(WindowConfig::Calls(0)),
            "window: a window of 0 calls",
        ),
        (ok().window(WindowConfig::Calls(1_000_001)), "window"),
        (
            ok().window(WindowConfig::Time(Duration::from_millis(99))),
            "window",
        ),
        (ok().window(WindowConfig::Time(seconds(86_401.0))), "window"),
        (
            ok().window(WindowConfig::Calls(19)),
            "minimum_calls: a window of 19 calls never holds so many; write at most 19",
        ),
        (ok().minimum_calls(0), "minimum_calls"),
        (
            ok().failure_rate(0.0),
            "failure_rate: is no share of calls; write a number above 0 and up to 1",
        ),
        (ok().failure_rate(50.0), "failure_rate"),
        (ok().failure_rate(f64::NAN), "failure_rate"),
        (ok().slow_calls(1.1, seconds(1.0)), "slow_call_rate"),
        (ok().slow_calls(0.5, Duration::ZERO), "slow_call_duration"),
        (ok().consecutive_failures(0), "consecutive_failures"),
        (
            ok().failure_rate(None),
            "nothing would ever open the circuit",
        ),
        (ok().half_open_calls(0), "half_open_calls"),
        (ok().half_open_calls(256), "half_open_calls"),
        (open_with(|c| c.duration = Duration::ZERO), "open.duration"),
        (open_with(|c| c.max = seconds(4.0)), "open.max: is shorter"),
        (
            open_with(|c| c.max = seconds(86_401.0)),
            "open.max: is longer",
        ),
        (open_with(|c| c.factor = 0.5), "open.factor"),
        (open_with(|c| c.factor = f64::INFINITY), "open.factor"),
        (open_with(|c| c.jitter = 1.5), "open.jitter"),
        (open_with(|c| c.jitter = f64::NAN), "open.jitter"),
    ] {
        let problems = check(&config).unwrap_err().to_string();
        assert!(
            problems.contains(problem),
            "{problems} instead of {problem}"
        );
        // What was never validated does not panic.
        Subject::new(&config).calls(0.0, "F");
    }
    assert!(check(&ok()).is_ok());
    assert!(check(&ok().failure_rate(None).consecutive_failures(7)).is_ok());
}

#[test]
fn settings_are_written_as_people_say_them() {
    let yaml = "breaker:\n  window:\n    time: 30s\n  failure_rate: null\n  consecutive_failures: 7\n  mode: metrics_only\n  \
                open:\n    duration: 1s\n    jitter: 0\n";
    let mut loaded = load(&Sources::new().embedded_app("app.yaml", yaml)).unwrap();
    let read: BreakerConfig = loaded.section("breaker");
    loaded.finish().unwrap();
    let open = OpenConfig {
        duration: seconds(1.0),
        ..OpenConfig::default().jitter(0.0)
    };
    let expected = BreakerConfig::default()
        .window(WindowConfig::Time(seconds(30.0)))
        .failure_rate(None)
        .consecutive_failures(7)
        .mode(Mode::MetricsOnly)
        .open(open);
    assert_eq!(read, expected);
}
