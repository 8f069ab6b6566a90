//! HTTP/2, by hand where a client would be too polite.
use super::*;
use hyper_util::rt::{TokioExecutor, TokioIo};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;

/// A client that sends and reads frames.
struct Frames(Raw);

#[derive(Debug)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Frames {
    async fn connect(server: &Fixture) -> Self {
        let mut raw = server.connect().await;
        raw.send(PREFACE).await;
        let mut frames = Self(raw);
        frames.send(SETTINGS, 0, 0, &[]).await;
        frames
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = length[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.0.send(frame).await;
    }

    /// `GET http://a` and the path, whole in one frame, with nothing indexed beyond the static table.
    async fn get(&mut self, stream: u32, path: &str) {
        let mut block = vec![
            0x82,
            0x86,
            0x41,
            1,
            b'a',
            0x04,
            u8::try_from(path.len()).unwrap(),
        ];
        block.extend(path.bytes());
        self.send(HEADERS, 0x5, stream, &block).await;
    }

    async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        within(self.0.0.read_exact(&mut head)).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        within(self.0.0.read_exact(&mut payload)).await.ok()?;
        Some(Frame {
            kind: head[3],
            flags: head[4],
            stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
            payload,
        })
    }

    async fn until(&mut self, kind: u8) -> Frame {
        loop {
            let frame = self.next().await.expect("a frame");
            if frame.kind == kind && !(kind == PING && frame.flags & 1 == 1) {
                return frame;
            }
        }
    }
}

async fn client(server: &Fixture) -> hyper::client::conn::http2::SendRequest<Full<Bytes>> {
    let io = TokioIo::new(server.connect().await.0);
    let (sender, conn) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    server.tasks.spawn("client", async move {
        let _end = conn.await;
    });
    sender
}

fn request(path: &str, body: &'static str) -> Request<Full<Bytes>> {
    Request::post(format!("http://a{path}"))
        .body(Full::from(body))
        .unwrap()
}

#[tokio::test]
async fn prior_knowledge_is_told_by_the_preface() {
    let server = fixture(config());
    let mut client = client(&server).await;
    let response = client.send_request(request("/echo", "hi")).await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "hi"
    );
    let response = client.send_request(request("/conn", "")).await.unwrap();
    let said = response.into_body().collect().await.unwrap().to_bytes();
    assert!(
        String::from_utf8_lossy(&said).contains("version: HTTP/2.0"),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_head_request_gets_the_length_and_no_body() {
    let server = fixture(config());
    let mut client = client(&server).await;
    let head = Request::head("http://a/conn")
        .body(Full::default())
        .unwrap();
    let response = client.send_request(head).await.unwrap();
    assert_ne!(response.headers()["content-length"], "0");
    let body = response.into_body().collect().await.unwrap();
    assert!(body.to_bytes().is_empty());
    // The connection is as good as before.
    let response = client.send_request(request("/echo", "hi")).await.unwrap();
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.to_bytes(), "hi");
}

#[tokio::test]
async fn a_preface_in_pieces_is_still_one() {
    let server = fixture(config());
    let mut raw = server.connect().await;
    raw.0.set_nodelay(true).unwrap();
    for byte in PREFACE {
        raw.send([*byte]).await;
        tokio::task::yield_now().await;
    }
    let mut frames = Frames(raw);
    frames.send(SETTINGS, 0, 0, &[]).await;
    frames.get(1, "/").await;
    assert_eq!(frames.until(HEADERS).await.stream, 1);
}

#[tokio::test]
async fn with_http2_off_the_preface_is_no_request() {
    let mut config = config();
    config.http2.enabled = false;
    let server = fixture(config);
    let mut raw = server.connect().await;
    raw.send(PREFACE).await;
    let _said = raw.rest().await;
    server.open(0).await;
}

