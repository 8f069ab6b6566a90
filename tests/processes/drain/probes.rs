//! What the kubelet sees of an end.
use super::ending_within;
use detectviz_tests::{
    BOUND, eventually,
    http1::{Connection, Reply},
};
use rustix::process::Signal;
use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

/// How soon readiness must fail after the signal.
const SOON: Duration = Duration::from_millis(100);

fn ask(addr: SocketAddr, path: &str) -> Option<Reply> {
    // A port that is about to close lets nobody in, and says so late.
    Connection::open_within(addr, SOON).ok()?.get(path).ok()
}

#[test]
fn dr1_readiness_fails_within_100_ms_and_new_connections_are_served_until_pre_stop_ends() {
    let pre_stop = Duration::from_millis(1_000);
    let service = ending_within("10s", "1s", "5s").start();
    assert_eq!(service.get("/readyz").status, 200);
    service.signal(Signal::TERM);
    let signalled = Instant::now();
    for addr in [service.admin(), service.http()] {
        eventually("readiness fails", || {
            let status = ask(addr, "/readyz").map(|reply| reply.status);
            assert!(
                signalled.elapsed() < SOON || status == Some(503),
                "{status:?}"
            );
            (status == Some(503)).then_some(())
        });
    }
    let mut served = 0;
    while signalled.elapsed() < pre_stop - SOON {
        let reply = service.get("/");
        assert_eq!((reply.status, reply.closes()), (200, true));
        assert_eq!(ask(service.http(), "/livez").unwrap().status, 200);
        assert_eq!(ask(service.http(), "/readyz").unwrap().status, 503);
        served += 1;
        thread::sleep(Duration::from_millis(5));
    }
    assert!(served > 10, "{served}");
    let ended = service.wait(BOUND);
    assert_eq!(ended.code, Some(0));
    assert!(ended.at - signalled >= pre_stop);
}

#[test]
fn dr1_liveness_passes_on_the_admin_port_until_the_exit() {
    let mut service = ending_within("10s", "100ms", "1s").start();
    let admin = service.admin();
    let mut stuck = service.connect();
    stuck
        .send("GET /slow?ms=600000 HTTP/1.1\r\nHost: test\r\n\r\n")
        .unwrap();
    eventually("the request is in its handler", || {
        let active = service.metric("http_server_active_requests", "");
        (active == 1.0).then_some(())
    });
    service.signal(Signal::TERM);
    let (mut draining, mut last) = (false, Instant::now());
    while service.is_running() {
        let Some(reply) = ask(admin, "/livez") else {
            continue;
        };
        last = Instant::now();
        assert_eq!(reply.status, 200, "{}", reply.text());
        draining |= Connection::open_within(service.http(), SOON).is_err();
    }
    let ended = service.wait(BOUND);
    assert!(draining, "it was asked while it drained");
    let silent = ended.at.saturating_duration_since(last);
    assert!(
        silent < Duration::from_millis(750),
        "no liveness for {silent:?}: {}",
        ended.stderr
    );
    assert_eq!(ended.code, Some(75));
}
