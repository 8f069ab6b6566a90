//! What is too large, and who is too many.
use detectviz_tests::{BOUND, Launch, Service, eventually, http1::Connection};

fn narrow() -> Service {
    Launch::conformance()
        .sets(&[
            "http.max_headers=20",
            "http.max_header_size=16KiB",
            "http.max_uri=1KiB",
            "http.max_body=64KiB",
        ])
        .start()
}

/// Sends a request that is refused, perhaps before it is whole.
fn refused(service: &Service, request: &str) -> u16 {
    let mut connection = service.connect();
    let _refused_early = connection.send(request);
    let reply = connection.reply().unwrap();
    assert!(reply.closes() && reply.is_problem(), "{reply:?}");
    assert!(connection.closes_within(BOUND));
    reply.status
}

#[test]
fn what_is_too_large_is_refused_with_its_own_status_and_closed() {
    let service = narrow();
    let get =
        |uri: &str, headers: &str| format!("GET {uri} HTTP/1.1\r\nHost: test\r\n{headers}\r\n");
    let post = |headers: &str, body: &str| {
        format!("POST / HTTP/1.1\r\nHost: test\r\n{headers}\r\n\r\n{body}")
    };
    let long = "a".repeat(20 * 1024);
    let body = "b".repeat(80 * 1024);
    let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    for (name, request, status) in [
        ("a big header", get("/", &format!("x: {long}\r\n")), 431),
        ("a big name", get("/", &format!("{long}: 1\r\n")), 431),
        ("many headers", get("/", &"x: 1\r\n".repeat(30)), 431),
        ("a long URI", get(&format!("/{}", &long[..2048]), ""), 414),
        (
            "a URI longer than a head may be",
            get(&format!("/{long}"), ""),
            431,
        ),
        (
            "a big body",
            post(&format!("Content-Length: {}", body.len()), &body),
            413,
        ),
        (
            "a body announced as huge",
            post("Content-Length: 99999999999", ""),
            413,
        ),
        (
            "a big chunked body",
            post("Transfer-Encoding: chunked", &chunk),
            413,
        ),
    ] {
        assert_eq!(refused(&service, &request), status, "{name}");
    }
    let mut connection = service.connect();
    let most = "c".repeat(64 * 1024);
    let reply = connection.post("/", "", &most).unwrap();
    assert_eq!((reply.status, reply.body.len()), (200, most.len()));
    let headers = "x: 1\r\n".repeat(15);
    connection
        .send(get(&format!("/?{}", &long[..1000]), &headers))
        .unwrap();
    assert_eq!(connection.reply().unwrap().status, 200);
}

#[test]
fn probes_are_answered_from_the_reserve_when_connections_are_at_their_limit() {
    let service = Launch::conformance()
        .sets(&["http.max_connections=4", "http.probe_reserve=1"])
        .start();
    let mut held: Vec<Connection> = (0..4).map(|_| service.connect()).collect();
    for one in &mut held {
        assert_eq!(one.get("/").unwrap().status, 200);
    }
    for path in ["/livez", "/readyz", "/startupz", "/healthz"] {
        let reply = service.get(path);
        assert_eq!((reply.status, reply.closes()), (200, true), "{path}");
    }
    let refused = service.get("/");
    assert_eq!((refused.status, refused.closes()), (503, true));
    assert!(refused.is_problem());
    for one in &mut held {
        assert_eq!(
            one.get("/").unwrap().status,
            200,
            "who was first is not disturbed"
        );
    }
    drop(held.pop());
    eventually("the place is free again", || {
        (service.get("/").status == 200).then_some(())
    });
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let service = Launch::conformance().start();
    let mut connection = service.connect();
    let mut all = String::new();
    for n in 0..50 {
        let body = format!("number {n}");
        all += &format!(
            "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        all += "GET /slow?ms=1 HTTP/1.1\r\nHost: test\r\n\r\n";
    }
    connection.send(all).unwrap();
    for n in 0..50 {
        assert_eq!(connection.reply().unwrap().text(), format!("number {n}"));
        assert_eq!(connection.reply().unwrap().text(), "slept\n");
    }
    assert_eq!(connection.get("/").unwrap().text(), "hello");
}
