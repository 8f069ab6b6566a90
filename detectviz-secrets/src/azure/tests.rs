use super::{
    AzureConfig, AzureCredentials, challenge,
    state::{Wanted, fields, login_refused, refused},
};
use detectviz_core::{
    config::check,
    secret::{SecretErrorKind, SecretRef},
};
use serde_json::json;

const VAULT: &str = "https://orders.vault.azure.net";

#[test]
fn a_reference_names_a_secret_of_this_vault_and_a_version() {
    let cases = [
        ("azure:db", Some(("db", ""))),
        ("azure:db/4387e9f3", Some(("db", "4387e9f3"))),
        (
            "azure:https://orders.vault.azure.net/secrets/db",
            Some(("db", "")),
        ),
        (
            "azure:https://orders.vault.azure.net/secrets/db/4387e9f3",
            Some(("db", "4387e9f3")),
        ),
        ("azure:https://other.vault.azure.net/secrets/db", None),
        (
            "azure:https://orders.vault.azure.net.example.com/secrets/db",
            None,
        ),
        ("azure:https://orders.vault.azure.net/keys/db", None),
        ("azure:d_b", None),
        ("azure:db/a/b", None),
        ("azure:../keys", None),
        ("azure:db?version=1", None),
    ];
    for (text, expected) in cases {
        let reference: SecretRef = text.parse().unwrap();
        let found = Wanted::parse(&reference, &format!("{VAULT}/"));
        let shown = found
            .as_ref()
            .ok()
            .map(|wanted| (wanted.name, wanted.version));
        assert_eq!(shown, expected, "{text}");
        if let Err(err) = found {
            assert_eq!(err.kind(), SecretErrorKind::Malformed);
        }
    }
}

