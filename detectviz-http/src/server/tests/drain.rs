//! The end of a server, as its clients see it.
use super::*;

#[tokio::test]
async fn from_pre_stop_on_every_response_says_close_and_new_clients_are_served() {
    let server = fixture(config());
    let mut begun = server.connect().await;
    begun.send("GET /gate HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut kept = server.connect().await;
    assert!(!kept.get("/").await.unwrap().closes());
    server.busy(1).await;
    server.phase.advance(Phase::PreStop);
    let reply = kept.get("/").await.unwrap();
    assert_eq!((reply.status, reply.closes()), (200, true));
    assert_eq!(kept.rest().await, "");
    let reply = server.connect().await.get("/").await.unwrap();
    assert_eq!((reply.status, reply.closes()), (200, true));
    server.handlers.gate.notify_one();
    assert!(begun.reply().await.unwrap().closes());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_of_32_busy_clients_is_lost_without_a_pre_stop_time() {
    for _ in 0..3 {
        let server = fixture(config());
        let served = Arc::new(AtomicUsize::new(0));
        let clients = (0..32).map(|_| {
            let (addr, served) = (server.addr, Arc::clone(&served));
            server.tasks.spawn("client", async move {
                // Until a new connection is refused, every request that is sent must be answered.
                while let Ok(stream) = TcpStream::connect(addr).await {
                    let mut raw = Raw(stream);
                    loop {
                        let reply = raw.get("/").await.expect("no request is lost");
                        served.fetch_add(1, Ordering::Relaxed);
                        if reply.closes() {
                            break;
                        }
                    }
                }
            })
        });
        let clients = clients.collect::<Vec<_>>();
        within(async {
            while served.load(Ordering::Relaxed) < 1_000 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        server.phase.advance(Phase::Draining);
        within(server.serving.drain()).await;
        for client in clients {
            within(client).await.unwrap();
        }
        server.serving.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn silent_connections_are_kept_for_the_linger_and_then_closed() {
    let linger = Duration::from_secs(1);
    let server = fixture(config());
    let mut fresh = server.memory();
    let mut idle = server.memory();
    idle.get("/").await.unwrap();
    let mut asks = server.memory();
    asks.get("/").await.unwrap();
    let mut parked = server.memory();
    parked.get("/").await.unwrap();
    sleep(Duration::from_secs(5)).await;
    idle.get("/").await.unwrap();
    let mut half = server.memory();
    half.send("GET / HT").await;
    let start = tokio::time::Instant::now();
    tokio::join!(server.serving.drain(), async {
        sleep(linger * 3 / 4).await;
        for raw in [&mut asks, &mut parked] {
            let reply = raw.get("/").await.unwrap();
            assert_eq!((reply.status, reply.closes()), (200, true));
        }
    });
    assert_eq!(start.elapsed().as_secs(), 1);
    for raw in [&mut fresh, &mut idle, &mut asks, &mut parked] {
        assert_eq!(raw.rest().await, "");
    }
    assert!(half.rest().await.starts_with("HTTP/1.1 408 "));
    assert!(TcpStream::connect(server.addr).await.is_err());
    server.serving.stop().await.unwrap();
}

#[tokio::test]
async fn the_linger_is_at_most_a_quarter_of_what_is_left() {
    let server = fixture(ServerConfig {
        linger: Duration::from_secs(60),
        ..config()
    });
    let _fresh = server.connect().await;
    server.open(1).await;
    let now = std::time::Instant::now();
    server.phase.drain_until(now + Duration::from_millis(400));
    server.phase.advance(Phase::Draining);
    within(server.serving.drain()).await;
    assert!(now.elapsed() < Duration::from_millis(400));
}

#[tokio::test]
async fn connections_that_wait_to_be_accepted_are_served() {
    let server = fixture(ServerConfig {
        max_connections: 1,
        probe_reserve: 0,
        ..config()
    });
    let mut first = server.connect().await;
    first.send("GET /gate HTTP/1.1\r\nHost: a\r\n\r\n").await;
    server.busy(1).await;
    let mut waiting = Vec::new();
    for _ in 0..8 {
        let mut raw = server.connect().await;
        raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        waiting.push(raw);
    }
    let ((), ()) = tokio::join!(server.serving.drain(), async {
        for mut raw in waiting {
            assert_eq!(raw.reply().await.unwrap().body, "hello");
        }
        server.handlers.gate.notify_one();
        assert_eq!(first.reply().await.unwrap().body, "through");
    });
}

#[tokio::test]
async fn an_event_stream_ends_cleanly_when_the_drain_starts() {
    let server = fixture(config());
    let mut raw = server.connect().await;
    raw.send("GET /sse HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = raw.until(b"\r\n\r\n").await.unwrap();
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    assert_eq!(
        raw.until(b"data: 1\n\n\r\n").await.unwrap(),
        "9\r\ndata: 1\n\n\r\n"
    );
    let ((), rest) = tokio::join!(server.serving.drain(), raw.rest());
    assert_eq!(rest, "0\r\n\r\n");
}

#[tokio::test]
async fn an_upgraded_connection_is_told_and_waited_for() {
    let server = fixture(config());
    let mut raw = server.connect().await;
    raw.send(
        "GET /upgrade?polite HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n",
    )
    .await;
    assert!(
        raw.until(b"\r\n\r\n")
            .await
            .unwrap()
            .starts_with("HTTP/1.1 101 ")
    );
    raw.send("ping").await;
    let mut pong = [0; 4];
    within(raw.0.read_exact(&mut pong)).await.unwrap();
    assert_eq!(&pong, b"ping");
    assert_eq!(server.serving.connections(), 1);
    let ((), rest) = tokio::join!(server.serving.drain(), raw.rest());
    assert_eq!(rest, "bye");
    server.serving.stop().await.unwrap();
}
