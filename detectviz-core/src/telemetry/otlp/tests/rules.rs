//! What is retried, what is dropped, and what is counted, by the rules of OTLP.
use super::*;

/// What one export of three spans comes to.
struct Case {
    replies: Vec<Reply>,
    /// exported, export_failed, rejected
    counts: (u64, u64, u64),
    /// How many requests there are, and the range of seconds between the first two.
    requests: usize,
    wait: std::ops::RangeInclusive<f64>,
}

fn case(replies: Vec<Reply>, counts: (u64, u64, u64), requests: usize) -> Case {
    Case {
        replies,
        counts,
        requests,
        wait: 0.0..=f64::MAX,
    }
}

fn waits(replies: Vec<Reply>, wait: std::ops::RangeInclusive<f64>) -> Case {
    Case {
        wait,
        ..case(replies, (3, 0, 0), 2)
    }
}

async fn check(protocol: Protocol, case: Case) {
    let about = format!("{:?}", case.replies);
    let rig = Rig::start(traces(protocol), case.replies).await;
    rig.record(3);
    tokio::time::sleep(Duration::from_secs(120)).await;
    let counts = rig.flush(SECOND).await;
    let (exported, failed, rejected) = case.counts;
    let got = (counts.exported, counts.export_failed, counts.rejected);
    assert_eq!(got, (exported, failed, rejected), "{about}");
    assert_eq!(counts.produced, 3, "{about}");
    let seen = rig.receiver.seen();
    assert_eq!(seen.len(), case.requests, "{about}");
    if let [first, second, ..] = seen.as_slice() {
        let gap = (second.at - first.at).as_secs_f64();
        assert!(case.wait.contains(&gap), "{about}: {gap}");
        assert_eq!(first.message, second.message, "the same again");
    }
}

#[tokio::test(start_paused = true)]
async fn o1_http_answers_are_retried_or_dropped_as_otlp_says() {
    use Reply::{Accept, Gibberish, Hang, Partial, Status};
    let mut cases = vec![
        case(vec![Accept], (3, 0, 0), 1),
        case(vec![Gibberish], (3, 0, 0), 1),
        case(vec![Status(202, None)], (3, 0, 0), 1),
        case(vec![Partial(1, "one is too old")], (2, 0, 1), 1),
        case(vec![Partial(0, "a warning")], (3, 0, 0), 1),
        case(vec![Partial(9, "more than there were")], (0, 0, 3), 1),
        case(vec![Partial(-1, "")], (3, 0, 0), 1),
        waits(vec![Status(429, Some("2"))], 2.0..=2.01),
        waits(vec![Status(503, Some("7"))], 7.0..=7.01),
        waits(vec![Status(503, None)], 2.5..=7.51),
        waits(vec![Status(503, Some("soon"))], 2.5..=7.51),
        waits(
            vec![Status(429, Some("Sun, 06 Nov 1994 08:49:37 GMT"))],
            0.0..=0.01,
        ),
        // Ten seconds for the answer that never came, then the first wait.
        waits(vec![Hang], 12.5..=17.51),
        case(vec![Status(429, Some("3600"))], (0, 3, 0), 1),
    ];
    for status in [429, 502, 503, 504] {
        cases.push(waits(vec![Status(status, None)], 2.5..=7.51));
    }
    for status in [301, 400, 401, 403, 404, 408, 413, 500, 501, 505] {
        cases.push(case(vec![Status(status, Some("1"))], (0, 3, 0), 1));
    }
    for case in cases {
        check(Protocol::HttpProtobuf, case).await;
    }
}

#[tokio::test(start_paused = true)]
async fn o1_grpc_answers_are_retried_or_dropped_as_otlp_says() {
    use Reply::{Accept, Gibberish, Grpc, Hang, Partial, Status, TrailersOnly};
    let mut cases = vec![
        case(vec![Accept], (3, 0, 0), 1),
        case(vec![Gibberish], (3, 0, 0), 1),
        case(vec![Partial(2, "two are too old")], (1, 0, 2), 1),
        // RESOURCE_EXHAUSTED may be retried only if the server says when.
        case(vec![Grpc(8, None)], (0, 3, 0), 1),
        waits(vec![Grpc(8, Some(2_500))], 2.5..=2.51),
        waits(vec![Grpc(14, Some(3_000))], 3.0..=3.01),
        waits(vec![TrailersOnly(14)], 2.5..=7.51),
        case(vec![TrailersOnly(16)], (0, 3, 0), 1),
        waits(vec![Status(503, None)], 2.5..=7.51),
        case(vec![Status(404, None)], (0, 3, 0), 1),
        case(vec![Status(200, None)], (0, 3, 0), 1),
        waits(vec![Hang], 12.5..=17.51),
    ];
    for code in [1, 4, 10, 11, 14, 15] {
        cases.push(waits(vec![Grpc(code, None)], 2.5..=7.51));
    }
    for code in [2, 3, 5, 6, 7, 9, 12, 13, 16, 99] {
        cases.push(case(vec![Grpc(code, None)], (0, 3, 0), 1));
    }
    for case in cases {
        check(Protocol::Grpc, case).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_given_up_after_its_time_and_the_next_goes_on() {
    for protocol in BOTH {
        let rig = Rig::start(traces(protocol), vec![Reply::Status(503, None); 100]).await;
        rig.record(3);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(rig.spans.counts().export_failed, 3);
        let seen = rig.receiver.seen();
        assert!((2..=9).contains(&seen.len()), "{}", seen.len());
        let tried = seen[seen.len() - 1].at - seen[0].at;
        assert!(tried < Duration::from_secs(30), "{tried:?}");
        rig.record(1);
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert!(rig.receiver.seen().len() > seen.len());
        let counts = rig.flush(SECOND).await;
        assert_eq!(
            (counts.exported, counts.export_failed, counts.shutdown),
            (0, 3, 1)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_hangs_is_cut_when_the_time_of_its_batch_is_over() {
    for protocol in BOTH {
        let mut config = traces(protocol);
        config.traces.export_timeout = SECOND;
        let rig = Rig::start(config, vec![Reply::Hang; 2]).await;
        rig.record(3);
        tokio::time::sleep(Duration::from_secs(7)).await;
        assert_eq!(rig.spans.counts().export_failed, 3);
        assert_eq!(rig.receiver.seen().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn o1_a_long_retry_after_holds_for_the_next_batch_and_is_capped() {
    for (protocol, reply) in [
        (Protocol::HttpProtobuf, Reply::Status(429, Some("3600"))),
        (Protocol::Grpc, Reply::Grpc(8, Some(3_600_000))),
    ] {
        let rig = Rig::start(traces(protocol), [reply]).await;
        rig.record(1);
        tokio::time::sleep(Duration::from_secs(6)).await;
        rig.record(1);
        tokio::time::sleep(Duration::from_secs(600)).await;
        let counts = rig.flush(SECOND).await;
        assert_eq!((counts.exported, counts.export_failed), (1, 1));
        let seen = rig.receiver.seen();
        assert_eq!((seen[1].at - seen[0].at).as_secs(), 300);
    }
}
