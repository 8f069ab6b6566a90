//! Request bodies.
use super::*;

const SHORT: Duration = Duration::from_millis(80);

fn small() -> ServerConfig {
    ServerConfig {
        max_body: detectviz_core::config::ByteSize(8),
        progress_timeout: SHORT,
        ..config()
    }
}

#[tokio::test]
async fn a_declared_length_beyond_the_limit_is_refused_unread() {
    let server = fixture(small());
    for extra in ["", "Expect: 100-continue\r\n"] {
        let said = server
            .ask(&format!(
                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n{extra}\r\n"
            ))
            .await;
        assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
        assert!(said.contains("connection: close"), "{said}");
    }
}

#[tokio::test]
async fn a_large_body_that_is_refused_does_not_reset_the_response_away() {
    let server = fixture(config());
    let mut raw = server.connect().await;
    let body = "x".repeat(3 << 20);
    raw.send(format!(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
        body.len()
    ))
    .await;
    raw.try_send(&body[..512 << 10]).await;
    let reply = raw.reply().await.unwrap();
    assert_eq!(reply.status, 413);
    assert_eq!(raw.rest().await, "");
}

#[tokio::test]
async fn a_chunked_body_that_outgrows_the_limit_is_413_whatever_the_handler_makes_of_it() {
    let server = fixture(small());
    let said = server
        .ask("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n5\r\n12345\r\n")
        .await;
    assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
    assert!(said.contains("connection: close"), "{said}");
}

#[tokio::test]
async fn a_body_without_progress_is_408_and_closed() {
    let server = fixture(small());
    for start in ["", "12"] {
        let said = server
            .ask(&format!(
                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n{start}"
            ))
            .await;
        assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
        assert!(said.contains("connection: close"), "{said}");
        assert!(said.contains("application/problem+json"), "{said}");
    }
    server.closed(Closed::BodyTimeout, 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_below_the_rate_is_408() {
    let server = fixture(config());
    let mut raw = server.memory();
    let start = tokio::time::Instant::now();
    raw.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
        .await;
    let (mut read, mut write) = tokio::io::split(raw.0);
    let mut said = Vec::new();
    let trickle = async {
        while write.write_all(b"x").await.is_ok() {
            sleep(Duration::from_secs(5)).await;
        }
    };
    within(async { tokio::join!(read.read_to_end(&mut said), trickle) })
        .await
        .0
        .unwrap();
    assert!(
        said.starts_with(b"HTTP/1.1 408 "),
        "{}",
        String::from_utf8_lossy(&said)
    );
    assert!(
        (30..40).contains(&start.elapsed().as_secs()),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn an_unread_body_closes_the_connection_after_the_response() {
    let server = fixture(config());
    let mut raw = server.connect().await;
    raw.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nsome")
        .await;
    let reply = raw.reply().await.unwrap();
    assert_eq!((reply.status, reply.closes()), (200, true));
    assert_eq!(raw.rest().await, "");
}

#[tokio::test]
async fn a_body_that_is_read_keeps_the_connection() {
    let server = fixture(config());
    let mut raw = server.connect().await;
    for _ in 0..3 {
        raw.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n").await;
        let reply = raw.reply().await.unwrap();
        assert_eq!((reply.body.as_str(), reply.closes()), ("hi", false));
    }
}

#[tokio::test]
async fn continue_is_said_when_the_handler_reads() {
    let server = fixture(config());
    let mut raw = server.connect().await;
    raw.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        .await;
    assert_eq!(
        raw.until(b"\r\n\r\n").await.unwrap(),
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
    raw.send("hi").await;
    assert_eq!(raw.reply().await.unwrap().body, "hi");
    assert_eq!(raw.get("/").await.unwrap().status, 200);
}

#[tokio::test]
async fn a_body_that_is_streamed_back_keeps_the_connection() {
    let server = fixture(config());
    let mut raw = server.connect().await;
    for _ in 0..2 {
        raw.send("POST /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await;
        let head = raw.until(b"\r\n\r\n").await.unwrap();
        assert!(!head.contains("connection: close"), "{head}");
        raw.send("2\r\nhi\r\n").await;
        assert_eq!(raw.until(b"hi\r\n").await.unwrap(), "2\r\nhi\r\n");
        raw.send("0\r\n\r\n").await;
        assert_eq!(raw.until(b"0\r\n\r\n").await.unwrap(), "0\r\n\r\n");
    }
}

#[tokio::test]
async fn a_body_that_a_task_keeps_does_not_keep_the_connection() {
    let server = fixture(ServerConfig {
        idle_timeout: SHORT,
        ..config()
    });
    let said = server
        .ask("POST /keep HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12")
        .await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    server.open(0).await;
}
