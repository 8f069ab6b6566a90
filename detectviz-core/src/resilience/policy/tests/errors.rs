//! Errors, and what is found in them.
use super::*;
use crate::{
    error::{BoxError, cause_ref},
    resilience::{
        breaker::{Open, State, is_refusal},
        bulkhead::{self, Overloaded},
        deadline::DeadlineExceeded,
        retry::BudgetExhausted,
        timeout::Elapsed,
    },
};

fn all() -> Vec<PolicyError<Broken>> {
    vec![
        PolicyError::Overloaded(Overloaded::new(bulkhead::Reason::QueueFull, 1, ms(5))),
        PolicyError::Open(Open::new("db".into(), State::Open, None)),
        PolicyError::DeadlineExceeded(DeadlineExceeded::new(ms(1))),
        PolicyError::Elapsed(Elapsed::new(ms(2))),
        PolicyError::BudgetExhausted(BudgetExhausted::new(Broken(3))),
        PolicyError::Inner(Broken(4)),
    ]
}

/// Which causes are found in an error.
fn causes(err: &BoxError) -> [bool; 6] {
    [
        cause_ref::<Overloaded>(&**err).is_some(),
        cause_ref::<Open>(&**err).is_some(),
        cause_ref::<DeadlineExceeded>(&**err).is_some(),
        cause_ref::<Elapsed>(&**err).is_some(),
        cause_ref::<BudgetExhausted>(&**err).is_some(),
        cause_ref::<Broken>(&**err).is_some(),
    ]
}

#[test]
fn each_cause_is_found_in_its_error_and_in_no_other() {
    for (at, (wrapped, plain)) in all().into_iter().zip(all()).enumerate() {
        let refusal = wrapped.is_refusal();
        let (wrapped, plain) = (BoxError::from(wrapped), plain.into_boxed());
        for err in [wrapped, plain] {
            let mut expected = [false; 6];
            expected[at] = true;
            // What the budget refused to repeat is in there, too.
            expected[5] |= at == 4;
            assert_eq!(causes(&err), expected, "{err:?}");
            assert_eq!(is_refusal(&err), refusal, "{err:?}");
        }
    }
}

#[test]
fn an_error_says_what_failed_and_its_source_why() {
    let texts = all().into_iter().map(|err| {
        let source = std::error::Error::source(&err).unwrap().to_string();
        (err.to_string(), source)
    });
    for (text, source) in texts {
        assert!(
            text.starts_with("the call ") && !text.contains(&source),
            "{text}: {source}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_boxed_already_passes_through() {
    let policy = Policy::new("db", &PolicyConfig::default(), &Registry::new());
    let call = policy.call(|_| async { Err::<(), BoxError>(Broken(1).into()) });
    let err = call.await.unwrap_err().into_boxed();
    assert!(cause_ref::<Broken>(&*err).is_some());
}

#[tokio::test]
async fn a_call_moves_between_threads() {
    let policy = Policy::new("db", &PolicyConfig::default(), &Registry::new());
    fn check<F: Future + Send>(call: F) -> F {
        call
    }
    let call = policy.call(|_| async { Ok::<_, Broken>(1) });
    assert_eq!(check(call).await.unwrap(), 1);
    let of_policy = size_of_val(&policy.call(|_| std::future::ready(Ok::<(), Broken>(()))));
    assert!(of_policy <= 384, "{of_policy} bytes");
}
