use super::{Failure, Login, Session, parameters, state::usable};
use detectviz_core::secret::{SecretErrorKind, SecretRef};
use std::{cell::Cell, time::Duration};

const HOUR: Duration = Duration::from_secs(3_600);

fn login(given: u32, life: Duration) -> Result<Login<u32>, Failure> {
    Ok(Login { given, life })
}

#[test]
fn a_login_is_replaced_five_minutes_before_its_end_or_after_four_fifths_of_a_short_life() {
    for (life, used) in [(3_600, 3_300), (900, 720), (10, 8), (0, 0)] {
        let life = Duration::from_secs(life);
        assert_eq!(usable(life), Duration::from_secs(used), "{life:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_is_made_once_while_it_lasts_and_used_up_where_the_next_one_fails() {
    let session = Session::default();
    let made = Cell::new(0);
    let count = || {
        made.set(made.get() + 1);
        std::future::ready(login(made.get(), HOUR))
    };
    let fails = || std::future::ready(Err(Failure::unavailable("away")));
    assert_eq!(*session.get(count).await.unwrap(), 1);
    tokio::time::advance(HOUR - Duration::from_secs(301)).await;
    assert_eq!(*session.get(count).await.unwrap(), 1);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(*session.get(fails).await.unwrap(), 1, "it has not ended");
    assert_eq!(*session.get(count).await.unwrap(), 2);
    tokio::time::advance(HOUR).await;
    assert_eq!(session.get(fails).await.unwrap_err().to_string(), "away");
}

#[tokio::test]
async fn a_login_for_one_call_and_a_refused_login_are_not_used_again() {
    let session = Session::default();
    let once = session
        .get(|| async { login(1, Duration::ZERO) })
        .await
        .unwrap();
    let kept = session.get(|| async { login(2, HOUR) }).await.unwrap();
    assert_eq!((*once, *kept), (1, 2));
    session.forget(&once).await;
    let same = session
        .get(|| async { login(3, Duration::ZERO) })
        .await
        .unwrap();
    assert_eq!(*same, 2, "it was another one that was refused");
    session.forget(&kept).await;
    let next = session
        .get(|| async { login(4, Duration::ZERO) })
        .await
        .unwrap();
    assert_eq!(*next, 4);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_claims_to_last_for_ever_is_replaced_within_a_day() {
    let session = Session::default();
    let for_ever = |given| move || async move { login(given, Duration::MAX) };
    assert_eq!(*session.get(for_ever(1)).await.unwrap(), 1);
    tokio::time::advance(24 * HOUR).await;
    assert_eq!(*session.get(for_ever(2)).await.unwrap(), 2);
}

#[test]
fn parameters_are_known_and_stand_once() {
    let cases = [
        ("aws:a/b", Some(("a/b", ""))),
        ("aws:a?stage=X", Some(("a", "X"))),
        ("aws:a?stag=X", None),
        ("aws:a?stage=", None),
        ("aws:a?stage=X&stage=Y", None),
        ("aws:a?", None),
    ];
    for (text, expected) in cases {
        let reference: SecretRef = text.parse().unwrap();
        match (parameters(&reference, &["stage", "version"]), expected) {
            (Ok((path, found)), Some((want, stage))) => {
                assert_eq!(
                    (path, found.get("stage").copied().unwrap_or("")),
                    (want, stage)
                );
            }
            (Err(err), None) => assert_eq!(err.kind(), SecretErrorKind::Malformed),
            (other, _) => panic!("{text}: {other:?}"),
        }
    }
    let reference: SecretRef = "aws:a?x=1".parse().unwrap();
    let err = parameters(&reference, &["stage", "version"]).unwrap_err();
    assert!(err.to_string().contains("stage, version"), "{err}");
}
