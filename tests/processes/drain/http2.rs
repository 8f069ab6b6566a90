//! The end of HTTP/2 connections.
use super::ending_within;
use detectviz_tests::{
    BOUND,
    h2::{ACK, Frames, code, kind},
};
use rustix::process::Signal;

#[test]
fn dr4_goaway_comes_twice_and_a_stream_opened_in_between_is_served() {
    for pre_stop in ["0s", "100ms"] {
        let service = ending_within("10s", pre_stop, "5s").start();
        let mut frames = Frames::open(service.http()).unwrap();
        frames.get(1, "/").unwrap();
        assert_eq!(frames.status(1), 200);
        service.signal(Signal::TERM);
        let first = frames.find(|f| f.kind == kind::GOAWAY).unwrap();
        assert_eq!(first.goaway(), ((1 << 31) - 1, code::NO_ERROR));
        let ping = frames.find(|f| f.kind == kind::PING && f.flags & ACK == 0);
        frames.get(3, "/slow?ms=50").unwrap();
        frames
            .send(kind::PING, ACK, 0, &ping.unwrap().payload)
            .unwrap();
        let second = frames.find(|f| f.kind == kind::GOAWAY).unwrap();
        assert_eq!(second.goaway(), (3, code::NO_ERROR));
        assert_eq!(frames.status(3), 200);
        assert!(frames.find(|_| false).is_none(), "closed by the server");
        assert_eq!(service.wait(BOUND).code, Some(0));
    }
}

#[test]
fn streams_in_flight_are_finished() {
    let service = ending_within("10s", "0s", "5s").start();
    let mut frames = Frames::open(service.http()).unwrap();
    for stream in [1, 3, 5] {
        frames.get(stream, "/slow?ms=400").unwrap();
    }
    frames.get(7, "/").unwrap();
    assert_eq!(frames.status(7), 200);
    service.signal(Signal::TERM);
    for _ in 0..3 {
        let headers = frames.find(|f| f.kind == kind::HEADERS);
        assert_eq!(headers.expect("an answer").status(), 200);
    }
    assert_eq!(service.wait(BOUND).code, Some(0));
}

#[test]
fn a_client_that_never_answers_the_ping_does_not_hold_the_process() {
    let service = ending_within("4s", "0s", "2s").start();
    let mut frames = Frames::open(service.http()).unwrap();
    frames.get(1, "/").unwrap();
    assert_eq!(frames.status(1), 200);
    service.signal(Signal::TERM);
    let ended = service.wait(BOUND);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}
