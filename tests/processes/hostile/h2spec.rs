//! The most telling cases of h2spec (github.com/summerwind/h2spec) by their sections, with frames of our own, and the attacks
//! that it does not know.
use detectviz_tests::{
    Launch, Service,
    h2::{ACK, END_HEADERS, END_STREAM, Frames, code, get, header, kind, post},
    http1::Connection,
};

/// What must come of a breach.
#[derive(Clone, Copy, Debug)]
enum Ends {
    /// GOAWAY with this code, or a close.
    Connection(u32),
    /// RST_STREAM with this code for stream 1, or the end of the connection with it.
    Stream(u32),
}

type Breach = (&'static str, fn(&mut Frames), Ends);

const HEADERS: u8 = kind::HEADERS;
const BOTH: u8 = END_HEADERS | END_STREAM;

fn open(service: &Service) -> Frames {
    let mut frames = Frames::open(service.http()).unwrap();
    frames.find(|f| f.kind == kind::SETTINGS).expect("settings");
    frames
}

/// Sends what the other end may refuse to take.
fn send(frames: &mut Frames, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let _closed = frames.send(kind, flags, stream, payload);
}

fn request(frames: &mut Frames, block: &[&[u8]]) {
    send(frames, HEADERS, BOTH, 1, &block.concat());
}

/// Stream 1 is answered and so closed.
fn answered(frames: &mut Frames) {
    frames.get(1, "/").unwrap();
    let end = |f: &detectviz_tests::h2::Frame| f.stream == 1 && f.flags & END_STREAM != 0;
    frames.find(end).expect("an answer");
}

/// Some end with PROTOCOL_ERROR where the RFC has a more telling code, and with the connection where the stream would do
/// (RFC 9113 §5.4 allows that): so says the crate `h2`.
const BREACHES: [Breach; 24] = [
    (
        "3.5: invalid connection preface",
        |f| {
            let _closed = f.send_raw(b"INVALID CONNECTION PREFACE\r\n\r\n");
        },
        Ends::Connection(code::FRAME_SIZE_ERROR),
    ),
    (
        "4.2: a large HEADERS frame beyond SETTINGS_MAX_FRAME_SIZE",
        |f| send(f, HEADERS, BOTH, 1, &[0; 16_385]),
        Ends::Connection(code::FRAME_SIZE_ERROR),
    ),
    (
        "4.2: a large DATA frame beyond SETTINGS_MAX_FRAME_SIZE",
        |f| {
            send(f, HEADERS, END_HEADERS, 1, &post("/"));
            send(f, kind::DATA, END_STREAM, 1, &[0; 16_385]);
        },
        Ends::Stream(code::FRAME_SIZE_ERROR),
    ),
    (
        "4.3: an invalid header block fragment",
        |f| {
            send(
                f,
                HEADERS,
                BOTH,
                1,
                &[0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            )
        },
        Ends::Connection(code::PROTOCOL_ERROR),
    ),
    (
        "4.3: another frame while headers continue",
        |f| {
            send(f, HEADERS, END_STREAM, 1, &get("/"));
            send(f, kind::PING, 0, 0, &[0; 8]);
        },
        Ends::Connection(code::PROTOCOL_ERROR),
    ),
    (
        "5.1: idle: a DATA frame",
        |f| send(f, kind::DATA, END_STREAM, 1, b"x"),
        Ends::Connection(code::PROTOCOL_ERROR),
    ),
    (
        "5.1: idle: a RST_STREAM frame",
        |f| send(f, kind::RST_STREAM, 0, 1, &[0, 0, 0, 8]),
        Ends::Connection(code::PROTOCOL_ERROR),
    ),
    (
        "5.1: idle: a WINDOW_UPDATE frame",
        |f| send(f, kind::WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1]),
        Ends::Connection(code::PROTOCOL_ERROR),
    ),
    (
        "5.1: half closed (remote): a DATA frame",
        |f| {
            f.get(1, "/slow?ms=500").unwrap();
            send(f, kind::DATA, END_STREAM, 1, b"x");
        },
        Ends::Connection(code::PROTOCOL_ERROR),
    ),
    (
        "5.1: half closed (remote): a HEADERS frame",
        |f| {
            f.get(1, "/slow?ms=500").unwrap();
            request(f, &[&get("/")]);
        },
        Ends::Connection(code::PROTOCOL_ERROR),
    ),
    (
        "5.1: closed: a HEADERS frame",
        |f| {
            answered(f);
            request(f, &[&get("/")]);
        },
        Ends::Connection(code::PROTOCOL_ERROR),
    ),
    (
        "5.1.1: a stream with an even number",
        |f| send(f, HEADERS, BOTH, 2, &get("/")),
        Ends::Connection(code::PROTOCOL_ERROR),
    ),
    (
        "6.1: DATA on stream 0",
        |f| send(f, kind::DATA, 0, 0, b"x"),
        Ends::Connection(code::PROTOCOL_ERROR),
    ),
    (
        "6.5: SETTINGS ACK with a payload",
        |f| send(f, kind::SETTINGS, ACK, 0, &[0; 6]),
        Ends::Connection(code::PROTOCOL_ERROR),
    ),
    (
        "6.5.2: SETTINGS_INITIAL_WINDOW_SIZE above the maximum",
        |f| send(f, kind::SETTINGS, 0, 0, &[0, 4, 0x80, 0, 0, 0]),
        Ends::Connection(code::PROTOCOL_ERROR),
    ),
    (
        "6.7: PING of a wrong length",
        |f| send(f, kind::PING, 0, 0, &[0; 6]),
        Ends::Connection(code::PROTOCOL_ERROR),
    ),
    (
        "6.9: WINDOW_UPDATE by 0",
        |f| send(f, kind::WINDOW_UPDATE, 0, 0, &[0; 4]),
        Ends::Connection(code::PROTOCOL_ERROR),
    ),
    (
        "6.9.1: a window above 2^31-1",
        |f| {
            for _ in 0..2 {
                send(f, kind::WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff]);
            }
        },
        Ends::Connection(code::FLOW_CONTROL_ERROR),
    ),
    (
        "6.9.1: a window above 2^31-1 on a stream",
        |f| {
            f.get(1, "/slow?ms=500").unwrap();
            for _ in 0..2 {
                send(f, kind::WINDOW_UPDATE, 0, 1, &[0x7f, 0xff, 0xff, 0xff]);
            }
        },
        Ends::Stream(code::FLOW_CONTROL_ERROR),
    ),
    (
        "6.10: CONTINUATION without HEADERS",
        |f| send(f, kind::CONTINUATION, END_HEADERS, 1, &get("/")),
        Ends::Connection(code::PROTOCOL_ERROR),
    ),
    (
        "8.1.2: a name in upper case",
        |f| request(f, &[&get("/"), &header("X-Test", "1")]),
        Ends::Stream(code::PROTOCOL_ERROR),
    ),
    (
        "8.1.2.1: an unknown pseudo-header",
        |f| request(f, &[&get("/"), &header(":test", "1")]),
        Ends::Stream(code::PROTOCOL_ERROR),
    ),
    (
        "8.1.2.2: a header of the connection",
        |f| request(f, &[&get("/"), &header("connection", "keep-alive")]),
        Ends::Stream(code::PROTOCOL_ERROR),
    ),
    (
        "8.1.2.6: a content-length that does not fit",
        |f| {
            send(
                f,
                HEADERS,
                END_HEADERS,
                1,
                &[post("/"), header("content-length", "1")].concat(),
            );
            send(f, kind::DATA, END_STREAM, 1, b"four");
        },
        Ends::Stream(code::PROTOCOL_ERROR),
    ),
];

