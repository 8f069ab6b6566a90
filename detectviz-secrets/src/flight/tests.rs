use super::*;
use detectviz_core::secret::SecretErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering};

fn reference() -> SecretRef {
    "${secret:env:X#a}".parse().unwrap()
}

fn fields(value: &str) -> Fields {
    [("a".to_owned(), Secret::from(value))].into()
}

#[tokio::test(start_paused = true)]
async fn s7_two_hundred_callers_make_one_read_and_a_failure_is_kept_for_a_second() {
    let flights = Flights::default();
    let reads = AtomicUsize::new(0);
    let ask = || async {
        flights
            .of(&reference())
            .ask(|| async {
                reads.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(50)).await;
                Err(SecretError::new(
                    SecretErrorKind::NotFound,
                    &reference(),
                    "write it",
                ))
            })
            .await
    };
    let answers = futures_util::future::join_all((0..200).map(|_| ask())).await;
    assert!(answers.iter().all(Result::is_err));
    assert_eq!(reads.load(Ordering::Relaxed), 1);
    tokio::time::advance(FRESH).await;
    assert!(ask().await.is_err());
    assert_eq!(reads.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn the_same_fields_keep_their_version_and_new_ones_reach_the_watch() {
    let flight = Flights::default().of(&reference());
    assert!(!flight.is_watched());
    let first = flight.ask(|| async { Ok(fields("one")) }).await.unwrap();
    let mut watch = flight.watch(first.clone());
    assert!(flight.is_watched());
    for (value, sequence) in [("one", 1), ("two", 2), ("two", 2), ("one", 3)] {
        tokio::time::advance(FRESH).await;
        let bundle = flight.ask(|| async { Ok(fields(value)) }).await.unwrap();
        assert_eq!(bundle.version().sequence, sequence);
    }
    assert_eq!(first.version().sequence, 1);
    assert_eq!(watch.changed().await.unwrap().version().sequence, 3);
}
