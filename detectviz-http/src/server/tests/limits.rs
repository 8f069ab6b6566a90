//! Slow clients, idle clients, and too many of them.
use super::*;
use std::time::Instant;

const SHORT: Duration = Duration::from_millis(80);

#[tokio::test]
async fn a_head_that_does_not_end_is_answered_with_408_in_time() {
    let server = fixture(ServerConfig {
        header_timeout: SHORT,
        ..config()
    });
    for head in [
        "GET / HT",
        "GET / HTTP/1.1\r\nHost: a\r\n",
        "PRI * HTTP/1.1\r\nx",
    ] {
        let start = Instant::now();
        let said = server.ask(head).await;
        assert!(said.starts_with("HTTP/1.1 408 "), "{head}: {said}");
        assert!(start.elapsed() >= SHORT, "{head}");
    }
    server.closed(Closed::HeaderTimeout, 3).await;
}

#[tokio::test]
async fn a_second_head_that_trickles_is_closed_too() {
    let server = fixture(ServerConfig {
        header_timeout: SHORT,
        ..config()
    });
    let mut raw = server.connect().await;
    assert_eq!(raw.get("/").await.unwrap().status, 200);
    let trickle = async {
        raw.send("GET / HTTP/1.1\r\n").await;
        for n in 0.. {
            tokio::time::sleep(SHORT / 8).await;
            if !raw.try_send(format!("x-{n}: 1\r\n")).await {
                break;
            }
        }
    };
    let _gone = timeout(SHORT * 4, trickle).await;
    server.closed(Closed::HeaderTimeout, 1).await;
}

#[tokio::test]
async fn a_client_that_says_nothing_or_half_a_preface_is_closed_in_time() {
    let server = fixture(ServerConfig {
        header_timeout: SHORT,
        ..config()
    });
    assert_eq!(server.ask("").await, "");
    assert_eq!(server.ask("PRI * HTTP/2.0\r\n\r\nSM").await, "");
    server.closed(Closed::HeaderTimeout, 2).await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_the_idle_timeout_and_not_before() {
    let server = fixture(ServerConfig {
        header_timeout: Duration::from_millis(20),
        idle_timeout: Duration::from_millis(150),
        ..config()
    });
    let mut raw = server.connect().await;
    for _ in 0..3 {
        assert_eq!(raw.get("/").await.unwrap().status, 200);
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    assert_eq!(raw.get("/").await.unwrap().status, 200);
    let start = Instant::now();
    assert_eq!(raw.rest().await, "");
    assert!(start.elapsed() >= Duration::from_millis(140));
    server.closed(Closed::Idle, 1).await;
}

#[tokio::test]
async fn a_slow_handler_is_not_taken_for_an_idle_connection() {
    let server = fixture(ServerConfig {
        header_timeout: Duration::from_millis(20),
        idle_timeout: Duration::from_millis(20),
        progress_timeout: Duration::from_millis(20),
        ..config()
    });
    let mut raw = server.connect().await;
    raw.send("GET /gate HTTP/1.1\r\nHost: a\r\n\r\n").await;
    server.busy(1).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.gate.notify_one();
    assert_eq!(raw.reply().await.unwrap().body, "through");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut() {
    let server = fixture(ServerConfig {
        progress_timeout: SHORT,
        ..config()
    });
    let mut raw = server.connect().await;
    raw.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n").await;
    server.closed(Closed::WriteTimeout, 1).await;
    assert!(raw.rest().await.len() < 64 << 20);
}

#[tokio::test]
async fn a_client_that_reads_slowly_is_not_cut() {
    let server = fixture(ServerConfig {
        progress_timeout: Duration::from_millis(500),
        ..config()
    });
    let mut raw = server.connect().await;
    raw.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut buf = vec![0; 4 << 20];
    let mut read = 0;
    while read < 64 << 20 {
        let count = within(raw.0.read(&mut buf)).await.unwrap();
        assert_ne!(count, 0);
        read += count;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_reserve_is_marked_and_beyond_it_clients_wait() {
    let server = fixture(ServerConfig {
        max_connections: 2,
        probe_reserve: 1,
        ..config()
    });
    let mut open = Vec::new();
    for reserved in [false, false, true] {
        let mut raw = server.connect().await;
        let reply = raw.get("/conn").await.unwrap();
        assert!(
            reply.body.contains(&format!("reserved: {reserved}")),
            "{reply:?}"
        );
        assert_eq!(reply.closes(), reserved);
        open.push(raw);
    }
    // The reserve is for one request at a time.
    assert_eq!(open.pop().unwrap().rest().await, "");
    server.open(2).await;
    let mut stuck = server.connect().await;
    stuck.send("GET /gate HTTP/1.1\r\nHost: a\r\n\r\n").await;
    server.busy(1).await;
    let mut waiting = server.connect().await;
    waiting.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let early = timeout(Duration::from_millis(50), waiting.0.read_u8()).await;
    assert!(early.is_err());
    server.gate.notify_one();
    assert_eq!(stuck.reply().await.unwrap().body, "through");
    assert_eq!(waiting.reply().await.unwrap().body, "hello");
}

#[tokio::test]
async fn an_old_connection_is_asked_to_leave() {
    let server = fixture(ServerConfig {
        max_connection_age: Duration::from_millis(50),
        idle_timeout: Duration::from_millis(400),
        ..config()
    });
    let mut raw = server.connect().await;
    assert!(!raw.get("/").await.unwrap().closes());
    tokio::time::sleep(Duration::from_millis(150)).await;
    let reply = raw.get("/").await.unwrap();
    assert_eq!((reply.status, reply.closes()), (200, true));
    assert_eq!(raw.rest().await, "");
}

#[tokio::test]
async fn a_request_on_an_old_connection_is_cut_after_the_grace() {
    let server = fixture(ServerConfig {
        max_connection_age: Duration::from_millis(20),
        max_connection_age_grace: Duration::from_millis(20),
        idle_timeout: Duration::from_millis(80),
        ..config()
    });
    assert_eq!(
        server.ask("GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n").await,
        ""
    );
    server.closed(Closed::MaxAge, 1).await;
}

#[tokio::test]
async fn a_connection_that_was_silent_for_long_is_served_as_before() {
    let server = fixture(config());
    let mut raw = server.connect().await;
    for _ in 0..3 {
        assert_eq!(raw.get("/").await.unwrap().body, "hello");
        tokio::time::sleep(Duration::from_millis(250)).await;
        // Half of what makes the server look again, and the rest later.
        raw.send("POST /echo HT").await;
        tokio::task::yield_now().await;
        raw.send("TP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n")
            .await;
        raw.send("x".repeat(40_000)).await;
        assert_eq!(raw.reply().await.unwrap().body.len(), 40_000);
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

#[tokio::test]
async fn half_a_head_that_came_with_the_request_before_is_closed_in_time() {
    let server = fixture(ServerConfig {
        header_timeout: SHORT,
        ..config()
    });
    let mut raw = server.connect().await;
    raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT").await;
    assert_eq!(raw.reply().await.unwrap().body, "hello");
    assert_eq!(raw.reply().await.unwrap().status, 408);
    server.closed(Closed::HeaderTimeout, 1).await;
}
