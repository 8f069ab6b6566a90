//! The bulkhead around a service.
use super::*;
use crate::{error::cause_ref, resilience::contract};
use std::convert::Infallible;
use tower::{Layer, Service, ServiceExt, service_fn};

fn echo() -> impl Service<u32, Response = u32, Error = Infallible, Future: Send> + Clone {
    service_fn(|n: u32| async move {
        tokio::time::sleep(Duration::from_millis(10)).await;
        Ok(n)
    })
}

#[tokio::test(start_paused = true)]
async fn calls_run_wait_or_fail() {
    let layer = BulkheadLayer::new(&config(1, 1));
    let service = layer.layer(echo());
    let [mut runs, mut waits] = [1, 2].map(|n| Box::pin(service.clone().oneshot(n)));
    assert!(poll(&mut runs).is_pending() && poll(&mut waits).is_pending());
    let refused = service.clone().oneshot(3).await.unwrap_err();
    assert!(cause_ref::<Overloaded>(&*refused).is_some());
    assert_eq!(tokio::join!(runs, waits).1.unwrap(), 2);
    assert_eq!(layer.bulkhead().in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_priority_is_read_from_the_request() {
    let layer = BulkheadLayer::new(&config(1, 0));
    let urgent = |n: &u32| match n {
        0 => Priority::Critical,
        _ => Priority::Normal,
    };
    let service = layer.priority(urgent).layer(echo());
    let mut first = Box::pin(service.clone().oneshot(1));
    assert!(poll(&mut first).is_pending());
    assert!(service.clone().oneshot(2).await.is_err());
    assert_eq!(service.clone().oneshot(0).await.unwrap(), 0);
    assert_eq!(first.await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_frees_its_permit_wherever_it_was() {
    let layer = BulkheadLayer::new(&config(1, 1));
    let service = layer.layer(echo());
    for polls in 0..3 {
        let mut runs = Box::pin(service.clone().oneshot(1));
        let mut waits = Box::pin(service.clone().oneshot(2));
        for _ in 0..polls {
            assert!(poll(&mut runs).is_pending() && poll(&mut waits).is_pending());
        }
        drop(runs);
        assert_eq!(waits.await.unwrap(), 2);
        assert_eq!(
            (layer.bulkhead().in_flight(), layer.bulkhead().queued()),
            (0, 0)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_service_contract_holds() {
    let layer = BulkheadLayer::new(&config(1, 1));
    contract::check(&layer).await;
    let _running = layer.bulkhead().try_acquire().unwrap();
    let refusing = layer.layer(service_fn(|()| async { Ok::<_, Infallible>(()) }));
    let refused = contract::check_refusal(refusing, ()).await;
    let overloaded = cause_ref::<Overloaded>(&*refused).unwrap();
    assert_eq!(overloaded.reason(), Reason::QueueTimeout);
    assert_eq!(
        (layer.bulkhead().in_flight(), layer.bulkhead().queued()),
        (1, 0)
    );
}
