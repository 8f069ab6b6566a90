//! The layer: the contract of a service, what counts, and what a dropped call leaves behind.
use super::*;
use crate::{
    error::{BoxError, cause_ref},
    resilience::{
        contract,
        timeout::{TimeoutConfig, TimeoutLayer},
    },
    telemetry::context::{Slot, TraceContext, current},
};
use std::{
    convert::Infallible,
    future::{Future, pending, poll_fn},
    io,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

type Boxed = Pin<Box<dyn Future<Output = Result<&'static str, io::Error>> + Send>>;

fn circuit(config: &BreakerConfig) -> Circuit {
    Circuit::new("orders", config, &Registry::new())
}

fn opens_at_once() -> BreakerConfig {
    plain().consecutive_failures(1).half_open_calls(1)
}

/// Fails, hangs or works, as the request says.
fn obedient()
-> impl Service<&'static str, Response = &'static str, Error = io::Error, Future = Boxed> + Clone {
    service_fn(|wish: &'static str| -> Boxed {
        Box::pin(async move {
            match wish {
                "fail" => Err(io::Error::other("failed")),
                "hang" => pending().await,
                _ => Ok(wish),
            }
        })
    })
}

fn poll_once<F: Future>(call: Pin<&mut F>) -> Poll<F::Output> {
    call.poll(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test(start_paused = true)]
async fn the_service_contract_holds_in_every_mode() {
    for mode in [Mode::Enabled, Mode::MetricsOnly, Mode::Disabled] {
        let config = plain().mode(mode).slow_calls(0.5, seconds(1.0));
        contract::check(&BreakerLayer::new(circuit(&config))).await;
    }
    let open = circuit(&plain());
    open.handle().force_open();
    let svc = BreakerLayer::new(open).layer(service_fn(|()| pending::<Result<(), Infallible>>()));
    let err = contract::check_refusal(svc, ()).await;
    assert_eq!(
        cause_ref::<Open>(&*err).map(Open::state),
        Some(State::ForcedOpen)
    );
}

#[tokio::test(start_paused = true)]
async fn it_opens_refuses_probes_and_closes() {
    let circuit = circuit(&opens_at_once());
    let svc = BreakerLayer::new(circuit.clone()).layer(obedient());
    assert_eq!(svc.clone().oneshot("hello").await.unwrap(), "hello");
    let failed = svc.clone().oneshot("fail").await.unwrap_err();
    assert!(cause_ref::<io::Error>(&*failed).is_some());
    let refused = svc.clone().oneshot("hello").await.unwrap_err();
    let open = cause_ref::<Open>(&*refused).unwrap();
    assert_eq!(
        (open.name(), open.retry_after()),
        ("orders", Some(seconds(5.0)))
    );
    assert_eq!(
        refused.to_string(),
        "circuit `orders` is open: the call was not made; try again in 5s"
    );
    tokio::time::advance(seconds(5.0)).await;
    assert_eq!(svc.oneshot("hello").await.unwrap(), "hello");
    assert_eq!(circuit.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn while_calls_are_refused_nobody_waits_for_the_service_inside() {
    struct NeverReady;
    impl Service<()> for NeverReady {
        type Response = ();
        type Error = Infallible;
        type Future = std::future::Ready<Result<(), Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Pending
        }

        fn call(&mut self, (): ()) -> Self::Future {
            panic!("called though it is not ready");
        }
    }
    let circuit = circuit(&opens_at_once());
    let mut svc = BreakerLayer::new(circuit.clone()).layer(NeverReady);
    assert!(poll_once(pin!(poll_fn(|cx| svc.poll_ready(cx)))).is_pending());
    circuit.handle().force_open();
    poll_fn(|cx| svc.poll_ready(cx)).await.unwrap();
    // Even when the circuit changes its mind in between, what is not ready is not called.
    circuit.handle().force_close();
    let err = svc.call(()).await.unwrap_err();
    assert!(cause_ref::<Open>(&*err).is_some());
}

#[tokio::test(start_paused = true)]
async fn cancelled_calls_and_our_own_refusals_count_as_nothing() {
    let circuit = circuit(&opens_at_once());
    let refusing = service_fn(|()| async {
        Err::<(), BoxError>(Open::new("inner".into(), State::Open, None).into())
    });
    let svc = BreakerLayer::new(circuit.clone()).layer(refusing);
    for _ in 0..10 {
        assert!(svc.clone().oneshot(()).await.is_err());
    }
    let mut svc = BreakerLayer::new(circuit.clone()).layer(obedient());
    for _ in 0..10 {
        let mut call = Box::pin(svc.ready().await.unwrap().call("hang"));
        assert!(poll_once(call.as_mut()).is_pending());
    }
    assert_eq!(circuit.state(), State::Closed);
    assert_eq!(circuit.handle().counts().calls, 0);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_cancelled_probes_leave_none_stuck() {
    let circuit = circuit(&opens_at_once().half_open_calls(3));
    let mut svc = BreakerLayer::new(circuit.clone()).layer(obedient());
    assert!(svc.ready().await.unwrap().call("fail").await.is_err());
    tokio::time::advance(seconds(5.0)).await;
    for round in 0..10_000 {
        let mut call = Box::pin(svc.ready().await.unwrap().call("hang"));
        if round % 3 > 0 {
            assert!(poll_once(call.as_mut()).is_pending(), "{round}");
        }
    }
    assert_eq!(circuit.state(), State::HalfOpen);
    for _ in 0..3 {
        assert!(svc.ready().await.unwrap().call("hello").await.is_ok());
    }
    assert_eq!(circuit.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_inside_is_a_failure_and_a_classifier_may_say_otherwise() {
    let timeout = || TimeoutLayer::new(TimeoutConfig::default().limit(seconds(1.0)));
    let counted = circuit(&opens_at_once());
    let svc = ServiceBuilder::new()
        .layer(BreakerLayer::new(counted.clone()))
        .layer(timeout())
        .service(obedient());
    assert!(svc.oneshot("hang").await.is_err());
    assert_eq!(counted.state(), State::Open);

    let told = circuit(&opens_at_once());
    let by_answer = |result: Result<&&str, &BoxError>| match result {
        Ok(&"teapot") => Outcome::Failure,
        Ok(_) => Outcome::Success,
        Err(_) => Outcome::Ignored,
    };
    let svc = BreakerLayer::new(told.clone())
        .with_classify(by_answer)
        .layer(obedient());
    assert!(svc.clone().oneshot("fail").await.is_err());
    assert_eq!(told.state(), State::Closed);
    assert_eq!(svc.oneshot("teapot").await.unwrap(), "teapot");
    assert_eq!(told.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn slow_calls_are_timed_by_the_layer() {
    let config = plain().minimum_calls(2).slow_calls(1.0, seconds(2.0));
    let circuit = circuit(&config);
    let slow = service_fn(|took: f64| async move {
        tokio::time::sleep(seconds(took)).await;
        Ok::<_, Infallible>(())
    });
    let svc = BreakerLayer::new(circuit.clone()).layer(slow);
    for took in [2.0, 1.9, 2.0] {
        svc.clone().oneshot(took).await.unwrap();
    }
    let counts = circuit.handle().counts();
    assert_eq!((counts.calls, counts.slow), (3, 2));
}

#[test]
fn a_refusal_is_noted_on_the_span_of_its_request() {
    let subject = Subject::new(&plain());
    subject.circuit.handle().force_open();
    let slot = Slot::new(TraceContext::root(true));
    let noted = slot.sync_scope(|| {
        assert!(subject.enter(1.0).is_err());
        current(|slot| slot.map(|slot| slot.notes.clone())).unwrap()
    });
    assert_eq!(noted.len(), 1);
    assert_eq!(
        (noted[0].name, noted[0].at),
        ("breaker.open", subject.at(1.0))
    );
}

#[test]
fn permits_are_small_and_go_anywhere() {
    fn anywhere<T: Send + Sync>(_: &T) {}
    let circuit = circuit(&plain());
    let now = Instant::now();
    let (borrowed, owned) = (
        circuit.try_acquire(now).unwrap(),
        circuit.try_acquire_owned(now).unwrap(),
    );
    anywhere(&borrowed);
    anywhere(&owned);
    anywhere(&circuit);
    assert!(size_of::<Ticket>() <= 16);
    assert!(size_of_val(&borrowed) <= 24);
    assert!(size_of_val(&owned) <= 24);
    owned.record(Outcome::Success, now);
    drop(borrowed);
    assert_eq!(circuit.handle().counts().calls, 1);
}
