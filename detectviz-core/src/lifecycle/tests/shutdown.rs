//! The way down.
use super::*;
use crate::{
    error::{Error, ErrorKind},
    health::Status,
};

#[tokio::test(start_paused = true)]
async fn dr1_readiness_fails_at_once_and_work_is_accepted_until_the_pre_stop_time_ends() {
    let journal = Journal::new();
    let (lifecycle, health) = lifecycle();
    let lifecycle = lifecycle.in_kubernetes(true).add(
        "server",
        NONE,
        journal.part("server").on_drain(Act::After(300)).arc(),
    );
    let phase = lifecycle.phase();
    let watch = async {
        sleep(Duration::from_millis(1_000)).await;
        assert!(health.is_ready() && !phase.is_ending());
        sleep(Duration::from_millis(100)).await;
        assert!(!health.is_ready());
        let ready = health.readiness();
        assert_eq!(
            (ready.status, ready.cause.as_deref()),
            (Status::Fail, Some("shutting down"))
        );
        let until = phase.drain_until().unwrap() - Instant::now().into_std();
        assert_eq!(until, Duration::from_millis(5_000 + 15_000 - 100));
        for _ in 0..48 {
            assert_eq!(phase.current(), Phase::PreStop, "{}", journal.ms());
            assert_eq!(health.liveness().status, Status::Pass);
            sleep(Duration::from_millis(100)).await;
        }
        phase.reached(Phase::Draining).await;
        assert_eq!(journal.ms(), 6_000);
        phase.reached(Phase::Stopped).await;
        assert_eq!(health.liveness().status, Status::Pass);
    };
    let ((outcome, took), ()) = tokio::join!(run(lifecycle, &[1_000]), watch);
    assert!(outcome.is_clean(), "{outcome:?}");
    assert_eq!(journal.at("server drain"), 6_000);
    assert_eq!(took, 6_300);
}

#[tokio::test(start_paused = true)]
async fn dr6_work_is_drained_then_hooks_run_then_telemetry_is_flushed_then_pools_close() {
    let journal = Journal::new();
    let (lifecycle, _) = lifecycle();
    let (hooked, flushed) = (journal.clone(), journal.clone());
    let lifecycle = lifecycle
        .add("pool", NONE, journal.part("pool").arc())
        .add(
            "consumer",
            ["pool"],
            journal.part("consumer").on_drain(Act::After(200)).arc(),
        )
        .add(
            "server",
            ["consumer"],
            journal.part("server").on_drain(Act::After(100)).arc(),
        )
        .add_hook("outbox", seconds(1), move || async move {
            hooked.write("outbox");
            Ok(())
        })
        .with_flush(move |_| {
            flushed.write("flush");
            async {}
        });
    let (outcome, took) = run(lifecycle, &[0]).await;
    assert!(outcome.is_clean(), "{outcome:?}");
    let lines = journal.lines();
    let down = lines
        .iter()
        .position(|line| line == "server drain")
        .unwrap();
    let down: Vec<_> = lines[down..]
        .iter()
        .filter(|line| !line.ends_with("done"))
        .collect();
    assert_eq!(
        down,
        [
            "server drain",
            "consumer drain",
            "pool drain",
            "outbox",
            "flush",
            "server stop",
            "consumer stop",
            "pool stop",
            "flush",
        ]
    );
    assert_eq!(took, 300);
    let steps: Vec<_> = outcome.steps().iter().map(|(step, _)| *step).collect();
    assert_eq!(
        steps,
        [
            Step::PreStop,
            Step::Drain,
            Step::Hooks,
            Step::Flush,
            Step::Stop,
            Step::LastFlush,
            Step::Join
        ]
    );
    assert_eq!(outcome.steps()[1].1, Duration::from_millis(300));
}

