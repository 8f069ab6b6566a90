//! Each runtime counts for itself.
use crate::host::Host;
use detectviz_tests::eventually;

#[test]
fn requests_are_counted_where_they_were_served() {
    let host = Host::new();
    let tenants: Vec<_> = (1..=4)
        .map(|n| host.start(&format!("shop-{n}"), &[]))
        .collect();
    for (n, tenant) in tenants.iter().enumerate() {
        for _ in 0..=n {
            assert_eq!(tenant.get("/").status, 200);
        }
    }
    for (n, tenant) in tenants.iter().enumerate() {
        let counted = eventually("the last request is counted", || {
            let counted = tenant.metric("http_requests_total", "route=\"/\"");
            (counted > n as f64).then_some(counted)
        });
        assert_eq!(counted, n as f64 + 1.0);
        let name = format!(",service=\"shop-{}\"", n + 1);
        let page = tenant.admin("/metrics").text();
        let info: Vec<_> = page
            .lines()
            .filter(|l| l.starts_with("detectviz_build_info{"))
            .collect();
        assert!(info.len() == 1 && info[0].contains(&name), "{info:?}");
    }
}

#[test]
fn a_panic_is_counted_where_it_happened_and_disturbs_nobody_else() {
    let host = Host::new();
    let (one, two) = (host.start("one", &[]), host.start("two", &[]));
    assert_eq!(one.get("/panic").status, 500);
    assert_eq!(two.get("/").status, 200);
    assert_eq!(one.metric("detectviz_http_panics_total", ""), 1.0);
    assert_eq!(two.metric("detectviz_http_panics_total", ""), 0.0);
    one.sink
        .wait_for(1, "a handler panicked: answered with 500");
    assert!(
        two.sink
            .saying("a handler panicked: answered with 500")
            .is_empty()
    );
}

#[test]
fn the_limit_on_series_is_that_of_the_runtime() {
    let host = Host::new();
    let narrow = host.start("narrow", &["telemetry.metrics.cardinality_limit=2"]);
    let wide = host.start("wide", &[]);
    for tenant in [&narrow, &wide] {
        for path in ["/", "/later", "/nowhere"] {
            let _status = tenant.get(path);
        }
    }
    let overflow = |page: &str| page.contains("otel_metric_overflow=\"true\"");
    eventually("what goes beyond is folded", || {
        overflow(&narrow.admin("/metrics").text()).then_some(())
    });
    assert!(!overflow(&wide.admin("/metrics").text()));
}
