//! A handler that panics.
use detectviz_tests::{
    Launch,
    h2::{Frames, kind},
    lines,
};
use rustix::process::Signal;
use serde_json::Value;

const PANICS: &str = "detectviz_http_panics_total";

#[test]
fn a_panic_is_answered_with_500_counted_and_logged_and_the_connection_is_usable() {
    let mut service = Launch::conformance().start();
    assert_eq!(service.metric(PANICS, ""), 0.0);
    let mut connection = service.connect();
    for _ in 0..3 {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let header = format!("traceparent: 00-{trace}-b7ad6b7169203331-01\r\n");
        connection
            .send(format!("GET /panic HTTP/1.1\r\nHost: test\r\n{header}\r\n"))
            .unwrap();
        let reply = connection.reply().unwrap();
        assert_eq!((reply.status, reply.closes()), (500, false));
        assert!(reply.is_problem(), "{reply:?}");
        assert!(
            !reply.text().contains("on purpose"),
            "what it said is for the log only"
        );
        assert_eq!(connection.get("/").unwrap().text(), "hello");
    }
    let mut frames = Frames::open(service.http()).unwrap();
    frames.get(1, "/panic").unwrap();
    assert_eq!(frames.status(1), 500);
    frames.get(3, "/").unwrap();
    let next = frames.find(|f| f.kind == kind::HEADERS || f.kind == kind::GOAWAY);
    assert_eq!(next.unwrap().status(), 200);
    assert_eq!(service.metric(PANICS, ""), 4.0);
    let counted = service.metric("http_requests_total", "route=\"/panic\",status=\"500\"");
    assert_eq!(counted, 4.0);
    assert!(service.is_running());
    assert_eq!(service.admin_get("/readyz").unwrap().status, 200);
    let logged =
        service.wait_for_log(|line| line["message"] == "a handler panicked: answered with 500");
    assert_eq!(logged["level"], "ERROR");
    assert_eq!(logged["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(logged["panic"], "on purpose");
    assert!(logged["thread"].is_string(), "{logged}");
    assert!(logged.to_string().contains("src/service.rs"), "{logged}");
    service.signal(Signal::TERM);
    let ended = service.wait(detectviz_tests::BOUND);
    let told = lines::parse(&ended.stdout);
    let of_panics = |line: &&Value| line.to_string().contains("on purpose");
    assert_eq!(told.iter().filter(of_panics).count(), 4, "once each");
}
