//! Slow clients, while others are served.
use detectviz_tests::{BOUND, Launch, Service, eventually, wait::within};
use std::{
    thread,
    time::{Duration, Instant},
};

const SHORT: Duration = Duration::from_millis(300);

/// How many slow clients there are at a time.
const CLIENTS: usize = 50;

fn impatient() -> Service {
    Launch::conformance()
        .sets(&[
            "http.header_timeout=300ms",
            "http.progress_timeout=300ms",
            "http.idle_timeout=300ms",
        ])
        .start()
}

/// Asks again and again while `others` are at it, and says how often it was answered.
fn served_beside(service: &Service, others: impl FnOnce() + Send) -> usize {
    thread::scope(|scope| {
        let others = scope.spawn(others);
        let mut served = 0;
        while !others.is_finished() {
            assert_eq!(service.get("/").status, 200);
            served += 1;
            thread::sleep(Duration::from_millis(2));
        }
        others.join().unwrap();
        served
    })
}

#[test]
fn connections_with_slow_headers_are_closed_and_others_served() {
    let service = impatient();
    let mut slow: Vec<_> = (0..CLIENTS).map(|_| service.connect()).collect();
    let served = served_beside(&service, || {
        let start = Instant::now();
        let mut open: Vec<_> = slow.iter_mut().collect();
        for one in &mut open {
            one.send("GET / HTTP/1.1\r\nHost: test\r\n").unwrap();
        }
        let gone = within(BOUND, || {
            open.retain_mut(|one| one.send("x: 1\r\n").is_ok());
            open.is_empty().then(|| start.elapsed())
        });
        let gone = gone.expect("all are closed");
        assert!(gone >= SHORT && gone < SHORT * 10, "{gone:?}");
    });
    assert!(served > 5, "{served}");
    eventually("the closed connections are counted", || {
        let labels = "reason=\"header_timeout\"";
        let closed = service.metric("detectviz_http_server_connections_closed_total", labels);
        (closed >= CLIENTS as f64).then_some(())
    });
}

#[test]
fn a_head_that_stops_is_answered_with_408() {
    let service = impatient();
    for head in [
        "G",
        "GET / HTTP/1.1\r\nHost",
        "GET / HTTP/1.1\r\nHost: test\r\n",
    ] {
        let mut connection = service.connect();
        connection.send(head).unwrap();
        let reply = connection.reply().unwrap();
        assert_eq!((reply.status, reply.closes()), (408, true), "{head}");
        assert!(reply.is_problem());
        assert!(connection.closes_within(BOUND));
    }
}

#[test]
fn connections_with_slow_bodies_are_answered_with_408_and_others_served() {
    let service = impatient();
    // A handler that wants the whole body before it answers.
    let head = "POST /test HTTP/1.1\r\nHost: test\r\n";
    let slow: Vec<_> = (0..CLIENTS)
        .map(|n| {
            let mut one = service.connect();
            let body = [
                "Content-Length: 9\r\n\r\nhalf",
                "Transfer-Encoding: chunked\r\n\r\n9\r\nhalf",
            ];
            one.send(format!("{head}{}", body[n % 2])).unwrap();
            one
        })
        .collect();
    let served = served_beside(&service, || {
        for mut one in slow {
            let reply = one.reply().unwrap();
            assert_eq!((reply.status, reply.closes()), (408, true));
            assert!(one.closes_within(BOUND));
        }
    });
    assert!(served > 5, "{served}");
}

#[test]
fn a_connection_without_a_request_is_closed_when_its_time_is_over() {
    let service = impatient();
    let mut silent = service.connect();
    let mut idle = service.connect();
    assert_eq!(idle.get("/").unwrap().status, 200);
    let start = Instant::now();
    assert!(idle.closes_within(BOUND));
    assert!(silent.closes_within(BOUND));
    assert!(start.elapsed() >= SHORT / 2, "{:?}", start.elapsed());
}
