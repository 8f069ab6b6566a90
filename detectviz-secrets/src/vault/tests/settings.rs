//! What a user may set.
use super::*;

fn problems(config: &VaultConfig) -> String {
    config::check(config).map_or_else(|err| err.to_string(), |()| String::new())
}

fn token(reference: &str) -> AuthConfig {
    AuthConfig::Token {
        token: reference.parse().unwrap(),
        wrapped: false,
    }
}

#[test]
fn what_is_not_enabled_needs_nothing() {
    assert_eq!(problems(&VaultConfig::default()), "");
    let err = problems(&VaultConfig::default().enabled(true));
    assert!(
        err.contains("addresses") && err.contains("auth.role"),
        "{err}"
    );
}

#[test]
fn what_cannot_work_is_refused_with_the_remedy() {
    let good = || {
        let config = VaultConfig::default()
            .enabled(true)
            .addresses(["http://vault:8200"]);
        config.auth(token("${secret:env:TOKEN}"))
    };
    assert_eq!(problems(&good()), "");
    let cert = || AuthConfig::Cert {
        mount: "cert".to_owned(),
        name: String::new(),
    };
    for (config, expected) in [
        (good().addresses(["vault:8200"]), "scheme, host and port"),
        (good().addresses(["https://vault:8200"]), "`https`"),
        (
            good().auth(token("${secret:vault:kv/token}")),
            "before the login",
        ),
        (good().auth(cert()), "tls.cert_file"),
        (good().namespace("team a/\n"), "namespace"),
        (good().namespace("größe"), "namespace"),
        (good().timeout(Duration::ZERO), "100ms"),
        (good().mount("kv//a", MountKind::KvV2), "kv//a"),
        (
            good().tls(VaultTlsConfig::default().server_name("a b")),
            "DNS name",
        ),
    ] {
        let err = problems(&config);
        assert!(err.contains(expected), "{expected}: {err}");
    }
    let half = VaultTlsConfig {
        cert_file: Some("c.pem".into()),
        ..VaultTlsConfig::default()
    };
    assert!(problems(&good().tls(half)).contains("`key_file`"));
}

#[test]
fn every_method_is_read_with_its_defaults_and_no_unknown_key() {
    for (json, method) in [
        (r#"{"method":"token","token":"${secret:env:T}"}"#, "token"),
        (
            r#"{"method":"approle","role_id":"r","secret_id":"${secret:file:s}","wrapped":true}"#,
            "approle",
        ),
        (r#"{"method":"kubernetes","role":"orders"}"#, "kubernetes"),
        (
            r#"{"method":"userpass","username":"u","password":"${secret:env:P}"}"#,
            "userpass",
        ),
        (r#"{"method":"cert"}"#, "cert"),
    ] {
        let read: AuthConfig = serde_json::from_str(json).unwrap();
        assert_eq!(read.method(), method);
        let again = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<AuthConfig>(&again).unwrap(), read);
        let unknown = json.replace(r#"{"method""#, r#"{"metod":1,"method""#);
        assert!(
            serde_json::from_str::<AuthConfig>(&unknown).is_err(),
            "{unknown}"
        );
    }
    let literal = r#"{"method":"userpass","username":"u","password":"canary"}"#;
    let err = serde_json::from_str::<AuthConfig>(literal)
        .unwrap_err()
        .to_string();
    assert!(!err.contains("canary"), "{err}");
}

#[test]
fn a_section_of_a_file_is_read_and_its_faults_are_named() {
    let read = |auth: &str| {
        let yaml = format!(
            "vault:\n  enabled: true\n  addresses: [\"http://vault:8200\"]\n  auth: {auth}\n"
        );
        let mut loaded =
            config::load(&config::Sources::new().embedded_app("a.yaml", &yaml)).unwrap();
        let section: VaultConfig = loaded.section("vault");
        loaded
            .finish()
            .map(|_| section)
            .map_err(|problems| problems.to_string())
    };
    let section = read("{ method: approle, role_id: r, secret_id: \"${secret:env:S}\" }").unwrap();
    assert_eq!(section.auth.method(), "approle");
    for (auth, expected) in [
        (
            "{ method: approle, role_id: r, secret_id: canary }",
            "vault.auth.secret_id",
        ),
        ("{ method: approle, role_id: r }", "secret_id"),
        (
            "{ method: approle, role_id: r, secret_id: \"${secret:env:S}\", mout: x }",
            "the key `mout` is unknown",
        ),
        ("{ method: cert, role: r }", "none of the method `cert`"),
        ("{ method: aprole }", "approle"),
        ("{ method: kubernetes, role: \"\" }", "vault.auth.role"),
    ] {
        let err = read(auth).unwrap_err();
        assert!(
            err.contains(expected) && !err.contains("canary"),
            "{auth}: {err}"
        );
    }
}
