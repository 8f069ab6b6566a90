use super::{state::State, *};
use crate::task::Tasks;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tracing::{Level, level_filters::LevelFilter};

const TTL: Duration = Duration::from_secs(300);

fn parse(text: &str) -> Directives {
    text.parse().unwrap()
}

fn live(directives: &str, tasks: &Tasks) -> (Levels, Arc<Mutex<Vec<String>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = told.clone();
    let changed = move |change| log.lock().unwrap().push(format!("{change:?}"));
    (
        Levels::new(parse(directives), Some(tasks.clone()), changed),
        told,
    )
}

#[test]
fn the_longest_name_that_fits_decides() {
    let directives = parse("info, sqlx=warn,my_crate::db=debug,my_crate=off,b=TRACE");
    for (target, most) in [
        ("other", Level::INFO),
        ("", Level::INFO),
        ("sqlx", Level::WARN),
        ("sqlx::query", Level::WARN),
        ("my_crate::db", Level::DEBUG),
        ("my_crate::db::pool", Level::DEBUG),
        ("b", Level::TRACE),
    ] {
        for level in [
            Level::ERROR,
            Level::WARN,
            Level::INFO,
            Level::DEBUG,
            Level::TRACE,
        ] {
            assert_eq!(
                directives.enabled(level, target),
                level <= most,
                "{target} {level}"
            );
        }
    }
    assert!(!directives.enabled(Level::ERROR, "my_crate::web"));
    assert_eq!(directives.max(), LevelFilter::TRACE);
    assert_eq!(parse("sqlx=warn").max(), LevelFilter::INFO);
    assert_eq!(parse("x=debug").to_string(), "info,x=debug");
}

#[test]
fn wrong_directives_are_named() {
    for (text, named) in [
        ("", "`` is not a level"),
        ("loud", "`loud` is not a level"),
        ("info,", "`` is not a level"),
        ("a=", "`` is not a level"),
        ("a=\u{1b}", "`\\u{1b}` is not a level"),
        ("=info", "`=info` names no target"),
        ("a b=info", "`a b=info` names no target"),
        ("info,warn", "`warn` is a second level"),
        ("a=info,a=warn", "`a` is named twice"),
    ] {
        let err = text.parse::<Directives>().unwrap_err().to_string();
        assert!(err.starts_with(named), "{text}: {err}");
    }
}

#[test]
fn an_override_lies_on_top_until_its_time_has_come() {
    let now = Instant::now();
    let mut state = State::new(parse("info,sqlx=warn"));
    let until = state
        .override_for(parse("debug,x=trace"), TTL, now)
        .unwrap();
    assert_eq!(state.effective(), parse("debug,sqlx=warn,x=trace"));
    state.set(parse("error,sqlx=off"));
    assert_eq!(state.effective(), parse("debug,sqlx=off,x=trace"));
    assert!(!state.expire(until.checked_sub(Duration::from_nanos(1)).unwrap()));
    assert!(state.expire(until));
    assert!(!state.expire(until));
    assert_eq!(state.effective(), parse("error,sqlx=off"));
}

#[test]
fn a_time_to_live_is_from_a_second_to_an_hour() {
    let mut state = State::new(parse("info"));
    for (ttl, ok) in [
        (0, false),
        (999, false),
        (1000, true),
        (3_600_000, true),
        (3_600_001, false),
    ] {
        let result = state.override_for(parse("debug"), Duration::from_millis(ttl), Instant::now());
        assert_eq!(result.is_ok(), ok, "{ttl} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn the_old_level_comes_back_by_itself_and_both_changes_are_told() {
    let tasks = Tasks::new();
    let (levels, told) = live("info", &tasks);
    levels.override_for("debug", TTL).unwrap();
    assert!(levels.enabled(Level::DEBUG, "x"));
    tokio::time::sleep(TTL - Duration::from_secs(1)).await;
    assert_eq!(levels.overridden().unwrap().1, Duration::from_secs(1));
    assert!(levels.enabled(Level::DEBUG, "x"));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!levels.enabled(Level::DEBUG, "x"));
    assert!(levels.overridden().is_none());
    let told = told.lock().unwrap().clone();
    assert_eq!(
        told,
        [
            "Overridden { level: \"debug\", ttl: 300s }",
            "Restored { level: \"info\" }"
        ]
    );
    tasks.join(Duration::from_secs(1)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_later_override_is_not_ended_by_an_earlier_one() {
    let tasks = Tasks::new();
    let (levels, _) = live("info", &tasks);
    levels
        .override_for("debug", Duration::from_secs(10))
        .unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    levels
        .override_for("trace", Duration::from_secs(10))
        .unwrap();
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert!(levels.enabled(Level::TRACE, "x"));
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(!levels.enabled(Level::DEBUG, "x"));
}

#[tokio::test(start_paused = true)]
async fn levels_are_set_restored_and_refused() {
    let tasks = Tasks::new();
    let (levels, told) = live("info", &tasks);
    levels.set("info").unwrap();
    levels.set("warn,x=trace").unwrap();
    assert!(levels.enabled(Level::TRACE, "x") && !levels.enabled(Level::INFO, "y"));
    assert!(levels.set("loud").is_err());
    levels.override_for("y=info", TTL).unwrap();
    levels.restore();
    levels.restore();
    assert!(!levels.enabled(Level::INFO, "y"));
    assert_eq!(told.lock().unwrap().len(), 3);
}

#[test]
fn an_override_that_nobody_would_end_is_refused() {
    let (levels, _) = live("info", &Tasks::new());
    assert!(levels.override_for("debug", TTL).is_err());
    assert!(!levels.enabled(Level::DEBUG, "x"));
}
