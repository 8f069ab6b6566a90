//! Each runtime has its own levels and its own sink.
use crate::host::{Host, Tenant};

/// What the handler says at every request, and who says it.
fn all_from(tenant: &Tenant, count: usize, message: &str, service: &str) {
    let lines = tenant.sink.wait_for(count, message);
    assert_eq!(lines.len(), count, "{lines:?}");
    for line in lines {
        assert_eq!(line["service"], service, "{line}");
        assert!(line["trace_id"].is_string(), "{line}");
    }
}

#[test]
fn a_line_goes_to_the_runtime_whose_task_it_was_made_in() {
    let host = Host::new();
    let (one, two) = (host.start("one", &[]), host.start("two", &[]));
    for _ in 0..20 {
        assert_eq!(one.get("/").status, 200);
        assert_eq!(two.get("/later").status, 200);
    }
    all_from(&one, 20, "greeted", "one");
    all_from(&two, 20, "from a task", "two");
    all_from(&two, 20, "from a thread", "two");
    assert!(two.sink.saying("greeted").is_empty());
    assert!(one.sink.saying("from a task").is_empty());
    assert!(one.sink.lines().iter().all(|line| line["service"] == "one"));
    assert!(two.sink.lines().iter().all(|line| line["service"] == "two"));
}

#[test]
fn levels_are_those_of_the_runtime() {
    let host = Host::new();
    let loud = host.start("loud", &["telemetry.logs.level=debug"]);
    let usual = host.start("usual", &[]);
    let quiet = host.start("quiet", &["telemetry.logs.level=error"]);
    for tenant in [&loud, &usual, &quiet] {
        assert_eq!(tenant.get("/").status, 200);
        assert_eq!(tenant.get("/panic").status, 500);
        tenant
            .sink
            .wait_for(1, "a handler panicked: answered with 500");
    }
    let said = |tenant: &Tenant| {
        (
            tenant.sink.saying("greeted").len(),
            tenant.sink.saying("in detail").len(),
        )
    };
    assert_eq!(said(&loud), (1, 1));
    assert_eq!(said(&usual), (1, 0));
    assert_eq!(said(&quiet), (0, 0));
}

#[test]
fn a_level_that_is_changed_changes_for_one_only() {
    let host = Host::new();
    let (one, two) = (host.start("one", &[]), host.start("two", &[]));
    one.log_at("debug");
    for tenant in [&one, &two] {
        assert_eq!(tenant.get("/").status, 200);
        tenant.sink.wait_for(1, "greeted");
    }
    one.sink.wait_for(1, "in detail");
    assert!(two.sink.saying("in detail").is_empty());
    assert_eq!(one.admin("/loglevel").json()["level"], "debug");
    assert_eq!(two.admin("/loglevel").json()["level"], "info");
}

#[test]
fn a_sink_that_takes_nothing_is_its_own_runtimes_trouble() {
    let host = Host::new();
    let (one, two) = (host.start("one", &[]), host.start("two", &[]));
    one.sink.full(true);
    for _ in 0..10 {
        assert_eq!(one.get("/").status, 200);
        assert_eq!(two.get("/").status, 200);
    }
    all_from(&two, 10, "greeted", "two");
    detectviz_tests::eventually("the failed writes are counted", || {
        (one.metric("detectviz_log_write_errors_total", "") >= 1.0).then_some(())
    });
    assert_eq!(two.metric("detectviz_log_write_errors_total", ""), 0.0);
    assert_eq!(two.metric("detectviz_log_dropped_total", ""), 0.0);
}

#[test]
fn a_library_that_logs_outside_of_any_runtime_harms_nobody() {
    let host = Host::new();
    let one = host.start("one", &[]);
    tracing::info!("from nowhere");
    assert_eq!(one.get("/").status, 200);
    one.sink.wait_for(1, "greeted");
}
