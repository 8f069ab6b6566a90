//! Request heads: `Host`, framing, pipelining, limits.
use super::*;

#[tokio::test]
async fn host_rules_of_rfc_9112_are_kept() {
    let server = fixture(config());
    for (head, status) in [
        ("GET / HTTP/1.1\r\nHost: a", 200),
        ("GET / HTTP/1.1\r\nHost: a:80", 200),
        ("GET / HTTP/1.1\r\nHost:", 200),
        ("GET / HTTP/1.1", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b", 400),
        ("GET / HTTP/1.1\r\nHost: a b", 400),
        ("GET / HTTP/1.1\r\nHost: a/b", 400),
        ("GET / HTTP/1.1\r\nHost: u@a", 400),
        ("GET http://a/ HTTP/1.1\r\nHost: a", 200),
        ("GET http://a/ HTTP/1.1\r\nHost: b", 200),
        ("GET http://a/ HTTP/1.1", 400),
        ("GET / HTTP/1.0", 200),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: a", 400),
        ("OPTIONS * HTTP/1.1\r\nHost: a", 200),
    ] {
        let mut raw = server.connect().await;
        raw.send(format!("{head}\r\n\r\n")).await;
        let reply = raw.reply().await.unwrap();
        assert_eq!(reply.status, status, "{head}");
        if status == 400 {
            assert!(reply.closes(), "{head}");
            assert!(reply.head.contains("application/problem+json"), "{head}");
            assert_eq!(raw.rest().await, "", "{head}");
        }
    }
}

#[tokio::test]
async fn what_is_no_http_gets_a_problem_and_a_closed_connection() {
    let server = fixture(config());
    for head in [
        "\0\0\0\0\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n",
        "G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        "PRI * HTTP/1.1\r\n\r\n",
    ] {
        let said = server.ask(head).await;
        assert!(said.starts_with("HTTP/1.1 400 "), "{head:?}: {said}");
        assert!(
            said.contains("application/problem+json"),
            "{head:?}: {said}"
        );
        assert_eq!(said.matches("HTTP/1.1").count(), 1, "{head:?}: {said}");
    }
}

#[tokio::test]
async fn length_and_chunks_together_close_the_connection_after_the_response() {
    let server = fixture(config());
    let said = server
        .ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    assert!(said.ends_with("\r\n\r\nhi"), "{said}");
    assert!(said.contains("connection: close"), "{said}");
}

#[tokio::test]
async fn heads_beyond_the_limits_are_refused() {
    let server = fixture(config());
    let many = |count| {
        (0..count)
            .map(|n| format!("x-{n}: 1\r\n"))
            .collect::<String>()
    };
    for (request, status) in [
        (
            format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", many(99)),
            200,
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", many(100)),
            431,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\nHost: a\r\nx: {}\r\n\r\n",
                "y".repeat(31_000)
            ),
            200,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\nHost: a\r\nx: {}\r\n\r\n",
                "y".repeat(33_000)
            ),
            431,
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: a\r\nx: {}", "y".repeat(100_000)),
            431,
        ),
        (
            format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "y".repeat(8_191)),
            200,
        ),
        (
            format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "y".repeat(8_192)),
            414,
        ),
    ] {
        let mut raw = server.connect().await;
        raw.try_send(&request).await;
        let reply = raw
            .reply()
            .await
            .unwrap_or_else(|| panic!("no reply for {status}"));
        assert_eq!(reply.status, status, "{}", &request[..60]);
        assert_eq!(reply.closes(), status != 200);
    }
}

#[tokio::test]
async fn fewer_headers_than_usual_can_be_asked_for() {
    let server = fixture(ServerConfig {
        max_headers: 2,
        ..config()
    });
    let mut raw = server.connect().await;
    assert_eq!(raw.get("/").await.unwrap().status, 200);
    raw.send("GET / HTTP/1.1\r\nHost: a\r\nx: 1\r\ny: 1\r\n\r\n")
        .await;
    assert_eq!(raw.reply().await.unwrap().status, 431);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = fixture(config());
    let mut raw = server.connect().await;
    raw.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n3").await;
    for body in ["1", "hello", "3"] {
        assert_eq!(raw.reply().await.unwrap().body, body);
    }
    assert_eq!(raw.get("/").await.unwrap().status, 200);
}

#[tokio::test]
async fn head_has_the_headers_and_not_the_body() {
    let server = fixture(config());
    let mut raw = server.connect().await;
    raw.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = raw.until(b"\r\n\r\n").await.unwrap();
    assert!(head.contains("content-length: 5"), "{head}");
    assert_eq!(raw.get("/").await.unwrap().body, "hello");
}

#[tokio::test(start_paused = true)]
async fn blank_lines_between_requests_are_no_head() {
    let server = fixture(config());
    let mut raw = server.memory();
    assert_eq!(raw.get("/").await.unwrap().status, 200);
    for _ in 0..2 {
        raw.send("\r\n").await;
        sleep(Duration::from_secs(20)).await;
    }
    assert_eq!(raw.get("/").await.unwrap().status, 200);
}

#[tokio::test]
async fn http_1_0_is_closed_unless_it_asks_to_be_kept() {
    let server = fixture(config());
    let said = server.ask("GET / HTTP/1.0\r\n\r\n").await;
    assert!(said.starts_with("HTTP/1.0 200 "), "{said}");
    let mut raw = server.connect().await;
    for _ in 0..2 {
        raw.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            .await;
        assert_eq!(raw.reply().await.unwrap().body, "hello");
    }
}

#[tokio::test]
async fn a_service_that_fails_is_answered_with_500() {
    let server = fixture(config());
    let mut raw = server.connect().await;
    let reply = raw.get("/fail").await.unwrap();
    assert_eq!(reply.status, 500);
    assert!(!reply.body.contains("on purpose"));
}

#[tokio::test]
async fn the_service_can_ask_for_its_connection() {
    let server = fixture(config());
    let mut raw = server.connect().await;
    let me = raw.0.local_addr().unwrap();
    let said = raw.get("/conn").await.unwrap().body;
    assert!(said.contains(&me.to_string()), "{said}");
    assert!(
        said.contains("version: HTTP/1.1, tls: false, reserved: false"),
        "{said}"
    );
}
