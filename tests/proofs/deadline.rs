//! Deadlines from process to process.
use detectviz_tests::Launch;
use serde_json::json;
use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener},
    thread,
    time::Duration,
};

/// How often a machine may be too busy to show it.
const TRIES: usize = 5;

/// Answers one request, and says what its headers were.
fn receive(listener: &TcpListener) -> Vec<String> {
    let (mut stream, _) = listener.accept().unwrap();
    let reader = BufReader::new(stream.try_clone().unwrap());
    let lines = reader.lines().map(Result::unwrap);
    let headers = lines.take_while(|line| !line.is_empty()).collect();
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .unwrap();
    headers
}

/// What a `grpc-timeout` says.
fn left(headers: &[String]) -> Duration {
    let name = "grpc-timeout: ";
    let value = headers.iter().find_map(|line| line.strip_prefix(name));
    let value = value.unwrap_or_else(|| panic!("no {name}in {headers:?}"));
    let (digits, unit) = value.split_at(value.len() - 1);
    let number: u64 = digits.parse().unwrap();
    match unit {
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => panic!("{value}"),
    }
}

/// The law holds each time: no more than what is left. That nothing is lost on the way can only be seen when the machine
/// runs a process as soon as its timer fires, so the best of some tries counts.
#[test]
fn t2_what_is_left_of_a_deadline_goes_from_process_to_process() {
    let (first, second) = (Launch::conformance().start(), Launch::conformance().start());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let grpc = json!({"content-type": "application/grpc"});
    let received = format!("http://{}/", listener.local_addr().unwrap());
    // The first works for 120 ms and calls the second, which works for 60 ms and calls us.
    let last = json!([{"url": received, "arguments": [], "after_ms": 60, "headers": grpc}]);
    let through = format!("http://{}/test", second.http());
    let chain = json!([{"url": through, "arguments": last, "after_ms": 120, "headers": grpc}]);
    let direct = json!([{"url": received, "arguments": [], "after_ms": 120, "headers": grpc}]);
    for (call, most) in [(direct, 180), (chain, 120)] {
        let most = Duration::from_millis(most);
        let ask = || {
            thread::scope(|scope| {
                let received = scope.spawn(|| receive(&listener));
                let mut connection = first.connect();
                let timeout = "grpc-timeout: 300m\r\n";
                let reply = connection.post("/test", timeout, &call.to_string());
                assert_eq!(reply.unwrap().status, 200);
                let left = left(&received.join().unwrap());
                assert!(left <= most, "{left:?} are more than what was left");
                left
            })
        };
        let best = (0..TRIES).map(|_| ask()).max().unwrap();
        let least = most - Duration::from_millis(20);
        assert!(best >= least, "{best:?} at most in {TRIES} tries");
    }
}

#[test]
fn a_deadline_that_passes_on_the_way_is_answered_in_time_by_whoever_sees_it() {
    let (first, second) = (Launch::conformance().start(), Launch::conformance().start());
    let url = format!("http://{}/test", second.http());
    let never = json!([{"url": "http://127.0.0.1:1/", "arguments": [], "after_ms": 60_000}]);
    let call = json!([{"url": url, "arguments": never}]).to_string();
    let reply = first
        .connect()
        .post("/test", "x-request-timeout-ms: 150\r\n", &call)
        .unwrap();
    assert_eq!(reply.status, 504, "{}", reply.text());
    for service in [&first, &second] {
        let active = "http_server_active_requests";
        let page = service.settles(active, &[], 0.0);
        assert_eq!(page.sum("detectviz_bulkhead_in_flight", &[]), 0.0);
    }
}
