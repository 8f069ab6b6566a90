//! What the probes answer, by tables.
use crate::health::{
    CheckConfig, Criticality, HealthConfig, Report, Status,
    state::{CheckState, HealthState},
};
use std::time::{Duration, Instant};

const MS: Duration = Duration::from_millis(1);

fn thresholds(failure: u32, success: u32) -> CheckConfig {
    CheckConfig {
        failure_threshold: failure,
        success_threshold: success,
        ..CheckConfig::default()
    }
}

fn of(criticality: Criticality) -> CheckConfig {
    CheckConfig {
        criticality,
        ..CheckConfig::default()
    }
}

fn error() -> Option<String> {
    Some("refused".to_owned())
}

#[test]
fn a_check_changes_after_as_many_results_in_a_row_as_its_threshold_says() {
    // `+` is a success, `-` a failure; below, whether the check passes after each.
    for (failure, success, results, passes) in [
        (1, 1, "+-+-", "+-+-"),
        (1, 1, "-+", "-+"),
        (3, 1, "+--+---+", "++++++-+"),
        (1, 2, "+++-+-++", "-++----+"),
        (2, 3, "+++-+--+++", "--++++---+"),
    ] {
        let now = Instant::now();
        let mut state = CheckState::new(&thresholds(failure, success));
        assert!(!state.passes(now), "nothing passes before its first result");
        let seen: String = results
            .chars()
            .map(|result| {
                state.record(now, MS, (result == '-').then(|| "refused".to_owned()));
                if state.passes(now) { '+' } else { '-' }
            })
            .collect();
        assert_eq!(seen, passes, "{failure} {success} {results}");
    }
}

#[test]
fn a_stale_result_counts_as_a_failure_until_a_fresh_one_comes() {
    let begun = Instant::now();
    let mut state = HealthState::default();
    state.started();
    let (key, _) = state.register("db", &CheckConfig::default());
    state.record(key, begun, MS, None);
    let at = |seconds| begun + Duration::from_secs(seconds);
    for (seconds, ready) in [(0, true), (10, true), (11, false), (3_600, false)] {
        assert_eq!(state.is_ready(at(seconds)), ready, "{seconds}");
    }
    let stale = state.readiness(at(11));
    assert_eq!(stale.cause.as_deref(), Some("failing: db"));
    assert_eq!(
        stale.checks[0].error.as_deref(),
        Some("stale: the last result is older than 10000 ms")
    );
    assert_eq!(stale.checks[0].age_ms, Some(11_000));
    state.record(key, at(12), MS, None);
    assert!(state.is_ready(at(12)));
}

#[test]
fn readiness_follows_life_first_and_then_critical_and_optional_checks() {
    use Criticality::{Critical, Optional};
    let verdict = |report: Report| (report.status, report.cause.unwrap_or_default());
    for (started, ending, checks, expected) in [
        (false, false, vec![], (Status::Fail, "starting")),
        (false, true, vec![], (Status::Fail, "shutting down")),
        (true, false, vec![], (Status::Pass, "")),
        (
            true,
            true,
            vec![(Critical, true)],
            (Status::Fail, "shutting down"),
        ),
        (
            true,
            false,
            vec![(Critical, true), (Optional, true)],
            (Status::Pass, ""),
        ),
        (
            true,
            false,
            vec![(Critical, true), (Optional, false)],
            (Status::Degraded, "failing: check-2"),
        ),
        (
            true,
            false,
            vec![(Critical, false), (Optional, false)],
            (Status::Fail, "failing: check"),
        ),
        (
            true,
            false,
            vec![(Critical, false), (Critical, false)],
            (Status::Fail, "failing: check, check-2"),
        ),
    ] {
        let now = Instant::now();
        let mut state = HealthState::default();
        for (criticality, passes) in &checks {
            let (key, _) = state.register("check", &of(*criticality));
            state.record(key, now, MS, if *passes { None } else { error() });
        }
        if started {
            state.started();
        }
        if ending {
            state.shutting_down();
        }
        let report = state.readiness(now);
        assert_eq!(report.checks.len(), checks.len());
        assert_eq!(state.is_ready(now), !report.is_fail());
        assert_eq!(
            verdict(report),
            (expected.0, expected.1.to_owned()),
            "{started} {ending} {checks:?}"
        );
    }
}

#[test]
fn startup_waits_for_a_first_result_good_or_bad_and_stays_complete() {
    let now = Instant::now();
    let mut state = HealthState::default();
    state.expect(["server".to_owned()]);
    let (db, _) = state.register("db", &CheckConfig::default());
    state.register("mail", &of(Criticality::Optional));
    assert_eq!(state.startup().cause.as_deref(), Some("starting: server"));
    state.part_started("server");
    state.started();
    assert_eq!(
        state.startup().cause.as_deref(),
        Some("not checked yet: db")
    );
    assert!(!state.is_ready(now));
    state.record(db, now, MS, error());
    assert_eq!(state.startup().status, Status::Pass);
    assert!(!state.is_ready(now), "it started, and it is not ready");
    state.register("late", &CheckConfig::default());
    assert_eq!(
        state.startup().status,
        Status::Pass,
        "once started, always started"
    );
}

#[test]
fn a_name_that_is_taken_gets_a_number_and_comes_free_again() {
    let mut state = HealthState::default();
    let config = CheckConfig::default();
    let names: Vec<_> = (0..3).map(|_| state.register("db", &config)).collect();
    assert_eq!(
        names
            .iter()
            .map(|(_, name)| name.as_str())
            .collect::<Vec<_>>(),
        ["db", "db-2", "db-3"]
    );
    state.unregister(names[0].0);
    assert_eq!(state.register("db", &config).1, "db");
    assert_eq!(
        state.record(names[0].0, Instant::now(), MS, None),
        None,
        "a late result of a check that is gone"
    );
}

#[test]
fn a_forgiven_failure_is_still_shown() {
    let now = Instant::now();
    let mut state = HealthState::default();
    state.started();
    let (key, _) = state.register("db", &thresholds(3, 1));
    state.record(key, now, MS, None);
    state.record(key, now, MS, error());
    let report = state.readiness(now);
    assert_eq!(report.status, Status::Pass);
    assert_eq!(report.checks[0].error.as_deref(), Some("refused"));
}

#[test]
fn config_mistakes_are_named() {
    let keys = |config: CheckConfig| {
        let problems = config.problems();
        problems
            .into_iter()
            .map(|(key, ..)| key)
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(CheckConfig::default()), [""; 0]);
    assert_eq!(
        keys(thresholds(0, 0)),
        ["failure_threshold", "success_threshold"]
    );
    let mut config = CheckConfig::default();
    config.timeout = config.interval;
    assert_eq!(keys(config.clone()), ["interval"]);
    config.timeout = Duration::ZERO;
    assert_eq!(keys(config), ["timeout"]);
    let mut config = HealthConfig::default();
    assert_eq!(config.problems(), []);
    config.stall_after = Duration::from_millis(999);
    assert_eq!(config.problems().len(), 1);
}
