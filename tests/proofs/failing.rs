//! An upstream that fails every call, and the client that calls it 1,000 times a second.
use detectviz_core::{
    resilience::breaker::{BreakerConfig, Mode},
    task::Tasks,
};
use detectviz_http::client::{Body, Client, ClientBuilder, ClientConfig, PolicyConfig};
use detectviz_tests::{
    full,
    upstream::{Counts, Deed, Upstream},
};
use http::Request;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Calls per second.
const RATE: u64 = 1_000;

/// Methods of which half may be repeated.
const METHODS: [&str; 4] = ["GET", "POST", "PUT", "PATCH"];

/// Fails in each way there is after something was sent.
fn fails(_: &str, id: u64, _: u32) -> Deed {
    match id / 4 % 4 {
        0 => Deed::Close,
        1 => Deed::AnswerAndClose(503),
        _ => Deed::Answer(503),
    }
}

/// Calls it at that rate for so many seconds, with the defaults but for the breaker: how many calls there were, and what the
/// upstream saw.
fn storm(breaker: BreakerConfig, seconds: u64) -> (u64, Counts) {
    let upstream = Upstream::start(fails);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let calls = RATE * seconds;
    runtime.block_on(async {
        let config = ClientConfig::default().policy(PolicyConfig::default().breaker(breaker));
        let client = ClientBuilder::new(config).build(&Tasks::new()).unwrap();
        let mut due = interval(Duration::from_secs(1) / u32::try_from(RATE).unwrap());
        due.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let tasks = Tasks::new();
        for id in 0..calls {
            due.tick().await;
            let call = call(&client, upstream.addr(), id);
            tasks.spawn("call", call);
        }
        tasks.join(Duration::from_secs(20)).await.unwrap();
        assert_eq!(client.in_flight(), 0);
    });
    (calls, upstream.counts())
}

fn call(
    client: &Client,
    to: std::net::SocketAddr,
    id: u64,
) -> impl Future<Output = ()> + Send + 'static {
    let method = METHODS[usize::try_from(id % 4).unwrap()];
    let body = if method == "GET" {
        Body::empty()
    } else {
        Body::from("order")
    };
    let request = Request::builder()
        .method(method)
        .uri(format!("http://{to}/"))
        .header("x-id", id)
        .body(body)
        .unwrap();
    let response = client.request(request);
    async move {
        if let Ok(response) = response.await {
            assert_eq!(response.status(), 503);
        }
    }
}

/// A method that may not come twice did not, and one that came did so at most as often as the defaults allow.
fn each_came_as_often_as_it_may(counts: &Counts) {
    for ((method, id), came) in counts {
        let most = if matches!(&**method, "GET" | "PUT") {
            3
        } else {
            1
        };
        assert!(*came <= most, "{method} {id} came {came} times");
    }
}

/// The budget allows a fifth of the calls, and 10 a second which each window of 10 s has at once.
#[test]
fn an_upstream_that_only_fails_sees_a_fifth_more_than_the_traffic() {
    let seconds = if full() { 30 } else { 4 };
    let (calls, counts) = storm(BreakerConfig::default().mode(Mode::Disabled), seconds);
    let attempts: u64 = counts.values().map(|came| u64::from(*came)).sum();
    let most = calls * 12 / 10 + 10 * seconds.next_multiple_of(10);
    println!("{attempts} attempts for {calls} calls, at most {most}");
    assert!(attempts <= most, "{attempts} attempts for {calls} calls");
    assert!(
        attempts >= calls * 11 / 10,
        "it is retried: {attempts} attempts for {calls} calls"
    );
    // A call may find its connection closed, and no budget to try another.
    let made = counts.len() as u64;
    assert!(made >= calls * 9 / 10, "{made} of {calls} calls were made");
    each_came_as_often_as_it_may(&counts);
}

#[test]
fn with_a_breaker_an_upstream_that_only_fails_sees_at_most_500_calls() {
    let seconds = if full() { 30 } else { 4 };
    let (calls, counts) = storm(BreakerConfig::default(), seconds);
    let attempts: u64 = counts.values().map(|came| u64::from(*came)).sum();
    println!("{attempts} attempts for {calls} calls");
    // It needs 20 failures to open, of which one or the other may be of a connection that never brought its request.
    assert!(
        (10..=500).contains(&attempts),
        "{attempts} attempts for {calls} calls"
    );
    each_came_as_often_as_it_may(&counts);
}
