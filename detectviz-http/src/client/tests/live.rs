//! Settings that change while the client runs, and what operators see of it.
use super::{
    support::{Upstream, get},
    told::Told,
    *,
};
use detectviz_core::{
    balance::{BalanceConfig, EndpointLimits, EndpointStatus, Policy},
    config::live_update,
    discovery::Endpoint,
    error::cause_ref,
    resilience::{
        breaker::{BreakerConfig, Open, State, WindowConfig},
        bulkhead::{BulkheadConfig, Overloaded},
        hedge::HedgeConfig,
        retry::{RetryConfig, budget::BudgetConfig},
        timeout::Elapsed,
    },
};
use http::Response;
use std::{sync::Arc, time::Instant};

fn once() -> PolicyConfig {
    PolicyConfig::default().retry(RetryConfig::default().attempts(1))
}

/// Answers 500 to `/fail`, nothing to `/hang`, and else 200.
async fn upstream() -> Upstream {
    Upstream::serve(|request: Request<hyper::body::Incoming>| async move {
        let mut response = Response::new(Full::new(Bytes::from_static(b"hello")));
        match request.uri().path() {
            "/fail" => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
            "/hang" => std::future::pending().await,
            _ => {}
        }
        response
    })
    .await
}

fn built(policy: PolicyConfig) -> Client {
    let config = ClientConfig::default().policy(policy);
    ClientBuilder::new(config).build(&Tasks::new()).unwrap()
}

fn change(client: &Client, policy: PolicyConfig) {
    let config = ClientConfig::default().policy(policy);
    client.reconfigure(&config).unwrap();
}

async fn finish(client: &Client, request: Request<Body>) -> StatusCode {
    let answer = client.request(request).await.unwrap();
    let status = answer.status();
    answer.into_body().collect().await.unwrap();
    status
}

#[tokio::test]
async fn a_lower_threshold_judges_the_calls_that_were_counted_before() {
    let upstream = upstream().await;
    let breaker = |calls| {
        let window = WindowConfig::Calls(100);
        BreakerConfig::default().window(window).minimum_calls(calls)
    };
    let client = built(once().breaker(breaker(100)));
    for _ in 0..10 {
        assert_eq!(
            finish(&client, get(&upstream.authority(), "/fail")).await,
            500
        );
    }
    let seen = client.handle().upstream(&upstream.authority()).unwrap();
    assert_eq!(seen.breaker().state(), State::Closed);
    assert_eq!(seen.breaker().counts().failures, 10);
    change(&client, once().breaker(breaker(50)));
    assert_eq!(seen.breaker().counts().failures, 10, "counts stay");
    change(&client, once().breaker(breaker(10)));
    assert_eq!(seen.breaker().state(), State::Open);
    let err = client.get(upstream.uri("/")).await.unwrap_err();
    assert!(cause_ref::<Open>(&*err).is_some(), "{err}");
    seen.breaker().force_close();
    assert_eq!(finish(&client, get(&upstream.authority(), "/")).await, 200);
}

#[tokio::test]
async fn another_limit_of_the_bulkhead_counts_the_calls_that_run() {
    let upstream = upstream().await;
    let limit = |most| once().bulkhead(BulkheadConfig::default().max_concurrent(most).max_queue(0));
    let client = built(limit(1));
    let call = || client.get(upstream.uri("/"));
    let mut held = vec![call().await.unwrap()];
    assert!(call().await.is_err());
    change(&client, limit(3));
    held.push(call().await.unwrap());
    held.push(call().await.unwrap());
    let err = call().await.unwrap_err();
    assert!(cause_ref::<Overloaded>(&*err).is_some(), "{err}");
    // Those that run stay when the limit shrinks below them, and count.
    change(&client, limit(2));
    let seen = client.handle().upstreams()[0].bulkhead();
    assert_eq!((seen.limit, seen.in_flight), (2, 3));
    held.pop();
    assert!(call().await.is_err());
    held.pop();
    assert!(call().await.is_ok());
}

