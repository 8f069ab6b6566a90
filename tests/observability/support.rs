//! What the tests of this suite share.
use detectviz_tests::{
    Launch, Service, bin, eventually,
    http1::{Connection, Reply},
    lines,
};
use rustix::process::Signal;
use serde_json::Value;
use std::net::SocketAddr;

/// The quickstart: a gateway and three instances of orders, on free ports.
pub(crate) fn quickstart() -> Launch {
    Launch::new(&bin("quickstart")).sets(&[
        "orders-1.port=0",
        "orders-1.admin_port=0",
        "orders-2.port=0",
        "orders-2.admin_port=0",
        "orders-3.port=0",
        "orders-3.admin_port=0",
    ])
}

/// A request with these header lines, each ended by CRLF.
pub(crate) fn ask(addr: SocketAddr, method: &str, target: &str, headers: &str) -> Reply {
    let mut connection = Connection::open(addr).expect("the service takes connections");
    let head = format!("{method} {target} HTTP/1.1\r\nHost: test\r\n{headers}\r\n");
    connection.send(head).expect("it reads");
    let reply = connection.reply();
    reply.unwrap_or_else(|err| panic!("{method} {target}: {err}"))
}

/// A `traceparent` line of a sampled trace, and the ids of trace and span. `n` is not 0.
pub(crate) fn traceparent(n: u64) -> (String, String, String) {
    let (trace, span) = (format!("{n:016x}{:016x}", !n), format!("{n:016x}"));
    let line = format!("traceparent: 00-{trace}-{span}-01\r\n");
    (line, trace, span)
}

/// Ends the service as Kubernetes does, and gives what it logged.
pub(crate) fn end(service: Service) -> Vec<Value> {
    service.signal(Signal::TERM);
    let ended = service.wait(detectviz_tests::BOUND);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    lines::parse(&ended.stdout)
}

/// The first log line that fits, once it is there.
pub(crate) fn line(service: &Service, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    eventually(what, || {
        let text = service.stdout();
        // The last line may still be on its way.
        let whole = &text[..text.rfind('\n').map_or(0, |at| at + 1)];
        lines::parse(whole).into_iter().find(&fits)
    })
}
