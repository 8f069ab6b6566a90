//! Whatever callers send, a line stays a line.
use crate::support::{ask, end, traceparent};
use detectviz_tests::{Launch, Service, bin, foreign::TempDir, http1::Connection};
use serde_json::{Value, json};

const TOKEN: &str = "hunter2-token";

/// The example `orders`, which logs what is ordered.
fn orders(dir: &TempDir, level: &str) -> Service {
    dir.write("orders-token", TOKEN);
    Launch::new(&bin("orders"))
        .set("secrets.file.root", dir.path().display())
        .set("telemetry.logs.level", level)
        .start()
}

/// Orders `item` in the trace `n`.
fn order(service: &Service, n: u64, item: &str) {
    let (parent, ..) = traceparent(n);
    let headers =
        format!("Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n{parent}");
    let body = json!({ "item": item, "quantity": 1 }).to_string();
    let reply = service
        .connect()
        .post("/orders", &headers, &body)
        .expect("an answer");
    assert_eq!(reply.status, 201, "{}", reply.text());
}

fn of_trace(lines: &[Value], n: u64) -> Vec<&Value> {
    let (_, trace, _) = traceparent(n);
    lines
        .iter()
        .filter(|line| line["trace_id"] == *trace)
        .collect()
}

#[test]
fn hostile_fields_of_user_events_stay_one_line_each() {
    let long = "x".repeat(1 << 20);
    let wide = "\u{1f980}\n".repeat(1 << 17);
    let items = [
        "plain",
        "\"quoted\", \"level\":\"ERROR\"",
        "two\nlines\r\n{\"message\":\"forged\"}\n",
        "\u{1b}[31mred\u{1b}[0m\u{7}\u{8}\u{7f}",
        "c1 \u{85}\u{9b}31m\u{90}",
        "separators \u{2028}\u{2029}",
        "nul \u{0} and bom \u{feff} and bidi \u{202e}",
        "\\ \\n \\u000a",
        &long,
        &wide,
    ];
    let dir = TempDir::new();
    let service = orders(&dir, "info");
    for (n, item) in (1..).zip(items) {
        order(&service, n, item);
    }
    let lines = end(service);
    for (n, item) in (1..).zip(items) {
        let ours = of_trace(&lines, n);
        let ordered: Vec<_> = ours.iter().filter(|l| l["message"] == "ordered").collect();
        assert_eq!(
            (ordered.len(), ours.len()),
            (1, 2),
            "{n}: the event and the access: {ours:?}"
        );
        let logged = ordered[0]["item"].as_str().expect("a text");
        if item.len() < 1000 {
            assert_eq!(logged, item);
        } else {
            assert!(item.starts_with(&logged[..1000]), "the start is kept");
        }
        assert_eq!(ordered[0]["level"], "INFO");
    }
    let events = lines
        .iter()
        .filter(|line| line["message"] == "ordered")
        .count();
    assert_eq!(events, items.len());
}

#[test]
fn hostile_heads_stay_one_line_each() {
    let service = Launch::conformance().start();
    let paths: [&[u8]; 6] = [
        b"/%0a%0d%22%1b%5b31m",
        b"/\"quoted\"",
        b"/{\"message\":1}",
        b"/\xe2\x80\xa8",
        b"/\xff\xfe",
        b"/?token=x",
    ];
    let long = vec![b'a'; 7000];
    let agents: [&[u8]; 8] = [
        b"\"quoted\",\"level\":\"ERROR\"",
        b"\\\\\"",
        b"tab\there",
        b"\x1b[31m",
        b"c1 \xc2\x9b31m",
        b"line \xe2\x80\xa8 separator",
        b"latin \xe9\xff",
        &long,
    ];
    let mut answered = 0;
    let mut refused = 0;
    for path in paths {
        for agent in agents {
            let mut connection = Connection::open(service.http()).expect("a connection");
            let head = [
                b"GET ",
                path,
                b" HTTP/1.1\r\nHost: test\r\nUser-Agent: ",
                agent,
                b"\r\n\r\n",
            ]
            .concat();
            connection.send(head).expect("it reads");
            match connection.reply().expect("an answer").status {
                200 | 404 => answered += 1,
                400 => refused += 1,
                other => panic!("{other}: {}", String::from_utf8_lossy(path)),
            }
        }
    }
    assert!(answered >= 24 && refused >= 6, "{answered} {refused}");
    let lines = end(service);
    let access = lines.iter().filter(|line| line["target"] == "http.access");
    assert_eq!(
        access.count(),
        answered,
        "one for each request that reached the stack"
    );
}

#[test]
fn lg4_no_secret_is_logged_at_any_level() {
    const SECRET: &str = "hunter2";
    let dir = TempDir::new();
    let service = orders(&dir, "trace");
    let headers = format!(
        "Authorization: Basic {SECRET}\r\nCookie: session={SECRET}\r\nX-Api-Key: {SECRET}\r\nUser-Agent: curl https://u:{SECRET}@h/?token={SECRET}\r\n"
    );
    let target = format!("/orders?token={SECRET}&password={SECRET}");
    assert_eq!(ask(service.http(), "GET", &target, &headers).status, 200);
    order(
        &service,
        1,
        &format!("postgres://u:{SECRET}@db/x?password={SECRET}"),
    );
    let lines = end(service);
    assert!(
        lines
            .iter()
            .any(|line| line["level"] == "TRACE" || line["level"] == "DEBUG")
    );
    for line in &lines {
        assert!(!line.to_string().contains(SECRET), "{line}");
    }
}

#[test]
fn lg5_no_line_carries_another_requests_trace() {
    const REQUESTS: u64 = 10_000;
    const CLIENTS: u64 = 8;
    let service = Launch::conformance().start();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let addr = service.http();
            let work = move || {
                let mut connection = Connection::open(addr).expect("a connection");
                for n in (1..=REQUESTS).filter(|n| n % CLIENTS == client) {
                    let (parent, ..) = traceparent(n);
                    let head = format!("GET /of/{n} HTTP/1.1\r\nHost: test\r\n{parent}\r\n");
                    connection.send(head).expect("it reads");
                    assert_eq!(connection.reply().expect("an answer").status, 404);
                }
            };
            let thread = std::thread::Builder::new().spawn_scoped(scope, work);
            drop(thread.expect("a thread"));
        }
    });
    let lines = end(service);
    let mut seen = 0;
    for line in lines.iter().filter(|line| line["target"] == "http.access") {
        let path = line["path"].as_str().expect("a path");
        let n = path.trim_start_matches("/of/").parse().expect("a number");
        let (_, trace, caller) = traceparent(n);
        assert_eq!(line["trace_id"], *trace, "{line}");
        assert_ne!(line["span_id"], *caller, "{line}");
        seen += 1;
    }
    assert_eq!(seen, REQUESTS);
}
