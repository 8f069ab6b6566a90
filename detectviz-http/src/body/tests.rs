use super::*;
use bytes::Bytes;
use http_body_util::BodyExt;
use std::time::Duration;
use tokio::time::{Instant, advance, sleep};

const PROGRESS: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_body_that_outgrows_its_limit_fails() {
    let whole = RequestBody::from("hello").limit(5).collect().await.unwrap();
    assert_eq!(whole.to_bytes(), "hello");
    let err = RequestBody::from("hello").limit(4).collect().await;
    assert_eq!(err.unwrap_err().kind(), BodyErrorKind::TooLarge);
    let none = RequestBody::empty().limit(0).collect().await.unwrap();
    assert!(none.to_bytes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_body_without_progress_fails_after_the_limit() {
    let (sender, mut body) = RequestBody::channel(PROGRESS, 0);
    let start = Instant::now();
    sender.send(Bytes::from_static(b"a")).unwrap();
    body.frame().await.unwrap().unwrap();
    let err = body.frame().await.unwrap().unwrap_err();
    assert_eq!(err.kind(), BodyErrorKind::TimedOut);
    assert_eq!(start.elapsed().as_secs(), 30);
    assert!(body.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn every_byte_puts_the_limit_off_when_no_rate_is_asked_for() {
    let (sender, mut body) = RequestBody::channel(PROGRESS, 0);
    for _ in 0..10 {
        let (got, ()) = tokio::join!(body.frame(), async {
            sleep(Duration::from_secs(20)).await;
            sender.send(Bytes::from_static(b"a")).unwrap();
        });
        got.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_trickle_below_the_rate_fails() {
    let (sender, mut body) = RequestBody::channel(PROGRESS, 240);
    let start = Instant::now();
    let trickle = async {
        loop {
            sleep(Duration::from_secs(5)).await;
            if sender.send(Bytes::from_static(b"a")).is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let read = async {
        loop {
            match body.frame().await.unwrap() {
                Ok(_) => {}
                Err(err) => return err,
            }
        }
    };
    let err = tokio::select! { err = read => err, () = trickle => unreachable!() };
    assert_eq!(err.kind(), BodyErrorKind::TimedOut);
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn time_in_which_nobody_reads_does_not_count() {
    let (sender, mut body) = RequestBody::channel(PROGRESS, 240);
    sender.send(Bytes::from_static(b"a")).unwrap();
    body.frame().await.unwrap().unwrap();
    advance(Duration::from_secs(600)).await;
    sender.send(Bytes::from_static(b"b")).unwrap();
    body.frame().await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_streaming_body_may_be_silent() {
    let (sender, body) = RequestBody::channel(PROGRESS, 240);
    let mut body = body.streaming();
    let (got, ()) = tokio::join!(body.frame(), async {
        sleep(Duration::from_secs(3_600)).await;
        sender.send(Bytes::from_static(b"a")).unwrap();
    });
    got.unwrap().unwrap();
}
