//! A trace goes through several runtimes as it goes through several processes.
use crate::host::Host;

#[test]
fn a_call_from_one_runtime_to_another_stays_in_its_trace() {
    let host = Host::new();
    let (one, two) = (host.start("one", &[]), host.start("two", &[]));
    let reply = one.get(&format!("/call?to={}", two.http));
    assert_eq!(reply.text(), "200 OK");
    let called = &one.sink.wait_for(1, "called")[0];
    let greeted = &two.sink.wait_for(1, "greeted")[0];
    assert_eq!(called["trace_id"], greeted["trace_id"]);
    assert_ne!(called["span_id"], greeted["span_id"]);
    assert_eq!(
        (&called["service"], &greeted["service"]),
        (&"one".into(), &"two".into())
    );
    assert!(two.sink.saying("called").is_empty());
    assert!(one.sink.saying("greeted").is_empty());
}
