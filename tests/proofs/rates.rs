//! Rate limits by header, through the server.
use detectviz_tests::{Launch, Service, full, optimised};
use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
};

const MIB: u64 = 1 << 20;

/// Requests that are sent before their answers are read.
const BATCH: u64 = 200;

/// A service that allows each key ten requests a minute.
fn limited(max_keys: u32) -> Service {
    let limit = "http.layers.admission.rate_limits.api";
    Launch::new(&optimised("conformance"))
        .set(&format!("{limit}.rate"), "10/m")
        .set(&format!("{limit}.burst"), 2)
        .set(&format!("{limit}.key"), "header:x-api-key")
        .set(&format!("{limit}.max_keys"), max_keys)
        .set("telemetry.logs.level", "warn")
        .start()
}

#[test]
fn a_key_beyond_its_rate_is_told_when_to_come_back_and_others_are_served() {
    let service = limited(1_000);
    let mut connection = service.connect();
    let mut ask = |key: &str| {
        let head = format!("GET / HTTP/1.1\r\nHost: test\r\nx-api-key: {key}\r\n\r\n");
        connection.send(head).unwrap();
        connection.reply().unwrap()
    };
    for _ in 0..2 {
        assert_eq!(ask("one").status, 200);
    }
    let refused = ask("one");
    assert_eq!(refused.status, 429);
    assert!(refused.is_problem());
    let after: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=6).contains(&after), "{refused:?}");
    let says = |name: &str| refused.header(name).unwrap_or_default().to_owned();
    assert_eq!(says("ratelimit"), format!("\"api\";r=0;t={after}"));
    assert!(
        says("ratelimit-policy").starts_with("\"api\";q=2;w="),
        "{refused:?}"
    );
    assert_eq!(ask("two").status, 200);
    assert_eq!(service.get("/readyz").status, 200, "a probe has no rate");
    let limited = service.metric("detectviz_rate_limit_limited_total", "api");
    assert_eq!(limited, 1.0);
}

/// Sends a request with each of `keys`; how many were let through and how many were refused.
fn send(service: &Service, keys: std::ops::Range<u64>) -> (u64, u64) {
    let mut stream = TcpStream::connect(service.http()).unwrap();
    let (mut through, mut refused) = (0, 0);
    let mut part = [0; 64 * 1024];
    let mut batch = Vec::new();
    let mut next = keys.start;
    while next < keys.end {
        let end = keys.end.min(next + BATCH);
        batch.clear();
        for key in next..end {
            write!(
                batch,
                "GET / HTTP/1.1\r\nHost: test\r\nx-api-key: {key:016x}\r\n\r\n"
            )
            .unwrap();
        }
        stream.write_all(&batch).unwrap();
        let (mut read, mut answers) = (Vec::new(), 0);
        while answers < end - next || !read.ends_with(b"}") && !read.ends_with(b"hello") {
            let count = stream.read(&mut part).unwrap();
            assert!(count > 0, "the connection stays open");
            read.extend_from_slice(&part[..count]);
            let statuses = || {
                read.windows(12)
                    .filter(|text| text.starts_with(b"HTTP/1.1 "))
            };
            answers = statuses().count() as u64;
        }
        for status in read
            .windows(12)
            .filter(|text| text.starts_with(b"HTTP/1.1 "))
        {
            match &status[9..] {
                b"200" => through += 1,
                b"429" => refused += 1,
                _ => panic!("{}", String::from_utf8_lossy(&read)),
            }
        }
        next = end;
    }
    (through, refused)
}

#[test]
fn a_million_keys_take_no_more_memory_than_was_set_aside() {
    const MAX_KEYS: u32 = 65_536;
    let service = limited(MAX_KEYS);
    // What connections, series and the allocator need is there before.
    for _ in 0..2 {
        send(&service, 0..2_000);
    }
    let before = service.resident();
    let keys: u64 = if full() { 1_000_000 } else { 150_000 };
    let sent: Vec<(u64, u64)> = thread::scope(|scope| {
        let service = &service;
        let half = keys / 2;
        let senders = [1..half, half..keys].map(|keys| scope.spawn(move || send(service, keys)));
        senders.map(|sender| sender.join().unwrap()).to_vec()
    });
    let (through, refused) = sent
        .iter()
        .fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    let growth = service.resident().saturating_sub(before);
    println!("{keys} keys: {through} let through, {refused} refused, {growth} bytes more");
    assert_eq!(through + refused, keys - 1);
    // At most 32 bytes a key, and something for the rest of the process.
    let most = u64::from(MAX_KEYS) * 32 + 4 * MIB;
    assert!(growth <= most, "{growth} bytes more, at most {most}");
    let active = service.metric("detectviz_rate_limit_keys", "");
    assert!(active <= 2.0 * f64::from(MAX_KEYS), "{active}");
    assert_eq!(service.get("/readyz").status, 200);
}
