//! Limits that change while they are in use, and those who look on.
use super::*;
use detectviz_core::{
    config::{Effective, Sources, live_update, load},
    resilience::shed::ShedConfig,
};
use proptest::prelude::*;
use std::path::Path;

fn section(yaml: &str) -> (AdmissionConfig, Effective) {
    let yaml = format!("limits: {yaml}");
    let mut loaded = load(&Sources::new().embedded_app("app.yaml", &yaml)).unwrap();
    let config = loaded.section("limits");
    (config, loaded.finish().unwrap())
}

fn read(yaml: &str) -> AdmissionConfig {
    section(yaml).0
}

#[test]
fn only_what_can_change_is_said_to_be_live() {
    let running = "{deadline: {max: 9s}, trust: all, rate_limit_headers: always, concurrency: {max_concurrent: 5}, \
                   rate_limits: {api: {rate: 1/s, key: peer}}, routes: {/batch: {priority: normal}}}";
    for (old, new, applied) in [
        ("max: 9s", "max: 5s", true),
        ("max: 9s", "max: 9s, default: 1s", true),
        ("trust: all", "trust: none", true),
        ("trust: all", "trust: [10.0.0.0/8]", true),
        ("headers: always", "headers: never", true),
        (
            "max_concurrent: 5",
            "max_concurrent: 6, queue: {max_queue: 0}",
            true,
        ),
        (
            "trust: all",
            "trust: all, shed: {cpu: {threshold: 0.5}}",
            true,
        ),
        ("trust: all", "trust: all, shed: {}", true),
        ("rate: 1/s", "rate: 2/s, burst: 7", true),
        ("key: peer", "key: route", false),
        ("key: peer}", "key: peer}, web: {rate: 1/s}", false),
        ("{api: {rate: 1/s, key: peer}}", "{}", false),
        ("trust: all", "trust: all, adaptive: {}", false),
        ("priority: normal", "priority: critical", false),
        (
            "priority: normal",
            "concurrency: {max_concurrent: 1}",
            false,
        ),
    ] {
        let yaml = running.replace(old, new);
        assert_ne!(yaml, running);
        let ((old, before), (new, after)) = (section(running), section(&yaml));
        let changes = before.changes(&after);
        assert!(!changes.is_empty(), "{yaml}");
        assert_eq!(changes.pending.is_empty(), applied, "{yaml}: {changes:?}");
        let next = live_update(&old, &new).unwrap();
        assert_eq!(next == new, applied, "{yaml}: {next:?}");
        assert_eq!(next == old, !applied, "{yaml}: {next:?}");
    }
}

#[tokio::test]
async fn a_caller_keeps_what_it_owes_when_its_rate_changes() {
    let stack = stack(read("{rate_limits: {api: {rate: 4/h}}}"), &Registry::new());
    let svc = stack.service(service_fn(hello));
    let pass = async || {
        let response = svc.clone().oneshot(get("/orders/1")).await.unwrap();
        response.status() == 200
    };
    for _ in 0..3 {
        assert!(pass().await);
    }
    // Three quarters of the time of a bucket are owed: one of four is left, and none of the next two.
    let slower = read("{rate_limits: {api: {rate: 2/h}}}");
    stack.admission().reconfigure(&slower, Instant::now());
    assert!(!pass().await);
    let faster = read("{rate_limits: {api: {rate: 8/h}}}");
    stack.admission().reconfigure(&faster, Instant::now());
    assert!(pass().await);
    // What has no limit at the start gets none before the next.
    let more = read("{rate_limits: {api: {rate: 8/h}, web: {rate: 1/h}}}");
    stack.admission().reconfigure(&more, Instant::now());
    assert!(pass().await);
}

