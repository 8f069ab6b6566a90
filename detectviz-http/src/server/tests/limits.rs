//! Slow clients, idle clients, and too many of them.
use super::*;
use tokio::time::Instant;

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

#[tokio::test(start_paused = true)]
async fn a_second_head_that_trickles_is_closed_too() {
    let server = fixture(config());
    let mut raw = server.memory();
    assert_eq!(raw.get("/").await.unwrap().status, 200);
    let start = Instant::now();
    raw.send("GET / HTTP/1.1\r\n").await;
    while raw.try_send("x: 1\r\n").await {
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(raw.reply().await.unwrap().status, 408);
    assert!(
        (10..13).contains(&start.elapsed().as_secs()),
        "{:?}",
        start.elapsed()
    );
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

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_after_the_idle_timeout_and_not_before() {
    let server = fixture(config());
    let mut raw = server.memory();
    for _ in 0..5 {
        assert_eq!(raw.get("/").await.unwrap().status, 200);
        sleep(Duration::from_secs(70)).await;
    }
    assert_eq!(raw.get("/").await.unwrap().status, 200);
    let start = Instant::now();
    assert_eq!(raw.rest().await, "");
    assert!(
        (75..80).contains(&start.elapsed().as_secs()),
        "{:?}",
        start.elapsed()
    );
    server.closed(Closed::Idle, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_busy_connection_is_not_taken_for_an_idle_one() {
    let server = fixture(config());
    let mut raw = server.memory();
    for _ in 0..300 {
        assert_eq!(raw.get("/").await.unwrap().status, 200);
        sleep(Duration::from_millis(700)).await;
    }
    raw.send("GET /gate HTTP/1.1\r\nHost: a\r\n\r\n").await;
    sleep(Duration::from_secs(600)).await;
    server.handlers.gate.notify_one();
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

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_slowly_is_not_cut() {
    let server = fixture(config());
    let mut raw = server.memory();
    raw.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut buf = vec![0; 1 << 20];
    for _ in 0..20 {
        sleep(Duration::from_secs(25)).await;
        assert_ne!(raw.0.read(&mut buf).await.unwrap(), 0);
    }
    server.closed(Closed::WriteTimeout, 1).await;
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
    server.handlers.gate.notify_one();
    assert_eq!(stuck.reply().await.unwrap().body, "through");
    assert_eq!(waiting.reply().await.unwrap().body, "hello");
}

#[tokio::test(start_paused = true)]
async fn an_old_connection_is_asked_to_leave() {
    let server = fixture(config());
    let mut raw = server.memory();
    let mut requests = 0;
    let reply = loop {
        let reply = raw.get("/").await.unwrap();
        if reply.closes() {
            break reply;
        }
        requests += 1;
        sleep(Duration::from_secs(60)).await;
    };
    assert_eq!(reply.status, 200);
    assert!((54..=66).contains(&requests), "{requests} minutes");
    assert_eq!(raw.rest().await, "");
}

#[tokio::test(start_paused = true)]
async fn a_request_on_an_old_connection_is_cut_after_the_grace() {
    let server = fixture(ServerConfig {
        max_connection_age: Duration::from_secs(100),
        max_connection_age_grace: Duration::from_secs(20),
        ..config()
    });
    let mut raw = server.memory();
    let start = Instant::now();
    raw.send("GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(raw.rest().await, "");
    assert!(
        (110..=130).contains(&start.elapsed().as_secs()),
        "{:?}",
        start.elapsed()
    );
    server.closed(Closed::MaxAge, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_silent_for_long_is_served_as_before() {
    let server = fixture(config());
    let mut raw = server.memory();
    for _ in 0..3 {
        assert_eq!(raw.get("/").await.unwrap().body, "hello");
        sleep(Duration::from_secs(30)).await;
        // Half of what makes the server look again, and the rest later.
        raw.send("POST /echo HT").await;
        sleep(Duration::from_secs(5)).await;
        raw.send("TP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n")
            .await;
        raw.send("x".repeat(40_000)).await;
        assert_eq!(raw.reply().await.unwrap().body.len(), 40_000);
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
