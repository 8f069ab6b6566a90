//! W3C trace-context, level 2, through the whole process: what comes in with `POST /test` goes out with its calls. Names are
//! those of the suite (github.com/w3c/trace-context, `test/test.py`); every case of it is a unit test of
//! `detectviz_http::propagation`.
use detectviz_tests::{Launch, Service, http1::Connection};
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener},
    thread,
};

const TRACE: &str = "12345678901234567890123456789012";
const PARENT: &str = "00-12345678901234567890123456789012-1234567890123456-01";

/// What a call of the service carried.
#[derive(Debug)]
struct Call {
    trace_id: String,
    span_id: String,
    flags: String,
    tracestate: String,
}

/// What must be seen.
#[derive(Clone, Copy, Debug)]
enum Expect {
    /// The same trace, with this state.
    Continues(&'static str),
    /// Another trace, without a state.
    Restarts,
}
use Expect::{Continues, Restarts};

/// A name, the headers, and what comes of them.
type Case = (
    &'static str,
    &'static [(&'static str, &'static str)],
    Expect,
);

const CASES: [Case; 24] = [
    (
        "test_both_traceparent_and_tracestate_missing",
        &[],
        Restarts,
    ),
    (
        "test_traceparent_included_tracestate_missing",
        &[("traceparent", PARENT)],
        Continues(""),
    ),
    (
        "test_traceparent_duplicated",
        &[("traceparent", PARENT), ("traceparent", PARENT)],
        Restarts,
    ),
    (
        "test_traceparent_header_name",
        &[("trace-parent", PARENT)],
        Restarts,
    ),
    (
        "test_traceparent_header_name_valid_casing",
        &[("TraceParent", PARENT)],
        Continues(""),
    ),
    (
        "test_traceparent_version_0x00",
        &[(
            "traceparent",
            "00-12345678901234567890123456789012-1234567890123456-01.",
        )],
        Restarts,
    ),
    (
        "test_traceparent_version_0xcc",
        &[(
            "traceparent",
            "cc-12345678901234567890123456789012-1234567890123456-01-later",
        )],
        Continues(""),
    ),
    (
        "test_traceparent_version_0xff",
        &[(
            "traceparent",
            "ff-12345678901234567890123456789012-1234567890123456-01",
        )],
        Restarts,
    ),
    (
        "test_traceparent_version_illegal_characters",
        &[(
            "traceparent",
            ".0-12345678901234567890123456789012-1234567890123456-01",
        )],
        Restarts,
    ),
    (
        "test_traceparent_trace_id_all_zero",
        &[(
            "traceparent",
            "00-00000000000000000000000000000000-1234567890123456-01",
        )],
        Restarts,
    ),
    (
        "test_traceparent_trace_id_too_short",
        &[(
            "traceparent",
            "00-1234567890123456789012345678901-1234567890123456-01",
        )],
        Restarts,
    ),
    (
        "test_traceparent_parent_id_all_zero",
        &[(
            "traceparent",
            "00-12345678901234567890123456789012-0000000000000000-01",
        )],
        Restarts,
    ),
    (
        "test_traceparent_parent_id_illegal_characters",
        &[(
            "traceparent",
            "00-12345678901234567890123456789012-.234567890123456-01",
        )],
        Restarts,
    ),
    (
        "test_traceparent_trace_flags_too_long",
        &[(
            "traceparent",
            "00-12345678901234567890123456789012-1234567890123456-001",
        )],
        Restarts,
    ),
    (
        "test_traceparent_ows_handling",
        &[(
            "traceparent",
            "\t 00-12345678901234567890123456789012-1234567890123456-01 \t",
        )],
        Continues(""),
    ),
    (
        "test_tracestate_included_traceparent_missing",
        &[("tracestate", "foo=1")],
        Restarts,
    ),
    (
        "test_tracestate_included_traceparent_included",
        &[("traceparent", PARENT), ("tracestate", "foo=1,bar=2")],
        Continues("foo=1,bar=2"),
    ),
    (
        "test_tracestate_header_name",
        &[("traceparent", PARENT), ("trace-state", "foo=1")],
        Continues(""),
    ),
    (
        "test_tracestate_empty_header",
        &[
            ("traceparent", PARENT),
            ("tracestate", "foo=1"),
            ("tracestate", ""),
        ],
        Continues("foo=1"),
    ),
    (
        "test_tracestate_multiple_headers_different_keys",
        &[
            ("traceparent", PARENT),
            ("tracestate", "foo=1,bar=2"),
            ("tracestate", "baz=3"),
        ],
        Continues("foo=1,bar=2,baz=3"),
    ),
    (
        "test_tracestate_ows_handling",
        &[
            ("traceparent", PARENT),
            ("tracestate", "foo=1 \t , \t bar=2"),
        ],
        Continues("foo=1,bar=2"),
    ),
    (
        "test_tracestate_key_illegal_characters",
        &[("traceparent", PARENT), ("tracestate", "foo.bar=1")],
        Continues(""),
    ),
    (
        "test_tracestate_value_illegal_characters",
        &[("traceparent", PARENT), ("tracestate", "foo=bar=baz")],
        Continues(""),
    ),
    (
        "test_propagates_random_flag",
        &[(
            "traceparent",
            "00-12345678901234567890123456789012-1234567890123456-02",
        )],
        Continues(""),
    ),
];

/// Has the service call us `count` times for one request with these headers.
fn calls(service: &Service, headers: &[(&str, &str)], count: usize) -> Vec<Call> {
    let receiver = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/back", receiver.local_addr().unwrap());
    let call = serde_json::json!({ "url": url, "arguments": [1, "two"] });
    let body = serde_json::Value::from(vec![call; count]).to_string();
    let more: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let mut connection = service.connect();
    thread::scope(|scope| {
        let received = scope.spawn(|| receive(&receiver, count));
        let reply = connection.post("/test", &more, &body).unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
        received.join().unwrap()
    })
}

/// Answers that many requests, on however many connections.
fn receive(receiver: &TcpListener, count: usize) -> Vec<Call> {
    let mut calls = Vec::new();
    while calls.len() < count {
        let (mut stream, _) = receiver.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while calls.len() < count {
            let mut headers = Vec::new();
            loop {
                let mut line = String::new();
                let read = reader.read_line(&mut line).unwrap();
                if read == 0 || line == "\r\n" {
                    break;
                }
                headers.push(line.trim_end().to_owned());
            }
            if headers.is_empty() {
                break;
            }
            let all = |name: &str| -> Vec<&str> {
                let pairs = headers.iter().filter_map(|line| line.split_once(": "));
                let found = pairs.filter(|(n, _)| n.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value).collect()
            };
            let length = all("content-length")[0].parse().unwrap();
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            assert_eq!(body, br#"[1,"two"]"#);
            let parents = all("traceparent");
            assert_eq!(parents.len(), 1, "{headers:?}");
            let parts: Vec<_> = parents[0].split('-').map(str::to_owned).collect();
            let [version, trace_id, span_id, flags] = &parts[..] else {
                panic!("{headers:?}");
            };
            assert_eq!((&**version, trace_id.len(), span_id.len()), ("00", 32, 16));
            calls.push(Call {
                trace_id: trace_id.clone(),
                span_id: span_id.clone(),
                flags: flags.clone(),
                tracestate: members(&all("tracestate")),
            });
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                .unwrap();
        }
    }
    calls
}

/// The members of the list, without what may stand around them.
fn members(headers: &[&str]) -> String {
    let members = headers.iter().flat_map(|header| header.split(','));
    let members: Vec<_> = members.map(str::trim).filter(|m| !m.is_empty()).collect();
    members.join(",")
}

#[test]
fn every_case_is_passed_on_as_the_suite_asks() {
    let service = Launch::conformance().start();
    for (name, headers, expect) in CASES {
        let call = &calls(&service, headers, 1)[0];
        assert_ne!(
            call.span_id, "1234567890123456",
            "{name}: a span of its own"
        );
        assert_ne!(call.span_id, "0000000000000000", "{name}");
        match expect {
            Continues(state) => {
                assert_eq!(call.trace_id, TRACE, "{name}");
                assert_eq!(call.tracestate, state, "{name}");
            }
            Restarts => {
                assert_ne!(call.trace_id, TRACE, "{name}");
                assert_ne!(call.trace_id, "0".repeat(32), "{name}");
                assert_eq!(call.tracestate, "", "{name}");
            }
        }
    }
}

#[test]
fn test_propagates_random_flag() {
    let service = Launch::conformance().start();
    for (sent, seen) in [("00", 0), ("01", 1), ("02", 2), ("03", 3)] {
        let parent = format!("00-{TRACE}-1234567890123456-{sent}");
        let call = &calls(&service, &[("traceparent", &parent)], 1)[0];
        let flags = u8::from_str_radix(&call.flags, 16).unwrap();
        assert_eq!(flags, seen, "{sent}");
    }
}

#[test]
fn test_multiple_requests_with_valid_traceparent() {
    let service = Launch::conformance().start();
    let seen = calls(&service, &[("traceparent", PARENT)], 3);
    assert!(seen.iter().all(|call| call.trace_id == TRACE), "{seen:?}");
    let spans: BTreeSet<_> = seen.iter().map(|call| &call.span_id).collect();
    assert_eq!(spans.len(), 3, "{seen:?}");
}

#[test]
fn a_malformed_traceparent_is_counted() {
    let service = Launch::conformance().start();
    let malformed = || service.metric("detectviz_http_propagation_malformed_total", "");
    let before = malformed();
    let mut connection: Connection = service.connect();
    let reply = connection
        .post("/", "traceparent: nonsense\r\n", "x")
        .unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(malformed(), before + 1.0);
}