#[test]
fn a_token_is_got_for_the_domain_of_the_vault_or_what_is_configured_and_nothing_else() {
    let tenant = r#"authorization="https://login.microsoftonline.com/t""#;
    let own = "https://vault.azure.net";
    let foreign = r#"Bearer resource="https://management.azure.com""#.to_owned();
    let cases = [
        (
            format!(r#"Bearer {tenant}, resource="https://vault.azure.net""#),
            VAULT,
            None,
            Some(own),
        ),
        (
            format!(r#"Bearer {tenant} scope="https://vault.azure.net/.default""#),
            VAULT,
            None,
            Some(own),
        ),
        (
            format!(r#"bearer resource="{own}/""#),
            "https://Orders.Vault.azure.net",
            None,
            Some(own),
        ),
        (foreign.clone(), VAULT, None, None),
        (foreign, VAULT, Some(own), None),
        (
            r#"Bearer resource="https://ers.vault.azure.net""#.to_owned(),
            VAULT,
            None,
            None,
        ),
        (
            r#"Bearer resource="https://evilvault.azure.net""#.to_owned(),
            VAULT,
            None,
            None,
        ),
        (
            format!(r#"Bearer resource="{own}""#),
            "https://vault.example.com",
            Some("https://vault.azure.net/"),
            Some(own),
        ),
        (
            format!(r#"Bearer resource="{own}""#),
            "https://vault.example.com",
            None,
            None,
        ),
        ("Bearer".to_owned(), VAULT, None, None),
        (
            r#"Basic resource="https://vault.azure.net""#.to_owned(),
            VAULT,
            None,
            None,
        ),
        (String::new(), VAULT, None, None),
    ];
    for (header, vault, expected, want) in cases {
        let found = challenge::resource(&header, vault, expected);
        assert_eq!(found.as_deref().ok(), want, "{header}");
    }
}

#[test]
fn a_bundle_has_fields_and_one_that_is_disabled_or_outside_its_time_is_told_apart() {
    let wanted = Wanted {
        name: "db",
        version: "",
    };
    let bundle = |attributes: serde_json::Value| {
        let value = r#"{"user":"app","password":"a\"b"}"#;
        json!({"value": value, "id": format!("{VAULT}/secrets/db/4387"), "attributes": attributes})
            .to_string()
    };
    let cases = [
        (json!({}), None),
        (json!({"enabled": true, "nbf": 99, "exp": 101}), None),
        (json!({"enabled": false}), Some("it is disabled")),
        (json!({"enabled": true, "exp": 100}), Some("it has expired")),
        (
            json!({"enabled": true, "nbf": 101}),
            Some("it is not valid yet"),
        ),
    ];
    for (attributes, part) in cases {
        match (
            fields(&wanted, bundle(attributes).as_bytes(), Some(100)),
            part,
        ) {
            (Ok((fields, version)), None) => {
                assert_eq!(
                    (fields["password"].expose_str(), version.as_str()),
                    (Some("a\"b"), "4387")
                );
            }
            (Err(failure), Some(part)) => {
                assert_eq!(failure.kind, SecretErrorKind::NotFound);
                assert!(failure.to_string().contains(part), "{failure}");
            }
            (other, _) => panic!("{part:?}: {other:?}"),
        }
    }
    let expired = bundle(json!({"exp": 1}));
    assert!(
        fields(&wanted, expired.as_bytes(), None).is_ok(),
        "told to serve it"
    );
    for odd in ["", "[]", "{}", r#"{"value":5,"id":"canary"}"#] {
        let failure = fields(&wanted, odd.as_bytes(), None).unwrap_err();
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
            "SecretNotFound",
            "",
            NotFound,
            "set the secret `db`",
            false,
        ),
        (
            403,
            "Forbidden",
            "SecretDisabled",
            NotFound,
            "--enabled true",
            false,
        ),
        (
            403,
            "Forbidden",
            "ForbiddenByRbac",
            Denied,
            "Key Vault Secrets User",
            false,
        ),
        (
            403,
            "Forbidden",
            "AccessDenied",
            Denied,
            "access policy",
            false,
        ),
        (
            403,
            "Forbidden",
            "ForbiddenByFirewall",
            Denied,
            "firewall",
            false,
        ),
        (
            401,
            "Unauthorized",
            "",
            Denied,
            "does not accept the token",
            true,
        ),
        (
            400,
            "BadParameter",
            "",
            Malformed,
            "BadParameter: odd",
            false,
        ),
        (
            429,
            "Throttled",
            "",
            Unavailable,
            "asks for 7 s of quiet",
            false,
        ),
        (
            503,
            "ServiceUnavailable",
            "",
            Unavailable,
            "503 ServiceUnavailable",
            false,
        ),
    ];
    let wanted = Wanted {
        name: "db",
        version: "",
    };
    for (status, code, inner, kind, remedy, stale) in cases {
        let body =
            json!({"error": {"code": code, "message": "o\ndd", "innererror": {"code": inner}}});
        let refusal = refused(&wanted, status, Some("7"), body.to_string().as_bytes());
        let said = refusal.failure.to_string();
        assert_eq!(
            (refusal.failure.kind, refusal.stale),
            (kind, stale),
            "{code}"
        );
        assert!(said.contains(remedy), "{code}: {said}");
    }
    for (status, part) in [(502, "502"), (404, "in place of"), (302, "in place of")] {
        let refusal = refused(&wanted, status, None, b"<html>canary");
        let said = refusal.failure.to_string();
        assert_eq!(refusal.failure.kind, Unavailable, "{status}");
        assert!(said.contains(part) && !said.contains("canary"), "{said}");
    }
}

#[test]
fn refused_logins_are_told_apart_and_say_the_remedy() {
    use SecretErrorKind::{Denied, Unavailable};
    let cases = [
        (400, &[90_002][..], Denied, "tenant_id"),
        (400, &[700_016], Denied, "client_id"),
        (401, &[7_000_215], Denied, "not its id"),
        (401, &[7_000_222], Denied, "has expired"),
        (400, &[700_213], Denied, "federated credential"),
        (401, &[700_024], Denied, "the kubelet renews"),
        (400, &[500_011], Denied, "`resource`"),
        (400, &[1], Denied, "AADSTS1"),
        (400, &[], Unavailable, "in place of"),
        (503, &[90_033], Unavailable, "503"),
        (429, &[], Unavailable, "429"),
    ];
    for (status, codes, kind, remedy) in cases {
        let failure = login_refused(status, codes);
        assert_eq!(failure.kind, kind, "{codes:?}");
        assert!(failure.to_string().contains(remedy), "{failure}");
    }
}

#[test]
fn a_configuration_that_cannot_work_is_refused_with_the_remedy() {
    let good = AzureConfig::default().enabled(true).vault_url(VAULT);
    let vault = "vault:a".parse::<SecretRef>().unwrap();
    let identity = |tenant: &str| AzureCredentials::workload_identity(tenant, "client");
    let cases = [
        (AzureConfig::default(), None),
        (good.clone(), None),
        (good.clone().credentials(identity("tenant")), None),
        (good.clone().vault_url(""), Some("vault_url")),
        (
            good.clone().vault_url("http://orders.vault.azure.net"),
            Some("vault_url"),
        ),
        (
            good.clone().vault_url(format!("{VAULT}/secrets/db")),
            Some("vault_url"),
        ),
        (good.clone().resource("vault"), Some("resource")),
        (
            good.clone().credentials(identity("a/b")),
            Some("credentials.tenant_id"),
        ),
        (
            good.clone()
                .credentials(AzureCredentials::client_secret("t", "c", vault)),
            Some("credentials.secret"),
        ),
    ];
    for (config, key) in cases {
        match (check(&config), key) {
            (Ok(()), None) => {}
            (Err(problems), Some(key)) => assert!(problems.to_string().contains(key), "{problems}"),
            (other, _) => panic!("{config:?}: {other:?}"),
        }
    }
}
