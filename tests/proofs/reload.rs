//! Limits that are edited while requests come.
use detectviz_tests::{
    Launch, eventually,
    foreign::TempDir,
    load::{Load, Pace},
    scrape::Scrape,
};
use std::{thread, time::Duration};

const RUNNING: &str = "detectviz_bulkhead_in_flight";
const LIMIT: &str = "detectviz_bulkhead_limit";
const COUNT: &str = "http_server_request_duration_seconds_count";
const SERVER: &[&str] = &["bulkhead=\"server\""];

/// Sixteen callers at a time, and a limit that goes up and down between them.
#[test]
fn limits_that_are_edited_under_load_hold_and_lose_no_count() {
    let dir = TempDir::new();
    let write = |limit: u32| {
        let concurrency = format!("{{max_concurrent: {limit}, queue: {{max_queue: 0}}}}");
        let text = format!("http: {{layers: {{admission: {{concurrency: {concurrency}}}}}}}\n");
        dir.write("app_config.yaml", &text);
    };
    write(4);
    let path = dir.path().to_str().expect("a path of text");
    let service = Launch::conformance()
        .args(["--config", path])
        .set("telemetry.logs.level", "error")
        .start();
    let load = Load {
        to: service.http(),
        request: b"GET /slow?ms=5 HTTP/1.1\r\nHost: test\r\n\r\n",
        pace: Pace::Closed,
        connections: 16,
        time: Duration::from_secs(3),
    };
    let answers = thread::scope(|scope| {
        let answers = scope.spawn(|| load.run().expect("the service takes connections"));
        for limit in [8, 2, 12, 1, 6] {
            write(limit);
            let limit = f64::from(limit);
            service.settles(LIMIT, SERVER, limit);
            // Those who ran before may still run; none is added to them.
            eventually("the limit holds", || {
                (Scrape::of(&service).sum(RUNNING, SERVER) <= limit).then_some(())
            });
            for _ in 0..10 {
                let running = Scrape::of(&service).sum(RUNNING, SERVER);
                assert!(running <= limit, "{running} of {limit}");
            }
        }
        answers.join().expect("it ends")
    });
    assert_eq!((answers.answered(), answers.broken), (answers.offered, 0));
    assert!(!answers.accepted.is_empty() && !answers.refused.is_empty());
    let page = service.settles("http_server_active_requests", &[], 0.0);
    assert_eq!(page.sum(COUNT, &[]), answers.offered as f64);
    assert_eq!(page.sum(RUNNING, &[]), 0.0);
    // The last limit is the one in force, and no permit is lost.
    let mut six: Vec<_> = (0..6).map(|_| service.connect()).collect();
    for connection in &mut six {
        let slow = "GET /slow?ms=60000 HTTP/1.1\r\nHost: test\r\n\r\n";
        connection.send(slow).expect("it reads");
    }
    service.settles(RUNNING, SERVER, 6.0);
    assert_eq!(service.get("/").status, 503);
    drop(six);
    service.settles(RUNNING, SERVER, 0.0);
    assert_eq!(service.get("/").status, 200);
}
