//! References to paths.
use super::*;

#[test]
fn a_reference_names_mount_and_path() {
    for (text, kind, expected) in [
        (
            "kv/orders",
            MountKind::KvV2,
            r#"path "kv/data/orders" { capabilities = ["read"] }"#,
        ),
        (
            "/kv/orders/",
            MountKind::KvV1,
            r#"path "kv/orders" { capabilities = ["read"] }"#,
        ),
        (
            "kv/issue/web?common_name=a&ttl=24h&alt_names=b%2Cc",
            MountKind::Pki,
            r#"path "kv/issue/web" { capabilities = ["update"] }"#,
        ),
        (
            "kv/static-creds/app",
            MountKind::Database,
            r#"path "kv/static-creds/app" { capabilities = ["read"] }"#,
        ),
    ] {
        let target = Target::parse(text).unwrap();
        let (_, form) = target.call("kv", kind).unwrap();
        assert_eq!(target.policy("kv", form), expected, "{text}");
    }
}

#[test]
fn each_engine_has_its_form() {
    for (path, kind, expected) in [
        ("m/a", MountKind::KvV1, Form::KvV1),
        ("m/a?version=3", MountKind::KvV2, Form::KvV2),
        ("m/creds/a", MountKind::Database, Form::Plain),
        ("m/static-creds/a", MountKind::Database, Form::Static),
        ("m/issue/a?common_name=b", MountKind::Pki, Form::Issued),
        ("m/cert/ca", MountKind::Pki, Form::Plain),
        ("m/anything/at/all", MountKind::Other, Form::Plain),
    ] {
        let (_, form) = Target::parse(path).unwrap().call("m", kind).unwrap();
        assert_eq!(form, expected, "{path}");
    }
}

#[test]
fn what_cannot_be_asked_for_is_refused_with_the_remedy() {
    for (path, kind, expected) in [
        ("m/a?version=new", MountKind::KvV2, "a number as `version`"),
        (
            "m/a?versoin=3",
            MountKind::KvV2,
            "leave out the parameter `versoin`: known here are version",
        ),
        ("m/a?version=3", MountKind::KvV1, "takes none"),
        ("m/issue/a", MountKind::Pki, "?common_name="),
        (
            "m/issue/a?common_name=b&key=c",
            MountKind::Pki,
            "known here are common_name, alt_names",
        ),
        ("m/a?version=3&version=4", MountKind::KvV2, "once"),
        ("m/a?version=", MountKind::KvV2, "with a value"),
        ("m/issue/a?common_name=%zz", MountKind::Pki, "`%25`"),
        ("m/../sys/seal", MountKind::KvV2, "mount and path"),
        ("m//a", MountKind::KvV2, "mount and path"),
        ("m", MountKind::KvV2, "mount and path"),
        ("m/", MountKind::KvV2, "mount and path"),
    ] {
        let found = Target::parse(path).and_then(|target| target.call("m", kind).map(|_| ()));
        let err = found.unwrap_err();
        assert_eq!(err.cause, Cause::Refused, "{path}");
        assert!(err.to_string().contains(expected), "{path}: {err}");
    }
}
