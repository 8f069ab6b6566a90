//! A runtime ends alone.
use crate::host::{Host, ask, builder};
use detectviz_core::{
    lifecycle::{Signal, Signals},
    runtime::Options,
};
use detectviz_tests::{eventually, http1::Connection};
use std::{io, sync::Arc, thread};

#[test]
fn one_drains_while_the_other_serves() {
    let host = Host::new();
    let (one, two) = (host.start("one", &[]), host.start("two", &[]));
    let mut kept = Connection::open(two.http).unwrap();
    assert_eq!(kept.get("/").unwrap().status, 200);
    let gone = one.http;
    let outcome = thread::scope(|scope| {
        let ending = scope.spawn(|| host.end(one));
        let mut asked = 0;
        while !ending.is_finished() || asked < 10 {
            let reply = kept.get("/").unwrap();
            assert_eq!((reply.status, reply.closes()), (200, false));
            assert_eq!(two.admin("/readyz").status, 200);
            asked += 1;
        }
        ending.join().unwrap()
    });
    assert!(outcome.is_clean(), "{outcome}");
    assert!(Connection::open(gone).is_err(), "its port is closed");
    let before = two.sink.saying("greeted").len();
    assert_eq!(kept.get("/").unwrap().status, 200);
    two.sink.wait_for(before + 1, "greeted");
    assert!(host.end(two).is_clean());
}

#[test]
fn the_first_of_several_may_end_first() {
    let host = Host::new();
    let first = host.start("first", &[]);
    let others: Vec<_> = (0..3)
        .map(|n| host.start(&format!("other-{n}"), &[]))
        .collect();
    assert!(host.end(first).is_clean());
    for (n, other) in others.into_iter().enumerate() {
        assert_eq!(other.get("/").status, 200);
        let line = &other.sink.wait_for(1, "greeted")[0];
        assert_eq!(line["service"], format!("other-{n}"));
        assert!(host.end(other).is_clean());
    }
}

#[test]
fn what_has_ended_can_start_again_on_the_same_port() {
    let host = Host::new();
    let first = host.start("again", &[]);
    assert_eq!(first.get("/").status, 200);
    let port = format!("http.port={}", first.http.port());
    assert!(host.end(first).is_clean());
    let second = host.start("again", &[&port]);
    assert_eq!(second.get("/").status, 200);
    assert_eq!(
        second.sink.wait_for(1, "greeted").len(),
        1,
        "it counts from the beginning"
    );
    eventually("and so do its metrics", || {
        (second.metric("http_requests_total", "route=\"/\"") == 1.0).then_some(())
    });
}

#[test]
fn a_signal_for_one_ends_one() {
    let host = Host::new();
    let (one, two) = (host.start("one", &[]), host.start("two", &[]));
    let (sender, signals) = Signals::manual();
    sender.send(Signal::Terminate);
    let outcome = host.block_on(one.into_started().run(signals));
    assert!(outcome.is_clean(), "{outcome}");
    assert_eq!(two.get("/").status, 200);
}

#[test]
fn a_runtime_that_cannot_start_takes_nobody_with_it() {
    let host = Host::new();
    let one = host.start("one", &[]);
    let builder = builder("two", Arc::default());
    let taken = format!("http.port={}", one.http.port());
    let plan = builder.plan(&builder.sources().set(&taken)).unwrap();
    let outcome = host.block_on(async {
        let (_, signals) = Signals::manual();
        plan.build(Options::embedded(io::sink()))
            .unwrap()
            .run(signals)
            .await
    });
    assert_eq!(outcome.exit_code(), 69, "{outcome}");
    assert_eq!(ask(one.http, "/").status, 200);
    assert!(host.end(one).is_clean());
}

#[test]
fn many_runtimes_come_and_go() {
    let host = Host::new();
    for round in 0..3 {
        let tenants: Vec<_> = (0..8)
            .map(|n| host.start(&format!("t{round}-{n}"), &[]))
            .collect();
        for tenant in &tenants {
            assert_eq!(tenant.get("/").status, 200);
        }
        for tenant in tenants {
            let sink = tenant.sink.clone();
            let name = tenant.started().shared().identity.name.clone();
            assert!(host.end(tenant).is_clean());
            let greeted = sink.saying("greeted");
            assert_eq!(greeted.len(), 1, "all is written by the end");
            assert_eq!(greeted[0]["service"], name);
        }
    }
}
