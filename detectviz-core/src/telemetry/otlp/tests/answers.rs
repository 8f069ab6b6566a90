//! What answers of the Collector mean.
use super::receiver::retry_details;
use crate::telemetry::otlp::{answer, state::Answer};
use http::{HeaderMap, HeaderValue, StatusCode};
use std::time::{Duration, SystemTime};
use tonic::{Code, Status};

fn after(header: &'static str) -> Option<Duration> {
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", HeaderValue::from_static(header));
    // Sun, 06 Nov 1994 08:49:37 GMT
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    match answer::http(StatusCode::SERVICE_UNAVAILABLE, &headers, b"", wall) {
        Answer::Retryable { after, .. } => after,
        other => panic!("{other:?}"),
    }
}

#[test]
fn o1_retry_after_is_a_number_or_a_date() {
    for (header, seconds) in [
        ("2", Some(2)),
        (" 120 ", Some(120)),
        ("0", Some(0)),
        ("99999999999999999999999", Some(u64::MAX)),
        ("Sun, 06 Nov 1994 08:49:39 GMT", Some(2)),
        ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60)),
        ("Sun Nov  6 08:49:47 1994", Some(10)),
        ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
    ] {
        assert_eq!(after(header), seconds.map(Duration::from_secs), "{header}");
    }
}

#[test]
fn the_details_of_a_grpc_status_are_read_with_care() {
    let good = retry_details(2_250);
    for (details, expected) in [
        (good.clone(), Some(Duration::from_millis(2_250))),
        (retry_details(-5_000), Some(Duration::ZERO)),
        (good[..good.len() - 1].to_vec(), None),
        (vec![0xff; 40], None),
        (Vec::new(), None),
    ] {
        let status = Status::with_details(Code::Unavailable, "later\u{1b}[31m", details.into());
        let mut trailers = HeaderMap::new();
        status.add_header(&mut trailers).unwrap();
        let answer = answer::grpc(StatusCode::OK, &HeaderMap::new(), Some(&trailers), b"");
        let Answer::Retryable { after, why } = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(after, expected);
        assert_eq!(why, "it answered Unavailable: later [31m");
    }
}

#[test]
fn what_a_server_says_is_repeated_in_part_only() {
    let status = Status::new(Code::Internal, "x".repeat(10_000));
    let mut headers = HeaderMap::new();
    status.add_header(&mut headers).unwrap();
    let answer = answer::grpc(StatusCode::OK, &headers, None, b"");
    let Answer::Refused { why } = answer else {
        panic!("{answer:?}")
    };
    assert!(why.len() < 300, "{}", why.len());
}
