//! The layer and the handle.
use super::*;
use crate::{
    error::cause_ref,
    resilience::contract,
    telemetry::context::{Slot, TraceContext, current},
};
use std::convert::Infallible;
use tower::{Layer, Service, ServiceExt, service_fn};

fn layer(burst: u32) -> RateLimitLayer {
    let config = RateLimitConfig::default()
        .rate(Rate::per_second(1))
        .burst(burst);
    RateLimitLayer::new(limiter(&config, tokio::time::Instant::now().into_std()).0)
}

#[tokio::test(start_paused = true)]
async fn a_call_beyond_the_limit_fails_with_rate_limited_until_its_time_comes() {
    let echo = service_fn(|text: &'static str| async move { Ok::<_, Infallible>(text) });
    let mut svc = layer(2).layer(echo);
    for (wait, allowed) in [
        (0, true),
        (0, true),
        (0, false),
        (999, false),
        (1, true),
        (0, false),
    ] {
        tokio::time::advance(ms(wait)).await;
        let answer = svc.ready().await.unwrap().call("hello").await;
        match answer {
            Ok(text) => assert!(allowed && text == "hello"),
            Err(err) => {
                let limited = cause_ref::<RateLimited>(&*err).unwrap();
                assert!(!allowed);
                assert_eq!(limited.policy(), "api");
                assert!(limited.retry_after() <= Some(Duration::from_secs(1)));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn callers_with_different_keys_do_not_see_each_other() {
    let config = RateLimitConfig::default()
        .rate(Rate::per_second(1))
        .key(RateLimitKey::Peer);
    let (limiter, _) = limiter(&config, tokio::time::Instant::now().into_std());
    let hash = limiter.clone();
    let layer = RateLimitLayer::new(limiter).key(move |peer: &&str| hash.key(*peer));
    let svc = layer.layer(service_fn(|_: &str| async { Ok::<_, Infallible>(()) }));
    for (peer, allowed) in [
        ("a", true),
        ("b", true),
        ("a", false),
        ("b", false),
        ("c", true),
    ] {
        assert_eq!(svc.clone().oneshot(peer).await.is_ok(), allowed, "{peer}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_service_contract_holds() {
    contract::check(&layer(1000)).await;
    let exhausted = layer(1);
    let svc = exhausted.layer(service_fn(|()| async { Ok::<_, Infallible>(()) }));
    assert!(svc.clone().oneshot(()).await.is_ok());
    let err = contract::check_refusal(svc, ()).await;
    assert!(cause_ref::<RateLimited>(&*err).is_some());
}

#[test]
fn a_refusal_is_counted_and_noted_on_the_span_of_its_request() {
    let now = Instant::now();
    let (limiter, metrics) = limiter(&RateLimitConfig::default().burst(1), now);
    let slot = Slot::started_at(TraceContext::root(true), now);
    let notes = slot.sync_scope(|| {
        assert!(limiter.admit(0, now).is_ok());
        let refused = limiter.admit(0, now).unwrap_err();
        assert_eq!(refused.retry_after(), Some(ms(1)));
        assert_eq!(
            refused.to_string(),
            "rate limit `api` exceeded; retry after 1ms"
        );
        current(|slot| slot.map(|slot| slot.notes.clone()))
    });
    let names: Vec<_> = notes.unwrap().iter().map(|note| note.name).collect();
    assert_eq!(names, ["rate_limit.limited"]);
    let page = metrics.snapshot();
    for (name, total) in [
        ("detectviz_rate_limit_allowed_total", 1),
        ("detectviz_rate_limit_limited_total", 1),
        ("detectviz_rate_limit_evictions_total", 0),
        ("detectviz_rate_limit_untracked_total", 0),
    ] {
        let value = crate::telemetry::metrics::Value::Counter(total);
        assert_eq!(page.value(name, &["api"]), Some(&value), "{name}");
    }
}

#[test]
fn the_seed_decides_where_a_key_stands_and_is_not_shown() {
    let hash = |seed: KeySeed| seed.hash("203.0.113.7");
    assert_eq!(hash(KeySeed::new([1, 2])), hash(KeySeed::new([1, 2])));
    assert_ne!(hash(KeySeed::new([1, 2])), hash(KeySeed::new([1, 3])));
    assert_ne!(hash(KeySeed::random()), hash(KeySeed::random()));
    assert_eq!(format!("{:?}", KeySeed::new([1, 2])), "KeySeed(..)");
}