#[tokio::test(start_paused = true)]
async fn dr6_a_hook_that_hangs_is_cut_at_its_own_timeout_and_the_rest_still_run() {
    let journal = Journal::new();
    let (lifecycle, _) = lifecycle();
    let (slow, flushed) = (journal.clone(), journal.clone());
    let lifecycle = lifecycle
        .add("pool", NONE, journal.part("pool").arc())
        .add_hook("hangs", Duration::from_millis(700), std::future::pending)
        .add_hook("panics", seconds(1), || async { panic!("on purpose") })
        .add_hook("fails", seconds(1), || async { Err("refused".into()) })
        .add_hook("leave", seconds(1), move || async move {
            sleep(Duration::from_millis(100)).await;
            slow.write("left");
            Ok(())
        })
        .with_flush(move |within| {
            assert!(within <= seconds(2));
            flushed.write("flush");
            async {}
        });
    let (outcome, took) = run(lifecycle, &[0]).await;
    assert_eq!(
        (
            journal.at("left"),
            journal.at("flush"),
            journal.at("pool stop")
        ),
        (100, 700, 700)
    );
    assert_eq!((outcome.exit_code(), took), (75, 700));
    assert_eq!(outcome.cut(), ["hangs"]);
    assert_eq!(
        outcome.troubles(),
        [
            "hook `panics` panicked: on purpose",
            "hook `fails` failed: refused"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_never_ends_is_cut_at_its_share_and_named() {
    let journal = Journal::new();
    let (lifecycle, _) = lifecycle();
    let lifecycle = lifecycle
        .add("pool", NONE, journal.part("pool").arc())
        .add(
            "server",
            ["pool"],
            journal.part("server").on_drain(Act::Never).arc(),
        )
        .add(
            "other",
            NONE,
            journal.part("other").on_drain(Act::After(14_000)).arc(),
        );
    let (outcome, took) = run(lifecycle, &[0]).await;
    assert_eq!(outcome.exit_code(), 75);
    assert_eq!(
        outcome.cut(),
        ["pool", "server"],
        "the pool still waited for the server"
    );
    assert_eq!(outcome.to_string(), "still in flight: pool, server");
    assert_eq!(journal.at("server stop"), took);
    assert_eq!(took, 15_000);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_says_it_missed_the_deadline_counts_as_cut() {
    struct Server;

    #[async_trait::async_trait]
    impl Component for Server {
        async fn drain(&self) -> Result<(), BoxError> {
            Err(Error::new(ErrorKind::DrainDeadline, "2 requests were cut").into())
        }
    }

    let (lifecycle, _) = lifecycle();
    let (outcome, _) = run(lifecycle.add("server", NONE, Arc::new(Server)), &[0]).await;
    assert_eq!(
        (outcome.exit_code(), outcome.cut()),
        (75, &["server".to_owned()][..])
    );
}

#[tokio::test(start_paused = true)]
async fn errors_on_the_way_down_are_told_and_the_rest_still_runs() {
    let journal = Journal::new();
    let (lifecycle, _) = lifecycle();
    let lifecycle = lifecycle.add("pool", NONE, journal.part("pool").arc()).add(
        "a",
        ["pool"],
        journal
            .part("a")
            .on_drain(Act::Fail)
            .on_stop(Act::Panic)
            .arc(),
    );
    let (outcome, _) = run(lifecycle, &[0]).await;
    assert_eq!(
        outcome.troubles(),
        [
            "drain of `a` failed: refused",
            "stop of `a` panicked: on purpose"
        ]
    );
    assert_eq!(outcome.exit_code(), 0);
    journal.at("pool drain done");
    journal.at("pool stop done");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_drain_is_contained_and_ends_in_70() {
    let journal = Journal::new();
    let (lifecycle, _) = lifecycle();
    let lifecycle = lifecycle.add("pool", NONE, journal.part("pool").arc()).add(
        "a",
        ["pool"],
        journal.part("a").on_drain(Act::Panic).arc(),
    );
    let (outcome, _) = run(lifecycle, &[0]).await;
    assert_eq!(outcome.exit_code(), 70);
    assert_eq!(outcome.to_string(), "drain of `a` panicked: on purpose");
    journal.at("pool stop done");
}

#[tokio::test(start_paused = true)]
async fn a_second_signal_aborts_whatever_step_it_comes_in() {
    // Milliseconds of both signals, how the drain behaves, and what follows.
    for (signals, drain, code, latest) in [
        ([0, 1_000], Act::Done, 0, 1_200),
        ([0, 1_000], Act::Never, 75, 1_400),
        ([0, 6_000], Act::Never, 75, 6_400),
        ([0, 6_000], Act::After(2_000), 75, 6_400),
    ] {
        let journal = Journal::new();
        let (lifecycle, _) = lifecycle();
        let lifecycle = lifecycle.in_kubernetes(true).add(
            "server",
            NONE,
            journal.part("server").on_drain(drain).arc(),
        );
        let (outcome, took) = run(lifecycle, &signals).await;
        assert_eq!(outcome.exit_code(), code, "{signals:?} {drain:?}");
        assert!(
            took >= signals[1] && took <= latest,
            "{signals:?} {drain:?}: {took}"
        );
        journal.at("server stop");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_an_abort_leaves_out_is_named() {
    let (lifecycle, _) = lifecycle();
    let lifecycle = lifecycle
        .in_kubernetes(true)
        .add_hook("leave", seconds(1), || async { Ok(()) });
    let (outcome, _) = run(lifecycle, &[0, 1_000]).await;
    assert_eq!(
        (outcome.exit_code(), outcome.cut()),
        (75, &["leave".to_owned()][..])
    );
}

#[tokio::test(start_paused = true)]
async fn a_part_that_breaks_ends_the_service_in_order_with_70() {
    let journal = Journal::new();
    let (lifecycle, _) = lifecycle();
    let lifecycle = lifecycle.add("server", NONE, journal.part("server").arc());
    let failures = lifecycle.failures();
    let breaks = async {
        sleep(seconds(3)).await;
        failures.fail("server", std::io::Error::other("the listener is gone"));
    };
    let ((outcome, took), ()) = tokio::join!(run(lifecycle, &[]), breaks);
    assert_eq!((outcome.exit_code(), took), (70, 3_000));
    assert_eq!(outcome.to_string(), "`server` broke while it ran");
    journal.at("server drain done");
    journal.at("server stop done");
}

#[tokio::test(start_paused = true)]
async fn tasks_are_told_last_and_waited_for() {
    let journal = Journal::new();
    let tasks = Tasks::new();
    let (token, told) = (tasks.token(), journal.clone());
    tasks.spawn("exporter", async move {
        token.cancelled().await;
        sleep(Duration::from_millis(300)).await;
        told.write("exporter ended");
    });
    let part = journal.part("pool").on_stop(Act::After(100)).arc();
    let lifecycle = Lifecycle::new(ShutdownConfig::default(), &tasks).add("pool", NONE, part);
    let (outcome, took) = run(lifecycle, &[0]).await;
    assert_eq!((outcome.stuck().len(), took), (0, 400));
    assert_eq!(journal.at("exporter ended"), 400);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_does_not_listen_is_named_and_not_waited_for() {
    let tasks = Tasks::new();
    tasks.spawn("deaf", std::future::pending::<()>());
    let lifecycle = Lifecycle::new(ShutdownConfig::default(), &tasks);
    let (outcome, took) = run(lifecycle, &[0]).await;
    assert_eq!(outcome.stuck(), ["deaf"]);
    assert_eq!((outcome.exit_code(), took), (0, 1_000));
}

#[tokio::test(start_paused = true)]
async fn a_dead_collector_delays_the_exit_by_its_share_once() {
    let journal = Journal::new();
    let (lifecycle, _) = lifecycle();
    let lifecycle = lifecycle
        .add(
            "pool",
            NONE,
            journal.part("pool").on_stop(Act::After(1_500)).arc(),
        )
        .with_flush(|_| std::future::pending());
    let (outcome, took) = run(lifecycle, &[0]).await;
    assert_eq!(took, 3_500, "2 s of flushing, 1.5 s of closing");
    assert_eq!(outcome.troubles(), ["flush was cut", "last flush was cut"]);
    assert_eq!(outcome.exit_code(), 0);
}
