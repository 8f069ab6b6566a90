//! Heads that servers have read in two ways, to the harm of those behind them.
use detectviz_tests::{BOUND, Launch};

#[test]
fn a_request_without_exactly_one_good_host_gets_400_and_is_closed() {
    let service = Launch::conformance().start();
    for head in [
        "",
        "Host: a\r\nHost: a\r\n",
        "Host: a\r\nHost: b\r\n",
        "Host: a b\r\n",
        "Host: a/b\r\n",
        "Host: :80\r\n",
        "Host: user@a\r\n",
        "Host: a:port\r\n",
        "Host: a:99999\r\n",
        "Host: [::1\r\n",
        "Host: a\u{7f}\r\n",
    ] {
        let mut connection = service.connect();
        // What comes behind it must not be taken for a request.
        connection
            .send(format!(
                "GET / HTTP/1.1\r\n{head}\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
            ))
            .unwrap();
        let reply = connection.reply().unwrap();
        assert_eq!((reply.status, reply.closes()), (400, true), "{head:?}");
        assert!(reply.is_problem());
        assert!(connection.closes_within(BOUND), "{head:?}");
    }
    for host in ["a", "a.test:80", "[::1]:80", "127.0.0.1", "a_b.test"] {
        let mut connection = service.connect();
        connection
            .send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"))
            .unwrap();
        assert_eq!(connection.reply().unwrap().status, 200, "{host}");
    }
}

/// RFC 9112 §6.3: the coding counts, the length does not, and the connection ends, so that what a proxy took for the body
/// is never taken for a request.
#[test]
fn with_both_a_length_and_a_coding_the_coding_counts_and_the_connection_is_closed() {
    let service = Launch::conformance().start();
    for both in [
        "Content-Length: 60\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 60\r\n",
        "transfer-encoding: CHUNKED\r\ncontent-length: 0\r\n",
    ] {
        let mut connection = service.connect();
        let smuggled = "GET /slow?ms=1 HTTP/1.1\r\nHost: a\r\n\r\n";
        connection
            .send(format!(
                "POST / HTTP/1.1\r\nHost: a\r\n{both}\r\n4\r\nbody\r\n0\r\n\r\n{smuggled}"
            ))
            .unwrap();
        let reply = connection.reply().unwrap();
        assert_eq!((reply.status, &*reply.text()), (200, "body"), "{both}");
        assert!(reply.closes(), "{both}");
        assert!(connection.closes_within(BOUND), "{both}");
    }
}

#[test]
fn bodies_whose_length_is_in_doubt_are_refused() {
    let service = Launch::conformance().start();
    for doubt in [
        "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Content-Length: 4, 5\r\n",
        "Content-Length: +4\r\n",
        "Content-Length: 0x4\r\n",
        "Content-Length: 4 4\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Content-Length : 4\r\n",
        " Content-Length: 4\r\n",
    ] {
        let mut connection = service.connect();
        connection
            .send(format!("POST / HTTP/1.1\r\nHost: a\r\n{doubt}\r\nbody"))
            .unwrap();
        let reply = connection.reply().unwrap();
        assert!((400..=501).contains(&reply.status), "{doubt:?}: {reply:?}");
        assert!(reply.closes(), "{doubt:?}");
        assert!(connection.closes_within(BOUND), "{doubt:?}");
    }
}

#[test]
fn chunks_that_are_malformed_end_the_connection() {
    let service = Launch::conformance().start();
    for chunks in [
        "x\r\nbody\r\n0\r\n\r\n",
        "-4\r\nbody\r\n0\r\n\r\n",
        "4\r\nbodyX\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nbody\r\n0\r\n\r\n",
        "4 4\r\nbody\r\n0\r\n\r\n",
    ] {
        let mut connection = service.connect();
        connection
            .send(format!(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"
            ))
            .unwrap();
        let status = connection.reply().map_or(0, |reply| reply.status);
        assert!(status == 0 || status >= 400, "{chunks:?}: {status}");
        assert!(connection.rest().is_ok(), "{chunks:?}: closed");
    }
    assert_eq!(service.get("/").status, 200);
}
