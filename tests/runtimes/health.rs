//! Each runtime is judged by its own checks.
use crate::host::Host;
use detectviz_tests::eventually;
use std::sync::atomic::Ordering;

#[test]
fn a_dead_dependency_makes_only_its_own_runtime_unready() {
    let host = Host::new();
    let (one, two) = (host.start("one", &[]), host.start("two", &[]));
    one.healthy.store(false, Ordering::Release);
    eventually("one is unready", || {
        (one.admin("/readyz").status == 503).then_some(())
    });
    for path in ["/readyz", "/livez", "/startupz"] {
        assert_eq!(two.admin(path).status, 200, "{path}");
        assert_eq!(two.get(path).status, 200, "{path}");
    }
    assert_eq!(one.admin("/livez").status, 200);
    assert_eq!(one.metric("detectviz_health_ready ", ""), 0.0);
    assert_eq!(two.metric("detectviz_health_ready ", ""), 1.0);
    one.healthy.store(true, Ordering::Release);
    eventually("one is ready again", || {
        (one.admin("/readyz").status == 200).then_some(())
    });
}

#[test]
fn what_a_failing_check_means_is_the_runtimes_own_setting() {
    let host = Host::new();
    let strict = host.start("strict", &[]);
    let lenient = host.start("lenient", &["dependency.criticality=optional"]);
    for tenant in [&strict, &lenient] {
        tenant.healthy.store(false, Ordering::Release);
    }
    eventually("the strict one is unready", || {
        (strict.admin("/readyz").status == 503).then_some(())
    });
    let report = eventually("the lenient one is degraded", || {
        let reply = lenient.admin("/readyz?verbose");
        (reply.json()["status"] == "degraded").then_some(reply)
    });
    assert_eq!(report.status, 200);
}
