use super::{
    GcpConfig, GcpCredentials,
    state::{Wanted, crc32c, fields, refused},
};
use detectviz_core::{
    config::check,
    secret::{SecretErrorKind, SecretRef},
};
use serde_json::json;

#[test]
fn a_reference_names_a_secret_by_name_or_resource_and_a_version() {
    let cases = [
        (
            "gcp:db",
            Some("/v1/projects/own/secrets/db/versions/latest:access"),
        ),
        (
            "gcp:db/versions/3",
            Some("/v1/projects/own/secrets/db/versions/3:access"),
        ),
        (
            "gcp:projects/p/secrets/db",
            Some("/v1/projects/p/secrets/db/versions/latest:access"),
        ),
        (
            "gcp:projects/p/secrets/db/versions/prod",
            Some("/v1/projects/p/secrets/db/versions/prod:access"),
        ),
        (
            "gcp:projects/p/locations/europe-west1/secrets/db",
            Some("/v1/projects/p/locations/europe-west1/secrets/db/versions/latest:access"),
        ),
        ("gcp:a/b", None),
        ("gcp:db/versions/", None),
        ("gcp:projects//secrets/db", None),
        ("gcp:d b", None),
        ("gcp:..", None),
        ("gcp:db?version=3", None),
    ];
    for (text, expected) in cases {
        let reference: SecretRef = text.parse().unwrap();
        let found = Wanted::parse(&reference, "own");
        assert_eq!(
            found.as_ref().ok().map(Wanted::path).as_deref(),
            expected,
            "{text}"
        );
        if let Err(err) = found {
            assert_eq!(err.kind(), SecretErrorKind::Malformed);
        }
    }
}

#[test]
fn the_checksum_is_that_of_the_catalogue_and_a_wrong_one_is_an_error() {
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa, "RFC 3720, appendix B.4");
    let answer = |sum: serde_json::Value| {
        let payload = json!({"data": "MTIzNDU2Nzg5", "dataCrc32c": sum});
        json!({"name": "projects/1/secrets/db/versions/7", "payload": payload}).to_string()
    };
    let sum = 0xe306_9283_u32;
    for good in [json!(sum.to_string()), json!(sum), json!(null)] {
        let (fields, version) = fields(answer(good).as_bytes()).unwrap();
        assert_eq!(
            (fields["value"].expose(), version.as_str()),
            (&b"123456789"[..], "7")
        );
    }
    let wrong = fields(answer(json!("1")).as_bytes()).unwrap_err();
    assert!(wrong.to_string().contains("CRC32C"), "{wrong}");
    for odd in [
        "",
        "[]",
        "{}",
        r#"{"name":"a","payload":{"data":"%"}}"#,
        r#"{"name":5,"payload":{"data":"canary"}}"#,
    ] {
        let failure = fields(odd.as_bytes()).unwrap_err();
        assert_eq!(failure.kind, SecretErrorKind::Unavailable, "{odd}");
        assert!(!failure.to_string().contains("canary"));
    }
}

#[test]
fn refusals_are_told_apart_and_say_the_remedy() {
    use SecretErrorKind::{Denied, Malformed, NotFound, Unavailable};
    let cases = [
        (
            404,
            "NOT_FOUND",
            "",
            NotFound,
            "create the secret `db` in project p",
            false,
        ),
        (
            400,
            "FAILED_PRECONDITION",
            "is in DISABLED state",
            NotFound,
            "it is disabled",
            false,
        ),
        (
            400,
            "FAILED_PRECONDITION",
            "is in DESTROYED state",
            NotFound,
            "it is destroyed",
            false,
        ),
        (400, "INVALID_ARGUMENT", "bad", Malformed, "bad", false),
        (
            403,
            "PERMISSION_DENIED",
            "",
            Denied,
            "roles/secretmanager.secretAccessor",
            false,
        ),
        (
            403,
            "PERMISSION_DENIED",
            "has not been used in project p before",
            Denied,
            "gcloud services enable",
            false,
        ),
        (401, "UNAUTHENTICATED", "", Denied, "clock", true),
        (
            429,
            "RESOURCE_EXHAUSTED",
            "",
            Unavailable,
            "throttles",
            false,
        ),
        (
            503,
            "UNAVAILABLE",
            "",
            Unavailable,
            "503 UNAVAILABLE",
            false,
        ),
        (499, "CANCELLED", "x\ny", Denied, "CANCELLED: xy", false),
    ];
    let wanted = Wanted {
        project: "p",
        location: None,
        name: "db",
        version: "latest",
    };
    for (status, code, message, kind, remedy, stale) in cases {
        let body = json!({"error": {"code": status, "status": code, "message": message}});
        let refusal = refused(&wanted, status, body.to_string().as_bytes());
        let said = refusal.failure.to_string();
        assert_eq!(
            (refusal.failure.kind, refusal.stale),
            (kind, stale),
            "{code}"
        );
        assert!(said.contains(remedy), "{code}: {said}");
    }
    for (status, part) in [(502, "502"), (404, "in place of"), (302, "in place of")] {
        let refusal = refused(&wanted, status, b"<html>canary");
        assert_eq!(refusal.failure.kind, Unavailable, "{status}");
        let said = refusal.failure.to_string();
        assert!(said.contains(part) && !said.contains("canary"), "{said}");
    }
}

#[test]
fn a_configuration_that_cannot_work_is_refused_with_the_remedy() {
    let good = GcpConfig::default().enabled(true).project("orders-prod");
    let far = GcpCredentials::Metadata {
        endpoint: "http://example.com".to_owned(),
    };
    let cases = [
        (GcpConfig::default(), None),
        (good.clone(), None),
        (good.clone().project(""), Some("project")),
        (good.clone().project("a/b"), Some("project")),
        (
            good.clone().endpoint("http://example.com"),
            Some("endpoint"),
        ),
        (good.clone().credentials(far), Some("credentials.endpoint")),
    ];
    for (config, key) in cases {
        match (check(&config), key) {
            (Ok(()), None) => {}
            (Err(problems), Some(key)) => assert!(problems.to_string().contains(key), "{problems}"),
            (other, _) => panic!("{config:?}: {other:?}"),
        }
    }
}
