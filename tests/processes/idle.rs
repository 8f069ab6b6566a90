//! What connections cost that do nothing.
use detectviz_tests::{Launch, eventually, full, http1::Connection};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::time::Duration;

const MIB: u64 = 1 << 20;

/// Lets this process, and those that it starts, have so many files open.
fn allow_files(count: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= count) {
        return;
    }
    let maximum = limit.maximum.map(|maximum| maximum.max(count));
    let limit = Rlimit {
        current: Some(count),
        maximum,
    };
    setrlimit(Resource::Nofile, limit).expect("raise the limit of open files: ulimit -Hn 12000");
}

/// Idle connections that have asked once, and what they add to the resident memory.
fn growth(count: usize) -> (u64, u64) {
    allow_files(count as u64 + 1_000);
    let service = Launch::conformance()
        .sets(&[
            "http.idle_timeout=10m",
            "http.max_connections=20000",
            "telemetry.logs.level=error",
        ])
        .start();
    for _ in 0..100 {
        assert_eq!(service.get("/").status, 200);
    }
    let before = service.resident();
    let mut idle: Vec<Connection> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut connection = service.connect();
        assert_eq!(connection.get("/").unwrap().status, 200);
        idle.push(connection);
    }
    let open = service.metric("detectviz_http_server_connections", "");
    assert!(open >= count as f64, "{open} are open");
    // An idle connection gives its buffers back after a moment: the least of what is seen counts.
    let mut least = service.resident();
    let mut unchanged = 0;
    eventually("connections have settled", || {
        std::thread::sleep(Duration::from_millis(100));
        let now = service.resident();
        unchanged = if now + MIB / 4 < least {
            0
        } else {
            unchanged + 1
        };
        least = least.min(now);
        (unchanged == 10).then_some(())
    });
    assert_eq!(
        idle[0].get("/").unwrap().status,
        200,
        "they are still served"
    );
    assert_eq!(service.get("/").status, 200, "and so are new ones");
    println!("{count} idle connections: {least} bytes resident, {before} before");
    (least, least.saturating_sub(before))
}

#[test]
fn a_thousand_idle_connections_add_at_most_15_mb() {
    let (_, growth) = growth(1_000);
    assert!(growth <= 15 * MIB, "{growth} bytes");
}

#[test]
fn ten_thousand_idle_connections_hold_at_most_150_mb() {
    let count = if full() { 10_000 } else { 100 };
    let (resident, _) = growth(count);
    assert!(resident <= 150 * MIB, "{resident} bytes");
}