#[tokio::test]
async fn other_times_hold_from_the_next_call_on() {
    let upstream = upstream().await;
    let client = built(once());
    let hang = || client.get(upstream.uri("/hang"));
    let short = Duration::from_millis(20);
    change(&client, once().attempt_timeout(short));
    let err = hang().await.unwrap_err();
    assert_eq!(cause_ref::<Elapsed>(&*err).unwrap().limit(), short, "{err}");
    let config = ClientConfig::default()
        .connect_timeout(short)
        .total_timeout(2 * short)
        .policy(once().attempt_timeout(Duration::from_millis(39)));
    client.reconfigure(&config).unwrap();
    // One attempt of 39 ms, or the call of 40 ms.
    let began = Instant::now();
    assert!(hang().await.is_err());
    assert!(began.elapsed() >= Duration::from_millis(39));
}

#[tokio::test]
async fn a_budget_keeps_its_deposits() {
    let upstream = upstream().await;
    let budget = |ratio| {
        let budget = BudgetConfig::default().ratio(ratio).min_per_second(0);
        PolicyConfig::default().retry(RetryConfig::default().budget(budget))
    };
    let client = built(budget(0.1));
    for _ in 0..100 {
        finish(&client, get(&upstream.authority(), "/")).await;
    }
    let seen = client.handle().upstream(&upstream.authority()).unwrap();
    assert_eq!(seen.retry_budget(Instant::now()), 10);
    change(&client, budget(0.5));
    assert_eq!(seen.retry_budget(Instant::now()), 50);
}

#[tokio::test]
async fn balance_and_the_limits_of_an_endpoint_change_without_losing_connections() {
    let (one, two) = (upstream().await, upstream().await);
    let told = Arc::new(Told::new());
    let at = |upstream: &Upstream| Endpoint::new("127.0.0.1", upstream.addr().port());
    told.tell("orders", vec![at(&one), at(&two)]);
    let balance = |policy| once().balance(BalanceConfig::default().policy(policy));
    let config = ClientConfig::default().policy(balance(Policy::RoundRobin));
    let client = ClientBuilder::new(config).with_discovery(told);
    let client = client.build(&Tasks::new()).unwrap();
    for _ in 0..10 {
        finish(&client, get("orders", "/")).await;
    }
    assert_eq!((one.connections(), two.connections()), (1, 1));
    // All calls with the same value go to one of the two.
    change(&client, balance(Policy::RingHash).hash_header("x-user"));
    let hashed = || {
        let mut request = get("orders", "/");
        request.headers_mut().insert("x-user", "7".parse().unwrap());
        request
    };
    let busy = || {
        let orders = client.handle().upstream("orders").unwrap();
        let endpoints = orders.balancer().unwrap().endpoints(Instant::now());
        let busy = endpoints.into_iter().find(|e| e.in_flight > 0);
        busy.map(|endpoint| endpoint.authority)
    };
    let mut all = Vec::new();
    for _ in 0..5 {
        let answer = client.request(hashed()).await.unwrap();
        all.extend(busy());
        answer.into_body().collect().await.unwrap();
    }
    all.dedup();
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!((one.connections(), two.connections()), (1, 1));
    let limits = EndpointLimits::default().connections(1).pending(0);
    let limited = BalanceConfig::default()
        .policy(Policy::RingHash)
        .limits(limits);
    change(&client, once().balance(limited).hash_header("x-user"));
    let _held = (
        client.request(hashed()).await,
        client.request(hashed()).await,
    );
    let err = client.request(hashed()).await.unwrap_err();
    assert!(cause_ref::<TooManyPending>(&*err).is_some(), "{err}");
}

#[tokio::test]
async fn connections_beyond_a_lower_limit_go_when_their_call_ends() {
    let upstream = upstream().await;
    let limit = |most: u32| {
        let limits = EndpointLimits::default().connections(most);
        once().balance(BalanceConfig::default().limits(limits))
    };
    let client = built(limit(3));
    let call = || client.get(upstream.uri("/"));
    let answers = [call().await, call().await, call().await];
    change(&client, limit(1));
    for answer in answers {
        answer.unwrap().into_body().collect().await.unwrap();
    }
    for _ in 0..5 {
        finish(&client, get(&upstream.authority(), "/")).await;
    }
    assert!(upstream.connections() <= 4, "{}", upstream.connections());
}

