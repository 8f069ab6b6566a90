//! What blocks a thread, with real threads.
use crate::{
    error::BoxError,
    health::{Check, CheckConfig, Health, HealthConfig, Status},
    task::Tasks,
    telemetry::metrics::Registry,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};

/// Passes until it is told to block its thread; then it does, until the sender is dropped.
struct Blocks {
    block: AtomicBool,
    blocked: AtomicU32,
    gate: Mutex<mpsc::Receiver<()>>,
}

#[async_trait::async_trait]
impl Check for Blocks {
    async fn check(&self) -> Result<(), BoxError> {
        if self.block.load(Ordering::Relaxed) {
            self.blocked.fetch_add(1, Ordering::Relaxed);
            let gate = self.gate.lock().unwrap();
            // Not for ever, so that a test that fails also ends.
            let _opened = gate.recv_timeout(PATIENCE);
        }
        Ok(())
    }
}

/// Longer than everything that the tests wait for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A runtime with a single worker, which is the hardest case.
fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn a_check_that_blocks_delays_no_probe_and_no_task_and_fails() {
    let runtime = runtime();
    let (open, gate) = mpsc::channel::<()>();
    let check = Arc::new(Blocks {
        block: AtomicBool::new(false),
        blocked: AtomicU32::new(0),
        gate: Mutex::new(gate),
    });
    let config = CheckConfig {
        timeout: Duration::from_millis(250),
        interval: Duration::from_millis(300),
        ..CheckConfig::default()
    };
    let tasks = Tasks::new();
    let health = Health::new(&HealthConfig::default(), &tasks, &Registry::new());
    health.started();
    let (probed, seen) = (health.clone(), Arc::clone(&check));
    // In a task, so that it needs the one worker.
    let probing = tasks.child();
    let watching = runtime.handle().clone();
    let registration = runtime.block_on(async {
        let registration = health.register("db", config, check.clone());
        let mut changes = probed.ready_changes();
        let probe = probing.spawn("probe", async move {
            changes.wait_for(|ready| *ready).await.unwrap();
            seen.block.store(true, Ordering::Relaxed);
            changes.wait_for(|ready| !*ready).await.unwrap();
            let mut slowest = Duration::ZERO;
            for _ in 0..1_000 {
                let begun = Instant::now();
                let report = probed.readiness();
                slowest = slowest.max(begun.elapsed());
                assert_eq!(report.status, Status::Fail);
                tokio::task::yield_now().await;
            }
            // Long enough for another run, if there were one.
            let mut report = probed.readiness();
            while report.checks[0].age_ms < Some(150) {
                tokio::task::yield_now().await;
                report = probed.readiness();
            }
            (slowest, report)
        });
        let (slowest, report) = tokio::time::timeout(Duration::from_secs(10), probe)
            .await
            .unwrap()
            .unwrap();
        assert!(slowest < Duration::from_secs(1), "{slowest:?}");
        let error = report.checks[0].error.clone().unwrap();
        assert!(
            error.starts_with("no answer within 250ms") || error.starts_with("stale"),
            "{error}"
        );
        assert_eq!(
            check.blocked.load(Ordering::Relaxed),
            1,
            "a run that has not returned is not run again"
        );
        registration
    });
    drop(open);
    drop(registration);
    watching
        .block_on(tasks.join(Duration::from_secs(10)))
        .unwrap();
}

#[test]
fn a_stalled_runtime_fails_liveness_on_another_thread_and_recovers() {
    let runtime = runtime();
    let tasks = Tasks::new();
    let config = HealthConfig {
        stall_after: Duration::from_millis(400),
    };
    let health = Health::new(&config, &tasks, &Registry::new());
    let (open, gate) = mpsc::channel::<()>();
    {
        let _entered = runtime.enter();
        health.watch_progress(&tasks);
        assert_eq!(health.liveness().status, Status::Pass);
        tasks.spawn("blocks", async move { gate.recv().ok() });
    }
    let begun = Instant::now();
    let patience = begun + PATIENCE;
    let until = |wanted: Status| {
        while health.liveness().status != wanted {
            assert!(
                Instant::now() < patience,
                "liveness does not become {wanted:?}"
            );
            std::thread::yield_now();
        }
    };
    until(Status::Fail);
    assert!(begun.elapsed() >= Duration::from_millis(350));
    let cause = health.liveness().cause.unwrap();
    assert!(
        cause.starts_with("stalled: the runtime has made no progress for"),
        "{cause}"
    );
    drop(open);
    until(Status::Pass);
    tasks.cancel();
}