#[tokio::test(start_paused = true)]
async fn shedding_is_switched_on_and_off_while_requests_come() {
    // A machine that nothing can be read of.
    let root = Path::new("/nowhere");
    let (tasks, off) = (Tasks::new(), AdmissionConfig::default());
    let stack = stack(off.clone(), &Registry::new());
    let (admission, handle) = (stack.admission(), stack.admission().handle());
    admission.start(&tasks, root);
    assert!(admission.shedder().is_none() && tasks.is_empty());
    let on = AdmissionConfig::default().shed(ShedConfig::default());
    for _ in 0..3 {
        admission.reconfigure(&on, Instant::now());
        admission.reconfigure(&on, Instant::now());
        assert_eq!(tasks.len(), 1, "one reader, however often it is said");
        assert!(handle.snapshot(Instant::now()).shed.is_some());
        let shedder = admission.shedder().unwrap().clone();
        tokio::time::sleep(Duration::from_secs(1)).await;
        admission.reconfigure(&off, Instant::now());
        tasks_end(&tasks).await;
        assert!(admission.shedder().is_none() && !shedder.is_shedding());
        assert!(handle.snapshot(Instant::now()).shed.is_none());
    }
    admission.reconfigure(&on, Instant::now());
    tasks.cancel();
    tasks_end(&tasks).await;
}

async fn tasks_end(tasks: &Tasks) {
    tasks.join(Duration::from_secs(1)).await.unwrap();
}

#[tokio::test]
async fn who_looks_on_sees_the_limits_and_what_they_hold() {
    let config = read(
        "{concurrency: {max_concurrent: 2, queue: {max_queue: 4}}, rate_limits: {api: {rate: 100/s, key: 'header:x-key'}}, \
         routes: {/batch: {priority: sheddable, concurrency: {max_concurrent: 1}, rate_limits: {own: {rate: 9/m}}}}}",
    );
    let stack = stack(config, &Registry::new());
    let handle = stack.admission().handle();
    let svc = stack.service(service_fn(|_: Req| {
        pending::<Result<Response<Full<Bytes>>, Infallible>>()
    }));
    let calls = ["/batch", "/orders/1", "/orders/2"].map(|path| {
        let mut call = Box::pin(svc.clone().oneshot(get(path)));
        assert!(poll(call.as_mut()).is_pending());
        call
    });
    let now = tokio::time::Instant::now().into_std();
    let shown = serde_json::to_value(handle.snapshot(now)).unwrap();
    let limit = |in_flight, queued, limit| serde_json::json!({"limit": limit, "in_flight": in_flight, "queued": queued});
    assert_eq!(shown["concurrency"], limit(2, 1, 2));
    assert_eq!(shown["adaptive"], serde_json::Value::Null);
    assert_eq!(shown["shed"], serde_json::Value::Null);
    let api = serde_json::json!({"key": "header:x-key", "per_second": 100.0, "burst": 100, "keys_in_use": 1});
    assert_eq!(shown["rate_limits"]["api"], api);
    let batch = &shown["routes"]["/batch"];
    assert_eq!(batch["priority"], "sheddable");
    assert_eq!(batch["concurrency"], limit(1, 0, 1));
    assert_eq!(batch["rate_limits"]["/batch own"]["burst"], 9);
    drop(calls);
    let snapshot = handle.snapshot(now);
    assert_eq!(
        (snapshot.concurrency.in_flight, snapshot.concurrency.queued),
        (0, 0)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_permit_is_lost_or_made_while_limits_change(
        steps in proptest::collection::vec((0_u8..4, 1_u32..5), 1..60),
    ) {
        let stack = stack(limited(2, 2), &Registry::new());
        let limit = stack.admission().concurrency().clone();
        let svc = stack.service(service_fn(|_: Req| {
            pending::<Result<Response<Full<Bytes>>, Infallible>>()
        }));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let mut calls = Vec::new();
            for (step, n) in steps {
                match step {
                    0 | 1 => {
                        let mut call = Box::pin(svc.clone().oneshot(get("/orders/1")));
                        if poll(call.as_mut()).is_pending() {
                            calls.push(call);
                        }
                    }
                    2 if !calls.is_empty() => drop(calls.swap_remove(n as usize % calls.len())),
                    _ => stack.admission().reconfigure(&limited(n, 2), Instant::now()),
                }
                // Those whose turn has come go on.
                calls.retain_mut(|call| poll(call.as_mut()).is_pending());
                assert_eq!((limit.in_flight() + limit.queued()) as usize, calls.len());
            }
            drop(calls);
            assert_eq!((limit.in_flight(), limit.queued()), (0, 0));
        });
    }
}