#[test]
fn every_key_of_a_policy_follows_the_file_and_those_of_connections_wait() {
    let running = ClientConfig::default()
        .policy(once().hash_header("x-user"))
        .upstream("orders", once())
        .upstream("gone", once());
    let window = WindowConfig::Time(Duration::from_secs(30));
    let route = RoutePolicyConfig::new(RouteMatchConfig::default().path("/orders/{id}"))
        .attempts(1)
        .attempt_timeout(Duration::from_millis(700))
        .hedge(false);
    let orders = PolicyConfig::default()
        .total_timeout(Duration::from_secs(2))
        .hedge(HedgeConfig::default().quantile(0.9))
        .breaker(BreakerConfig::default().window(window))
        .balance(BalanceConfig::default().policy(Policy::RingHash))
        .routes([route]);
    let newer = ClientConfig::default()
        .connect_timeout(Duration::from_millis(300))
        .total_timeout(Duration::from_secs(4))
        .max_upstreams(7)
        .upstream("orders", orders.clone())
        .upstream("new", orders);
    let waiting = newer.clone().h2(true).user_agent("other");
    assert_eq!(live_update(&running, &waiting), Some(newer));
}

#[tokio::test]
async fn settings_that_cannot_work_change_nothing() {
    let upstream = upstream().await;
    let client = built(once());
    finish(&client, get(&upstream.authority(), "/")).await;
    let wrong = once().attempt_timeout(Duration::from_secs(9));
    let config = ClientConfig::default().policy(wrong);
    let problems = client.reconfigure(&config).unwrap_err().to_string();
    assert!(problems.contains("policy.attempt_timeout"), "{problems}");
    assert_eq!(client.handle().upstreams()[0].policy(), once());
}

#[tokio::test]
async fn a_policy_that_is_added_later_holds_for_the_host_that_it_names() {
    let upstream = upstream().await;
    let client = built(once());
    finish(&client, get(&upstream.authority(), "/")).await;
    let own = once().attempt_timeout(Duration::from_millis(500));
    for name in ["127.0.0.1".to_owned(), upstream.authority()] {
        let config = ClientConfig::default().policy(once());
        client.reconfigure(&config.clone()).unwrap();
        assert_eq!(client.handle().upstreams()[0].policy(), once());
        client
            .reconfigure(&config.upstream(name, own.clone()))
            .unwrap();
        assert_eq!(client.handle().upstreams()[0].policy(), own);
    }
}

#[tokio::test]
async fn a_handle_shows_every_host_with_its_endpoints() {
    let upstream = upstream().await;
    let told = Arc::new(Told::new());
    let port = upstream.addr().port();
    told.tell("orders", vec![Endpoint::new("127.0.0.1", port)]);
    let builder = ClientBuilder::new(ClientConfig::default().policy(once()));
    let client = builder.with_discovery(told).build(&Tasks::new()).unwrap();
    let handle = client.handle();
    assert!(handle.upstream("orders").is_none());
    let answer = client.request(get("orders", "/")).await.unwrap();
    finish(&client, get(&upstream.authority(), "/")).await;

    let names = handle.upstreams();
    let names: Vec<_> = names.iter().map(UpstreamHandle::name).collect();
    assert_eq!(names, [&*upstream.authority(), "orders"]);
    let orders = handle.upstream("orders").unwrap();
    let endpoints = orders.balancer().unwrap().endpoints(Instant::now());
    assert_eq!(endpoints[0].authority, upstream.authority());
    assert_eq!(endpoints[0].status, EndpointStatus::Active);
    assert_eq!(endpoints[0].in_flight, 1);
    assert_eq!(orders.bulkhead().in_flight, 1);

    let shown = handle.to_json(Instant::now());
    assert_eq!(shown["in_flight"], 1);
    let orders = &shown["upstreams"]["orders"];
    assert_eq!(orders["breaker"]["state"], "closed", "{shown:#}");
    assert_eq!(orders["bulkhead"]["in_flight"], 1);
    assert_eq!(orders["endpoints"][0]["status"], "active");
    let direct = &shown["upstreams"][upstream.authority()];
    assert_eq!(direct["breaker"]["calls"], 1);
    assert!(direct["endpoints"].is_null());
    drop(answer);
    assert_eq!(handle.in_flight(), 0);
}
