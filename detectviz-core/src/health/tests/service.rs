//! Checks in the background, on a paused clock.
use crate::{
    error::BoxError,
    health::{Check, CheckConfig, Criticality, Health, HealthConfig, Status},
    task::Tasks,
    telemetry::metrics::{Registry, Value},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// What the dependency is doing.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Answers,
    Refuses,
    Hangs,
    Panics,
}

/// A dependency, and when it was asked.
#[derive(Clone)]
struct Dependency {
    mood: Arc<Mutex<Mood>>,
    asked: Arc<Mutex<Vec<Instant>>>,
}

// === impl Dependency ===

impl Dependency {
    fn new(mood: Mood) -> Self {
        Self {
            mood: Arc::new(Mutex::new(mood)),
            asked: Arc::default(),
        }
    }

    fn turns(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn asked(&self) -> Vec<Instant> {
        self.asked.lock().unwrap().clone()
    }

    fn arc(&self) -> Arc<dyn Check> {
        Arc::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Check for Dependency {
    async fn check(&self) -> Result<(), BoxError> {
        self.asked.lock().unwrap().push(Instant::now());
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Answers => Ok(()),
            Mood::Refuses => Err("connection refused".into()),
            Mood::Hangs => std::future::pending().await,
            Mood::Panics => panic!("on purpose"),
        }
    }
}

const INTERVAL: Duration = Duration::from_secs(5);

fn health() -> Health {
    let health = Health::new(&HealthConfig::default(), &Tasks::new(), &Registry::new());
    health.started();
    health
}

/// How long it takes until readiness is `wanted`.
async fn until_ready_is(health: &Health, wanted: bool) -> Duration {
    let begun = Instant::now();
    let mut changes = health.ready_changes();
    let reached = timeout(
        Duration::from_secs(60),
        changes.wait_for(|ready| *ready == wanted),
    )
    .await;
    reached.unwrap().unwrap();
    assert_eq!(health.is_ready(), wanted);
    assert_eq!(health.readiness().is_fail(), !wanted);
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn p1_readiness_fails_within_an_interval_of_a_death_and_liveness_never_does() {
    for (mood, error) in [
        (Mood::Refuses, "connection refused"),
        (Mood::Hangs, "no answer within 1s"),
        (Mood::Panics, "the check panicked: on purpose"),
    ] {
        // Deaths at many points of the interval, since the worst one counts.
        for ms in (0..6_000).step_by(170) {
            let (health, db) = (health(), Dependency::new(Mood::Answers));
            let tasks = Tasks::new();
            health.watch_progress(&tasks);
            let _registration = health.register("db", CheckConfig::default(), db.arc());
            assert!(until_ready_is(&health, true).await < Duration::from_millis(100));
            sleep(Duration::from_millis(ms)).await;
            db.turns(mood);
            let seen = until_ready_is(&health, false).await;
            assert!(
                seen <= INTERVAL + Duration::from_millis(100),
                "{mood:?} at {ms}: {seen:?}"
            );
            let report = health.readiness();
            assert_eq!(report.cause.as_deref(), Some("failing: db"));
            assert_eq!(report.checks[0].error.as_deref(), Some(error));
            if ms == 0 {
                for _ in 0..300 {
                    sleep(Duration::from_secs(1)).await;
                    assert_eq!(health.liveness().status, Status::Pass);
                    assert!(!health.is_ready());
                }
            }
            db.turns(Mood::Answers);
            assert!(until_ready_is(&health, true).await <= INTERVAL);
            tasks.cancel();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_never_asks_the_dependency() {
    let (health, db) = (health(), Dependency::new(Mood::Answers));
    let _registration = health.register("db", CheckConfig::default(), db.arc());
    until_ready_is(&health, true).await;
    for _ in 0..10_000 {
        assert!(!health.readiness().is_fail());
        assert!(!health.startup().is_fail());
    }
    assert_eq!(db.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn checks_begin_when_every_part_has_started() {
    let health = Health::new(&HealthConfig::default(), &Tasks::new(), &Registry::new());
    let db = Dependency::new(Mood::Answers);
    let _registration = health.register("db", CheckConfig::default(), db.arc());
    sleep(Duration::from_secs(60)).await;
    assert_eq!(db.asked().len(), 0);
    assert_eq!(health.startup().cause.as_deref(), Some("starting"));
    health.started();
    assert_eq!(
        health.startup().cause.as_deref(),
        Some("not checked yet: db")
    );
    assert!(until_ready_is(&health, true).await < Duration::from_millis(100));
    assert_eq!(health.startup().status, Status::Pass);
}

#[tokio::test(start_paused = true)]
async fn runs_keep_their_distance_with_jitter_and_never_overlap() {
    for mood in [Mood::Answers, Mood::Hangs] {
        let (health, db) = (health(), Dependency::new(mood));
        let _registration = health.register("db", CheckConfig::default(), db.arc());
        sleep(Duration::from_secs(400)).await;
        let asked = db.asked();
        let gaps: Vec<_> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.len() >= 98, "{}", gaps.len());
        // The first gap may be anything up to the period.
        assert!(gaps[0] <= Duration::from_millis(4_001), "{:?}", gaps[0]);
        let (least, most) = (Duration::from_millis(3_600), Duration::from_millis(4_001));
        assert!(
            gaps[1..].iter().all(|gap| (least..=most).contains(gap)),
            "{gaps:?}"
        );
        assert!(gaps[1..].iter().any(|gap| *gap != gaps[1]), "no jitter");
    }
}

#[tokio::test(start_paused = true)]
async fn an_optional_check_that_fails_degrades() {
    let (health, mail) = (health(), Dependency::new(Mood::Refuses));
    let config = CheckConfig {
        criticality: Criticality::Optional,
        ..CheckConfig::default()
    };
    let _registration = health.register("mail", config, mail.arc());
    sleep(Duration::from_secs(1)).await;
    let report = health.readiness();
    assert_eq!(
        (report.status, report.cause.as_deref()),
        (Status::Degraded, Some("failing: mail"))
    );
    assert!(health.is_ready());
}

#[tokio::test(start_paused = true)]
async fn dropping_the_registration_ends_the_check_and_forgets_it() {
    let tasks = Tasks::new();
    let health = Health::new(&HealthConfig::default(), &tasks, &Registry::new());
    health.started();
    for mood in [Mood::Refuses, Mood::Hangs] {
        let db = Dependency::new(mood);
        let registration = health.register("db", CheckConfig::default(), db.arc());
        assert_eq!(registration.name(), "db");
        sleep(Duration::from_millis(500)).await;
        assert!(!health.is_ready());
        drop(registration);
        assert!(health.is_ready() && health.readiness().checks.is_empty());
        tasks.join(Duration::from_millis(100)).await.unwrap();
        let asked = db.asked().len();
        sleep(INTERVAL * 3).await;
        assert_eq!(db.asked().len(), asked);
    }
}

#[tokio::test(start_paused = true)]
async fn results_are_measured_for_as_long_as_the_check_is_registered() {
    let (metrics, db) = (Registry::new(), Dependency::new(Mood::Answers));
    let health = Health::new(&HealthConfig::default(), &Tasks::new(), &metrics);
    let gauge = |name: &str, labels: &[&str]| match metrics.snapshot().value(name, labels) {
        Some(Value::Gauge(value)) => Some(*value),
        _ => None,
    };
    let status = || gauge("detectviz_health_check_status", &["db"]);
    let ready = || gauge("detectviz_health_ready", &[]);
    let runs = || match metrics
        .snapshot()
        .value("detectviz_health_check_duration_seconds", &["db"])
    {
        Some(Value::Histogram(durations)) => durations.count,
        _ => 0,
    };
    assert_eq!((status(), ready()), (None, Some(0.0)));
    health.started();
    assert_eq!(ready(), Some(1.0));
    let registration = health.register("db", CheckConfig::default(), db.arc());
    assert_eq!((status(), ready()), (Some(0.0), Some(0.0)));
    until_ready_is(&health, true).await;
    assert_eq!((status(), ready(), runs()), (Some(1.0), Some(1.0), 1));
    db.turns(Mood::Refuses);
    until_ready_is(&health, false).await;
    assert_eq!((status(), ready()), (Some(0.0), Some(0.0)));
    assert!(runs() >= 2);
    drop(registration);
    assert_eq!((status(), ready(), runs()), (None, Some(1.0), 0));
}

#[tokio::test(start_paused = true)]
async fn checks_end_with_their_tasks() {
    let tasks = Tasks::new();
    let health = Health::new(&HealthConfig::default(), &tasks, &Registry::new());
    health.started();
    health.watch_progress(&tasks);
    let _hangs = health.register(
        "hangs",
        CheckConfig::default(),
        Dependency::new(Mood::Hangs).arc(),
    );
    let _answers = health.register(
        "answers",
        CheckConfig::default(),
        Dependency::new(Mood::Answers).arc(),
    );
    sleep(Duration::from_millis(10)).await;
    tasks.cancel();
    tasks.join(Duration::from_millis(100)).await.unwrap();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(
        health.liveness().status,
        Status::Pass,
        "what is no longer watched has not stalled"
    );
}

#[tokio::test(start_paused = true)]
async fn of_several_watches_one_ticks_and_the_next_takes_its_place() {
    let (health, sets) = (health(), [Tasks::new(), Tasks::new(), Tasks::new()]);
    for tasks in &sets {
        health.watch_progress(tasks);
    }
    for tasks in &sets {
        sleep(Duration::from_secs(60)).await;
        assert_eq!(health.liveness().status, Status::Pass);
        tasks.cancel();
        tasks.join(Duration::from_millis(100)).await.unwrap();
    }
    // One that never comes to tick leaves nothing behind.
    health.watch_progress(&sets[0]);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(health.liveness().status, Status::Pass);
}
