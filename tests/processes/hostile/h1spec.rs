//! The cases of h1spec (github.com/uNetworking/h1spec) by their names, with bytes of our own.
use detectviz_tests::{BOUND, Launch};
use std::{ops::RangeInclusive, thread, time::Duration};

/// How long a server must be seen to wait for the rest of a request.
const WAITS: Duration = Duration::from_millis(200);

const OK: RangeInclusive<u16> = 200..=299;
const BAD: RangeInclusive<u16> = 400..=499;
const REFUSED: RangeInclusive<u16> = 400..=599;

/// A request that is not whole.
const FRAGMENTS: [(&str, &str); 15] = [
    ("Fragmented method", "P"),
    ("Fragmented URL 1", "PUT "),
    ("Fragmented URL 2", "PUT /some"),
    ("Fragmented URL 3", "PUT /some "),
    ("Fragmented HTTP version", "PUT /some HTT"),
    ("Fragmented request line", "PUT /some HTTP/1.1"),
    ("Fragmented request line newline 1", "PUT /some HTTP/1.1\r"),
    (
        "Fragmented request line newline 2",
        "PUT /some HTTP/1.1\r\n",
    ),
    ("Fragmented field name", "PUT /some HTTP/1.1\r\nHo"),
    ("Fragmented field value 1", "PUT /some HTTP/1.1\r\nHost:"),
    ("Fragmented field value 2", "PUT /some HTTP/1.1\r\nHost: "),
    (
        "Fragmented field value 3",
        "PUT /some HTTP/1.1\r\nHost: test",
    ),
    (
        "Fragmented field value 4",
        "PUT /some HTTP/1.1\r\nHost: test\r",
    ),
    ("Fragmented request", "PUT /some HTTP/1.1\r\nHost: test\r\n"),
    (
        "Fragmented request termination",
        "PUT /some HTTP/1.1\r\nHost: test\r\n\r",
    ),
];

/// A request, the status it gets, and the body where that is told.
const WHOLE: [(&str, &str, RangeInclusive<u16>, Option<&str>); 17] = [
    (
        "Request without HTTP version",
        "GET /\r\n\r\n",
        REFUSED,
        None,
    ),
    (
        "Valid GET request",
        "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n",
        OK,
        Some("hello"),
    ),
    (
        "Valid GET request with edge cases",
        "GET / HTTP/1.1\r\nHOST: \t a.test \r\nnothing:\r\n\r\n",
        OK,
        Some("hello"),
    ),
    (
        "Invalid header characters",
        "GET / HTTP/1.1\r\nHost: a.test\r\nx(y): 1\r\n\r\n",
        BAD,
        None,
    ),
    (
        "Missing Host header",
        "GET / HTTP/1.1\r\nAccept: */*\r\n\r\n",
        BAD,
        None,
    ),
    (
        "Multiple Host headers",
        "GET / HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\nHost: b.test\r\n\r\n",
        BAD,
        None,
    ),
    (
        "Overflowing negative Content-Length header",
        "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: -99999999999999999999999\r\n\r\n",
        BAD,
        None,
    ),
    (
        "Negative Content-Length header",
        "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: -1\r\n\r\n",
        BAD,
        None,
    ),
    (
        "Non-numeric Content-Length header",
        "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: five\r\n\r\n",
        BAD,
        None,
    ),
    (
        "Empty header value",
        "GET / HTTP/1.1\r\nHost: a.test\r\nnothing: \r\n\r\n",
        OK,
        Some("hello"),
    ),
    (
        "Header containing invalid control character",
        "GET / HTTP/1.1\r\nHost: a.test\r\nx: a\u{1}b\r\n\r\n",
        BAD,
        None,
    ),
    (
        "Invalid HTTP version",
        "GET / HTTP/7.3\r\nHost: a.test\r\n\r\n",
        REFUSED,
        None,
    ),
    (
        "Invalid prefix of request",
        "some wordsGET / HTTP/1.1\r\nHost: a.test\r\n\r\n",
        REFUSED,
        None,
    ),
    (
        "Invalid line ending",
        "GET / HTTP/1.1\r\nHost: a.test\r\n\rx: 1\r\n\r\n",
        BAD,
        None,
    ),
    (
        "Valid POST request with body",
        "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\nbody",
        OK,
        Some("body"),
    ),
    (
        "Chunked Transfer-Encoding",
        "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n5\r\n more\r\n0\r\n\r\n",
        OK,
        Some("some more"),
    ),
    (
        "Conflicting Transfer-Encoding and Content-Length in varying case",
        "POST / HTTP/1.1\r\nHost: a.test\r\nCONTENT-length: 2\r\nTRANSFER-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
        OK,
        Some("body"),
    ),
];

#[test]
fn fragments_are_waited_for() {
    let service = Launch::conformance().start();
    let service = &service;
    thread::scope(|scope| {
        for (name, bytes) in FRAGMENTS {
            scope.spawn(move || {
                let mut connection = service.connect();
                connection.send(bytes).unwrap();
                assert!(connection.is_silent_for(WAITS), "{name}");
            });
        }
    });
}

#[test]
fn whole_requests_get_the_status_that_they_deserve() {
    let service = Launch::conformance().start();
    for (name, bytes, expected, body) in WHOLE {
        let mut connection = service.connect();
        connection.send(bytes).unwrap();
        let reply = connection
            .reply()
            .unwrap_or_else(|err| panic!("{name}: {err}"));
        assert!(expected.contains(&reply.status), "{name}: {reply:?}");
        if let Some(body) = body {
            assert_eq!(reply.text(), body, "{name}");
        } else {
            assert!(reply.closes() && reply.is_problem(), "{name}: {reply:?}");
            assert!(connection.closes_within(BOUND), "{name}");
        }
    }
}

/// `Request with Expect header`: without a body there is nothing to continue with.
#[test]
fn a_client_that_expects_to_continue_is_told_to_when_the_body_is_wanted() {
    let service = Launch::conformance().start();
    let mut connection = service.connect();
    connection
        .send("GET / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\n\r\n")
        .unwrap();
    let mut reply = connection.reply().unwrap();
    if reply.status == 100 {
        reply = connection.reply().unwrap();
    }
    assert_eq!(reply.status, 200);
    let expecting =
        "POST /test HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    connection.send(expecting).unwrap();
    assert_eq!(connection.reply().unwrap().status, 100);
    connection.send("[]").unwrap();
    assert_eq!(connection.reply().unwrap().text(), "called\n");
}
