//! When a process exits, and with which code, whatever its clients do.
use super::ending_within;
use detectviz_tests::{BOUND, Launch, Service, eventually, http1::Connection, wait::within};
use rustix::process::Signal;
use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

const GRACE: Duration = Duration::from_secs(5);
const SLACK: Duration = Duration::from_secs(1);

const STUCK: &str = "GET /slow?ms=600000 HTTP/1.1\r\nHost: test\r\n\r\n";
const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Clients that hold on to what they have, each in its own way.
struct Clingers(Vec<Connection>);

impl Clingers {
    fn all(service: &Service) -> Self {
        let say = |what: &str| {
            let mut connection = service.connect();
            connection.send(what).unwrap();
            connection
        };
        let mut idle = say("");
        assert_eq!(idle.get("/").unwrap().status, 200);
        let mut socket = say(UPGRADE);
        assert_eq!(socket.head().unwrap().status, 101);
        let mut events = say("GET /sse HTTP/1.1\r\nHost: test\r\n\r\n");
        assert_eq!(events.head().unwrap().status, 200);
        let line = say("GET /hel");
        let mut second = say("");
        assert_eq!(second.get("/").unwrap().status, 200);
        second.send("GET / HTTP/1.1\r\nHo").unwrap();
        Self(vec![say(""), idle, socket, events, line, second])
    }
}

/// Sends another header every now and then until the other end has closed.
fn slow_loris(mut connection: Connection) {
    let _closed = connection.send("GET / HTTP/1.1\r\nHost: test\r\n");
    let closed = within(BOUND, || connection.send("x: 1\r\n").err());
    assert!(closed.is_some(), "it is never closed");
}

fn bounded() -> Launch {
    ending_within("5s", "200ms", "4s")
}

#[test]
fn clients_that_hold_on_do_not_hold_the_process() {
    let service = bounded().start();
    let mut clingers = Clingers::all(&service);
    let loris = service.connect();
    thread::scope(|scope| {
        scope.spawn(|| slow_loris(loris));
        service.signal(Signal::TERM);
        let signalled = Instant::now();
        let ended = service.wait(BOUND);
        let took = ended.at - signalled;
        assert!(took <= GRACE + SLACK, "{took:?}");
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    });
    // The WebSocket is told with its close frame: 1001, going away.
    let socket = clingers.0[2].rest().unwrap();
    assert!(
        socket
            .windows(4)
            .any(|w| w[0] == 0x88 && w[2..] == 1001_u16.to_be_bytes()),
        "{socket:?}"
    );
    // The event stream ends as a stream should.
    let events = clingers.0[3].rest().unwrap();
    assert!(events.ends_with(b"\r\n0\r\n\r\n"), "{events:?}");
}

#[test]
fn a_stuck_handler_is_cut_in_time_with_exit_code_75() {
    let service = bounded().start();
    let _clingers = Clingers::all(&service);
    let mut stuck = service.connect();
    stuck.send(STUCK).unwrap();
    let mut body = service.connect();
    body.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nhalf")
        .unwrap();
    let loris = service.connect();
    thread::scope(|scope| {
        scope.spawn(|| slow_loris(loris));
        service.signal(Signal::TERM);
        let signalled = Instant::now();
        let ended = service.wait(BOUND);
        let took = ended.at - signalled;
        assert!(took <= GRACE + SLACK, "{took:?}");
        assert!(
            took >= Duration::from_secs(2),
            "it had its time to drain: {took:?}"
        );
        assert_eq!(ended.code, Some(75), "{}", ended.stderr);
    });
}

#[test]
fn a_request_that_takes_its_time_is_finished_first() {
    let service = bounded().start();
    let mut slow = service.connect();
    slow.send("GET /slow?ms=700 HTTP/1.1\r\nHost: test\r\n\r\n")
        .unwrap();
    eventually("the request is in its handler", || {
        let active = service.metric("http_server_active_requests", "");
        (active == 1.0).then_some(())
    });
    service.signal(Signal::TERM);
    let reply = slow.reply().unwrap();
    assert_eq!((reply.status, reply.closes()), (200, true));
    assert_eq!(service.wait(BOUND).code, Some(0));
}

#[test]
fn a_second_signal_aborts() {
    for second in [Signal::TERM, Signal::INT] {
        let service = ending_within("60s", "20s", "30s").start();
        let mut stuck = service.connect();
        stuck.send(STUCK).unwrap();
        service.signal(Signal::TERM);
        eventually("it has heard the first", || {
            (service.admin_get("/readyz")?.status == 503).then_some(())
        });
        service.signal(second);
        let signalled = Instant::now();
        let ended = service.wait(BOUND);
        let took = ended.at - signalled;
        assert!(took < Duration::from_secs(2), "{took:?}");
        assert_eq!(ended.code, Some(75), "{}", ended.stderr);
    }
}

#[test]
fn ctrl_c_ends_it_clean() {
    let service = bounded().start();
    service.signal(Signal::INT);
    assert_eq!(service.wait(BOUND).code, Some(0));
}

#[test]
fn a_process_whose_only_thread_is_stuck_exits_in_time() {
    let service = stuck().start();
    let mut block = service.connect();
    block
        .send("GET /block HTTP/1.1\r\nHost: test\r\n\r\n")
        .unwrap();
    eventually("nobody answers any more", || {
        let mut connection = service.connect();
        connection
            .send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            .ok()?;
        connection
            .is_silent_for(Duration::from_millis(200))
            .then_some(())
    });
    service.signal(Signal::TERM);
    let signalled = Instant::now();
    let ended = service.wait(BOUND);
    let took = ended.at - signalled;
    assert!(
        took >= Duration::from_secs(2) && took <= Duration::from_secs(3),
        "{took:?}"
    );
    assert_eq!(ended.code, Some(75), "{}", ended.stderr);
}

#[test]
fn a_second_signal_aborts_a_process_whose_only_thread_is_stuck() {
    let service = stuck().set("shutdown.grace", "60s").start();
    let mut block = service.connect();
    block
        .send("GET /block HTTP/1.1\r\nHost: test\r\n\r\n")
        .unwrap();
    assert!(block.is_silent_for(Duration::from_millis(200)));
    service.signal(Signal::TERM);
    // Two signals that are not yet seen are one.
    thread::sleep(Duration::from_millis(100));
    service.signal(Signal::TERM);
    let signalled = Instant::now();
    let ended = service.wait(BOUND);
    let took = ended.at - signalled;
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(ended.code, Some(75), "{}", ended.stderr);
}

fn stuck() -> Launch {
    Launch::new(Path::new(env!("CARGO_BIN_EXE_stuck"))).sets(&[
        "shutdown.grace=2s",
        "shutdown.pre_stop=100ms",
        "shutdown.drain=1s",
        "shutdown.hooks=100ms",
        "shutdown.stop=500ms",
        "shutdown.flush=200ms",
    ])
}