#[tokio::test]
async fn bodies_of_streams_have_limits_of_their_own() {
    let server = fixture(ServerConfig {
        max_body: detectviz_core::config::ByteSize(4),
        ..config()
    });
    let mut client = client(&server).await;
    let response = client
        .send_request(request("/echo", "12345"))
        .await
        .unwrap();
    assert_eq!(response.status(), 413);
    assert!(!response.headers().contains_key("connection"));
    let response = client.send_request(request("/echo", "1234")).await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn a_stream_whose_body_stalls_is_408_and_the_others_go_on() {
    let server = fixture(ServerConfig {
        progress_timeout: Duration::from_millis(80),
        ..config()
    });
    let mut frames = Frames::connect(&server).await;
    let block = [
        0x83, 0x86, 0x41, 1, b'a', 0x04, 5, b'/', b'e', b'c', b'h', b'o',
    ];
    frames.send(HEADERS, 0x4, 1, &block).await;
    let refused = frames.until(HEADERS).await;
    assert_eq!(refused.stream, 1);
    frames.get(3, "/").await;
    loop {
        let frame = frames.until(HEADERS).await;
        if frame.stream == 3 {
            assert_eq!(frame.payload[0], 0x88);
            break;
        }
    }
}

#[tokio::test]
async fn dr4_a_stream_opened_between_the_two_goaways_is_served() {
    let server = fixture(config());
    let mut frames = Frames::connect(&server).await;
    frames.get(1, "/gate").await;
    server.busy(1).await;
    let drain = server.serving.clone();
    let drained = server
        .tasks
        .spawn("drain", async move { drain.drain().await });
    let first = frames.until(GOAWAY).await;
    assert_eq!(first.payload[..4], (u32::MAX >> 1).to_be_bytes());
    frames.get(3, "/").await;
    let ping = frames.until(PING).await;
    frames.send(PING, 1, 0, &ping.payload).await;
    let (mut served, mut last) = (false, None);
    while last.is_none() || !served {
        let frame = frames.next().await.expect("a frame");
        match frame.kind {
            HEADERS if frame.stream == 3 => served = frame.payload[0] == 0x88,
            GOAWAY => last = Some(frame.payload[..4].to_vec()),
            _ => {}
        }
    }
    assert_eq!(last.unwrap(), 3_u32.to_be_bytes());
    server.handlers.gate.notify_one();
    assert_eq!(frames.until(HEADERS).await.stream, 1);
    within(drained).await.unwrap();
}

#[tokio::test]
async fn a_client_that_ignores_the_goaway_is_closed_after_the_linger() {
    let server = fixture(ServerConfig {
        linger: Duration::from_millis(50),
        ..config()
    });
    let mut frames = Frames::connect(&server).await;
    frames.until(SETTINGS).await;
    within(server.serving.drain()).await;
    server.serving.stop().await.unwrap();
}

#[tokio::test]
async fn streams_that_are_cut_leave_no_task_behind() {
    let server = fixture(config());
    let mut frames = Frames::connect(&server).await;
    frames.get(1, "/stuck").await;
    frames.get(3, "/stuck").await;
    server.busy(2).await;
    let err = within(server.serving.stop()).await.unwrap_err();
    assert!(err.to_string().contains("cut 2 requests"), "{err}");
    within(server.tasks.join(BOUND)).await.unwrap();
}

#[tokio::test]
async fn an_event_stream_ends_with_the_drain_here_too() {
    let server = fixture(config());
    let mut client = client(&server).await;
    let response = client.send_request(request("/sse", "")).await.unwrap();
    let body = response.into_body();
    let ((), body) = tokio::join!(server.serving.drain(), within(body.collect()));
    assert_eq!(body.unwrap().to_bytes(), "data: 1\n\n");
}

#[tokio::test]
async fn idle_connections_are_closed_and_busy_ones_not() {
    let server = fixture(ServerConfig {
        idle_timeout: Duration::from_millis(100),
        ..config()
    });
    let mut busy = Frames::connect(&server).await;
    busy.get(1, "/gate").await;
    server.busy(1).await;
    let _idle = Frames::connect(&server).await;
    server.closed(Closed::Idle, 1).await;
    server.handlers.gate.notify_one();
    assert_eq!(busy.until(HEADERS).await.stream, 1);
}
