//! How parts start, and what happens when they do not.
use super::*;
use crate::{
    error::{Error, ErrorKind, cause_ref},
    health::Status,
};

#[tokio::test(start_paused = true)]
async fn parts_that_do_not_wait_for_each_other_start_at_the_same_time() {
    let journal = Journal::new();
    let slow = |name| journal.part(name).on_start(Act::After(1_000)).arc();
    let (lifecycle, health) = lifecycle();
    let lifecycle = lifecycle
        .add("server", ["db", "cache"], slow("server"))
        .add("db", ["secrets"], slow("db"))
        .add("cache", ["secrets"], slow("cache"))
        .add("secrets", NONE, slow("secrets"));
    let phase = lifecycle.phase();
    let (_sender, mut signals) = Signals::manual();
    let running = lifecycle.start(&mut signals).await.unwrap();
    let begins =
        ["secrets", "db", "cache", "server"].map(|name| journal.at(&format!("{name} start")));
    assert_eq!(begins, [0, 1_000, 1_000, 2_000]);
    assert_eq!(journal.ms(), 3_000);
    assert_eq!(phase.current(), Phase::Serving);
    assert!(health.is_ready());
    assert!(running.shutdown(&mut signals).await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn readiness_names_what_has_not_started() {
    let journal = Journal::new();
    let (lifecycle, health) = lifecycle();
    let lifecycle = lifecycle
        .add(
            "db",
            NONE,
            journal.part("db").on_start(Act::After(100)).arc(),
        )
        .add(
            "server",
            ["db"],
            journal.part("server").on_start(Act::Never).arc(),
        );
    let (_sender, mut signals) = Signals::manual();
    let starting = tokio::time::timeout(seconds(1), lifecycle.start(&mut signals));
    let probe = async {
        sleep(Duration::from_millis(50)).await;
        let before = health.readiness().cause;
        sleep(Duration::from_millis(100)).await;
        (before, health.startup().cause, health.liveness().status)
    };
    let (starting, (before, after, live)) = tokio::join!(starting, probe);
    assert!(starting.is_err());
    assert_eq!(before.as_deref(), Some("starting: db, server"));
    assert_eq!(after.as_deref(), Some("starting: server"));
    assert_eq!(live, Status::Pass);
}

#[tokio::test(start_paused = true)]
async fn a_failing_start_stops_what_was_started_in_reverse() {
    let journal = Journal::new();
    let (lifecycle, health) = lifecycle();
    let lifecycle = lifecycle
        .add("db", NONE, journal.part("db").arc())
        .add("cache", ["db"], journal.part("cache").arc())
        .add(
            "server",
            ["cache"],
            journal.part("server").on_start(Act::Fail).arc(),
        )
        .add("last", ["server"], journal.part("last").arc());
    let (outcome, took) = run(lifecycle, &[]).await;
    assert_eq!(
        journal.lines(),
        [
            "db start",
            "db start done",
            "cache start",
            "cache start done",
            "server start",
            "cache drain",
            "cache drain done",
            "db drain",
            "db drain done",
            "server stop",
            "server stop done",
            "cache stop",
            "cache stop done",
            "db stop",
            "db stop done",
        ]
    );
    assert_eq!((outcome.exit_code(), took), (69, 0));
    assert_eq!(outcome.to_string(), "`server` did not start");
    let cause = cause_ref::<std::io::Error>(outcome.error().unwrap()).unwrap();
    assert_eq!(cause.to_string(), "refused");
    assert!(!health.is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_part_that_is_starting_when_another_fails_is_dropped_and_stopped() {
    let journal = Journal::new();
    let (lifecycle, _) = lifecycle();
    let lifecycle = lifecycle
        .add(
            "slow",
            NONE,
            journal.part("slow").on_start(Act::After(60_000)).arc(),
        )
        .add("bad", NONE, journal.part("bad").on_start(Act::Fail).arc());
    let (outcome, took) = run(lifecycle, &[]).await;
    assert_eq!(outcome.exit_code(), 69);
    assert!(took < 100, "{took}");
    let lines = journal.lines();
    assert!(lines.contains(&"slow stop".to_owned()));
    assert!(
        !lines.contains(&"slow drain".to_owned()),
        "it never started: {lines:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_start_keeps_the_kind_of_its_error() {
    struct Misconfigured;

    #[async_trait::async_trait]
    impl Component for Misconfigured {
        async fn start(&self) -> Result<(), BoxError> {
            Err(Error::new(ErrorKind::Config, "no such zone").into())
        }
    }

    let (lifecycle, _) = lifecycle();
    let (outcome, _) = run(lifecycle.add("dns", NONE, Arc::new(Misconfigured)), &[]).await;
    assert_eq!(outcome.exit_code(), 64);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_start_is_contained_and_named() {
    let journal = Journal::new();
    let (lifecycle, _) = lifecycle();
    let lifecycle = lifecycle.add("db", NONE, journal.part("db").arc()).add(
        "server",
        ["db"],
        journal.part("server").on_start(Act::Panic).arc(),
    );
    let (outcome, _) = run(lifecycle, &[]).await;
    assert_eq!(outcome.exit_code(), 70);
    assert_eq!(
        outcome.to_string(),
        "`server` did not start: it panicked: on purpose"
    );
    journal.at("db stop done");
}

#[tokio::test(start_paused = true)]
async fn a_signal_while_starting_is_a_clean_end() {
    let journal = Journal::new();
    let (lifecycle, _) = lifecycle();
    let lifecycle = lifecycle
        .in_kubernetes(true)
        .add("db", NONE, journal.part("db").arc())
        .add(
            "server",
            ["db"],
            journal.part("server").on_start(Act::Never).arc(),
        )
        .add_hook("leave", seconds(1), || async {
            Err("it never joined".into())
        });
    let (outcome, took) = run(lifecycle, &[500]).await;
    assert_eq!(outcome.exit_code(), 0);
    assert!(took < 600, "no traffic, so no pre-stop time: {took}");
    assert_eq!(outcome.troubles(), [""; 0], "the hook did not run");
    assert_eq!(journal.at("db stop done"), took.min(510));
}

#[tokio::test(start_paused = true)]
async fn mistakes_in_order_and_budget_are_named_before_anything_starts() {
    let journal = Journal::new();
    let config = ShutdownConfig {
        drain: seconds(20),
        ..ShutdownConfig::default()
    };
    let lifecycle = Lifecycle::new(config, &Tasks::new())
        .add("a", ["b"], journal.part("a").arc())
        .add("b", ["a", "c"], journal.part("b").arc());
    assert_eq!(
        lifecycle.check().unwrap_err().to_string(),
        "`b` starts after `c`, which does not exist: add it or take it out of `after` (there are: a, b); \
         parts wait for each other: a starts after b, which starts after a: take one of them out of `after`; \
         shutdown.grace is 28s, but pre_stop 5s + drain 20s + hooks 4s + stop 2s + flush 2s take 33s: \
         shorten a share, or raise grace to `33s` and terminationGracePeriodSeconds with it"
    );
    let (outcome, _) = run(lifecycle, &[]).await;
    assert_eq!(outcome.exit_code(), 64);
    assert_eq!(journal.lines(), [""; 0]);
}

#[tokio::test]
async fn a_watchdog_is_no_task_that_the_end_waits_for() {
    let tasks = Tasks::new();
    let lifecycle = Lifecycle::new(ShutdownConfig::default(), &tasks).with_watchdog();
    let (sender, signals) = Signals::manual();
    sender.send(Signal::Terminate);
    let outcome = lifecycle.run(signals).await;
    assert!(
        outcome.is_clean() && outcome.stuck().is_empty(),
        "{outcome:?}"
    );
    assert!(tasks.is_empty());
}
