//! The layer and the handle.
use super::*;
use crate::{
    error::cause_ref,
    resilience::contract,
    telemetry::context::{Slot, TraceContext, current},
};
use std::convert::Infallible;
use tower::{Layer, ServiceExt, service_fn};

#[tokio::test]
async fn the_layer_asks_for_the_priority_of_each_request() {
    let (shedder, _) = overloaded();
    let svc = ShedLayer::new(shedder)
        .priority(|priority: &Priority| *priority)
        .layer(service_fn(|_| async { Ok::<_, Infallible>(()) }));
    let mut refused = [0; 3];
    for priority in Priority::ALL {
        for _ in 0..300 {
            if let Err(err) = svc.clone().oneshot(priority).await {
                let shedding = cause_ref::<Shedding>(&*err).unwrap();
                assert_eq!(shedding.reason(), ShedReason::QueueDelay);
                refused[priority as usize] += 1;
            }
        }
    }
    let [sheddable, normal, critical] = refused;
    assert_eq!((sheddable, critical), (300, 0));
    assert!((180..300).contains(&normal), "{normal} of 300");
}

#[tokio::test]
async fn the_service_contract_holds() {
    let idle = Shedder::new(ShedConfig::default(), &Registry::new());
    contract::check(&ShedLayer::new(idle)).await;
    let layer = ShedLayer::new(overloaded().0).priority(|(): &()| Priority::Sheddable);
    let svc = layer.layer(service_fn(|()| async { Ok::<_, Infallible>(()) }));
    let err = contract::check_refusal(svc, ()).await;
    assert!(cause_ref::<Shedding>(&*err).is_some());
}

#[test]
fn a_refusal_is_counted_by_reason_and_priority_and_noted_on_its_span() {
    let (shedder, metrics) = overloaded();
    let slot = Slot::new(TraceContext::root(true));
    let notes = slot.sync_scope(|| {
        assert!(shedder.admit(Priority::Sheddable, 0).is_err());
        assert!(shedder.admit(Priority::Normal, 0).is_err());
        assert!(shedder.admit(Priority::Critical, 0).is_ok());
        current(|slot| slot.map(|slot| slot.notes.clone()))
    });
    let names: Vec<_> = notes.unwrap().iter().map(|note| note.name).collect();
    assert_eq!(names, ["shed.queue_delay"; 2]);
    let page = metrics.snapshot();
    for (labels, count) in [
        (["queue_delay", "sheddable"], 1),
        (["queue_delay", "normal"], 1),
        (["cpu", "normal"], 0),
        (["memory", "sheddable"], 0),
    ] {
        let value = page.value("detectviz_shed_requests_total", &labels);
        assert_eq!(value, Some(&Value::Counter(count)), "{labels:?}");
    }
    let delay = page.value("detectviz_shed_queue_delay_seconds", &[]);
    assert_eq!(delay, Some(&Value::Gauge(9.099)));
    let chance = page.value("detectviz_shed_chance_ratio", &["sheddable"]);
    assert_eq!(chance, Some(&Value::Gauge(1.0)));
}

#[test]
fn refused_callers_are_asked_to_come_back_at_different_times() {
    let (shedder, _) = overloaded();
    for (random, least, most) in [
        (0, 1000, 1000),
        (u64::MAX << 16, 1990, 2000),
        (1 << 63, 1500, 1500),
    ] {
        let refused = shedder.admit(Priority::Sheddable, random).unwrap_err();
        let after = refused.retry_after();
        assert!(after >= ms(least) && after <= ms(most), "{after:?}");
    }
}

#[test]
fn the_metrics_have_their_place_before_there_is_a_shedder() {
    let metrics = Registry::new();
    register(&metrics);
    let known = metrics.describe().len();
    let _shedder = Shedder::new(ShedConfig::default(), &metrics);
    assert_eq!(metrics.describe().len(), known);
}