#[test]
fn breaches_of_the_protocol_end_the_stream_or_the_connection() {
    let service = Launch::conformance().start();
    let mut wrong = Vec::new();
    for (name, breach, ends) in BREACHES {
        let mut frames = open(&service);
        breach(&mut frames);
        let seen = frames.find(|f| matches!(f.kind, kind::GOAWAY | kind::RST_STREAM));
        match (seen, ends) {
            // The close comes in the place of GOAWAY where the client sent more than was read.
            (None, _) => {}
            (Some(f), Ends::Connection(code) | Ends::Stream(code)) if f.kind == kind::GOAWAY => {
                if f.goaway().1 != code {
                    wrong.push(format!("{name}: {ends:?}, got {:?}", f.goaway()));
                }
                assert!(frames.find(|_| false).is_none(), "{name}: closed");
            }
            (Some(f), Ends::Stream(code)) => {
                if (f.stream, f.reset()) != (1, code) {
                    wrong.push(format!("{name}: {ends:?}, got {f:?}"));
                }
                frames.get(3, "/").unwrap();
                assert_eq!(frames.status(3), 200, "{name}: others go on");
            }
            (Some(f), Ends::Connection(_)) => wrong.push(format!("{name}: {ends:?}, got {f:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(service.get("/").status, 200);
}

/// CVE-2023-44487.
#[test]
fn rapid_resets_end_the_connection_and_nobody_else_suffers() {
    let service = Launch::conformance().start();
    let mut frames = open(&service);
    let mut sent = 0;
    for stream in (1..200_001).step_by(2) {
        let reset = frames
            .get(stream, "/slow?ms=60000")
            .and_then(|()| frames.send(kind::RST_STREAM, 0, stream, &[0, 0, 0, 8]));
        if reset.is_err() {
            break;
        }
        sent += 1;
    }
    assert!(sent < 100_000, "it was let do so {sent} times");
    if let Some(away) = frames.find(|f| f.kind == kind::GOAWAY) {
        assert_eq!(away.goaway().1, code::ENHANCE_YOUR_CALM);
    }
    assert_eq!(
        Connection::open(service.http())
            .unwrap()
            .get("/")
            .unwrap()
            .status,
        200
    );
}

/// CVE-2024-27316: headers that never end.
#[test]
fn endless_continuations_end_the_connection() {
    let service = Launch::conformance().start();
    let before = service.resident();
    let mut frames = open(&service);
    send(&mut frames, HEADERS, END_STREAM, 1, &get("/"));
    let more = header("x", &"y".repeat(100)).repeat(150);
    let closed = (0..20_000).find(|_| frames.send(kind::CONTINUATION, 0, 1, &more).is_err());
    assert!(closed.is_some(), "300 MB of headers were taken");
    assert!(service.resident() < before + (16 << 20));
    assert_eq!(service.get("/").status, 200);
}

/// CVE-2019-9512, -9515: answers that nobody reads.
#[test]
fn a_flood_of_pings_or_settings_holds_no_memory() {
    let service = Launch::conformance()
        .set("http.progress_timeout", "500ms")
        .start();
    let before = service.resident();
    for (kind, payload) in [(kind::PING, &[0_u8; 8][..]), (kind::SETTINGS, &[])] {
        let mut frames = open(&service);
        let frame = detectviz_tests::h2::frame(kind, 0, 0, payload).repeat(1_000);
        let _closed = (0..1_000).find(|_| frames.send_raw(&frame).is_err());
        let grown = service.resident().saturating_sub(before);
        assert!(grown < 16 << 20, "{grown} bytes");
    }
    assert_eq!(service.get("/").status, 200);
}
