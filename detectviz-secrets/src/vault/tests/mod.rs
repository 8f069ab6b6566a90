//! What answers mean, as the documentation shows them.
use super::{
    envelope::{Envelope, absence},
    failure::Cause,
    http::Answer,
    path::{Form, Target},
    *,
};
use crate::store::{Fetched, Grant, Life};
use detectviz_core::config;
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

mod paths;
mod settings;

fn answer(body: &str) -> Answer {
    Answer {
        status: 200,
        body: Zeroizing::new(body.as_bytes().to_vec()),
        location: None,
        retry_after: None,
        date: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)),
    }
}

fn read(form: Form, body: &str) -> Result<Fetched, failure::Failure> {
    let answer = answer(body);
    Envelope::read(&answer.body)?.fetched(form, 7, &answer)
}

fn shown(fetched: &Fetched) -> Vec<(&str, &str)> {
    let fields = fetched.fields.iter();
    fields
        .map(|(name, value)| (name.as_str(), value.expose_str().unwrap()))
        .collect()
}

#[test]
fn a_secret_of_kv_version_2_has_its_version_and_no_life() {
    // <https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#sample-response-1>
    let body = r#"{"data":{"data":{"foo":"bar","port":5432,"on":true},"metadata":{"created_time":"2018-03-22T02:24:06.945319214Z",
        "custom_metadata":{"owner":"jdoe"},"deletion_time":"","destroyed":false,"version":2}}}"#;
    let found = read(Form::KvV2, body).unwrap();
    assert_eq!(
        shown(&found),
        [("foo", "bar"), ("on", "true"), ("port", "5432")]
    );
    assert_eq!(
        (found.label.as_deref(), found.life),
        (Some("2"), Life::Cached)
    );
}

#[test]
fn a_version_that_was_deleted_or_destroyed_says_so() {
    for (metadata, expected) in [
        (
            r#""deletion_time":"2026-01-02T03:04:05Z","destroyed":false"#,
            "version 3 was deleted at 2026-01-02T03:04:05Z",
        ),
        (
            r#""deletion_time":"","destroyed":true"#,
            "version 3 was destroyed",
        ),
    ] {
        let body = format!(r#"{{"data":{{"data":null,"metadata":{{{metadata},"version":3}}}}}}"#);
        let found = absence(body.as_bytes()).unwrap();
        assert!(found.contains(expected), "{found}");
    }
    assert_eq!(absence(br#"{"errors":[]}"#), None);
    assert_eq!(absence(b"<html>"), None);
}

#[test]
fn the_hint_of_kv_version_1_is_followed_when_it_is_short() {
    for (seconds, expected) in [
        (2_764_800, Life::Cached),
        (0, Life::Cached),
        (60, Life::Rotates(Duration::from_secs(60))),
    ] {
        let body = format!(
            r#"{{"auth":null,"data":{{"foo":"bar","ttl":"1h"}},"lease_duration":{seconds},"lease_id":"","renewable":false}}"#
        );
        assert_eq!(read(Form::KvV1, &body).unwrap().life, expected, "{seconds}");
    }
}

#[test]
fn credentials_come_with_their_lease_and_their_session() {
    let body = r#"{"request_id":"x","lease_id":"database/creds/orders/1","lease_duration":3600,"renewable":true,
        "data":{"username":"root-1430158508-126","password":"132ae3ef-5a64-7499-351e-bfe59f3a2a21"},"warnings":null}"#;
    let found = read(Form::Plain, body).unwrap();
    let grant = Grant {
        id: "database/creds/orders/1".to_owned(),
        duration: Duration::from_secs(3600),
        renewable: true,
        session: 7,
    };
    assert_eq!(found.life, Life::Leased(grant));
    let lent = read(
        Form::Plain,
        r#"{"data":{"a":"b"},"lease_id":"","lease_duration":60,"renewable":true}"#,
    );
    let Life::Leased(grant) = lent.unwrap().life else {
        panic!("it ends")
    };
    assert!(grant.id.is_empty() && !grant.renewable);
    let s6 = read(
        Form::Plain,
        r#"{"data":{"a":"b"},"lease_id":"","lease_duration":0}"#,
    );
    assert_eq!(s6.unwrap().life, Life::Cached);
}

#[test]
fn a_static_role_rotates_and_its_countdown_is_no_field() {
    let body = r#"{"data":{"username":"static-user","password":"p","last_vault_rotation":"2019-05-06T15:26:42.525302-05:00",
        "rotation_period":86400,"ttl":0},"lease_duration":0,"lease_id":""}"#;
    let found = read(Form::Static, body).unwrap();
    assert_eq!(found.life, Life::Rotates(Duration::ZERO));
    assert!(!found.fields.contains_key("ttl") && found.fields.contains_key("password"));
    assert_eq!(
        found.label.as_deref(),
        Some("2019-05-06T15:26:42.525302-05:00")
    );
}

#[test]
fn a_certificate_lasts_until_it_expires_by_the_clock_of_the_node() {
    let body = |expiration: u64| {
        format!(
            r#"{{"lease_id":"","lease_duration":0,"data":{{"certificate":"c","expiration":{expiration},"serial_number":"39:dd"}}}}"#
        )
    };
    let found = read(Form::Issued, &body(1_000_600)).unwrap();
    let Life::Leased(grant) = found.life else {
        panic!("it ends")
    };
    assert_eq!(
        (grant.duration, grant.renewable, grant.id.as_str()),
        (Duration::from_secs(600), false, "")
    );
    assert_eq!(found.label.as_deref(), Some("39:dd"));
    assert!(
        read(Form::Issued, &body(999_999))
            .unwrap_err()
            .to_string()
            .contains("longer `ttl`")
    );
}

#[test]
fn what_is_no_answer_of_vault_is_told_apart_and_not_repeated() {
    for (body, cause, expected) in [
        ("<html>canary</html>", Cause::Malformed, "no JSON"),
        ("", Cause::Malformed, "ends too early"),
        (r#"{"data":{"canary":"#, Cause::Malformed, "ends too early"),
        (
            r#"{"data":{"a":"canary"},"lease_duration":"soon"}"#,
            Cause::Malformed,
            "other types",
        ),
        (r#"{"data":["canary"]}"#, Cause::Malformed, "no object"),
        (r#"{"data":{}}"#, Cause::Empty, "it has none"),
        (
            r#"{"data":null}"#,
            Cause::NotFound,
            "nothing is at this path",
        ),
        ("{}", Cause::NotFound, "nothing is at this path"),
    ] {
        let err = read(Form::Plain, body).unwrap_err();
        assert_eq!(err.cause, cause, "{body}");
        assert!(err.to_string().contains(expected), "{body}: {err}");
        assert!(!format!("{err} {err:?}").contains("canary"));
    }
}
