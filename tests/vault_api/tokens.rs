//! Tokens, policies and wrapped answers.
use crate::place::Place;
use detectviz_core::error::BoxError;
use serde_json::{Value, json};
use vaultrs::{
    api::{ResponseWrapper, kv1::requests::GetSecretRequest, token::requests::CreateTokenRequest},
    error::ClientError,
    sys, token,
};

#[tokio::test]
async fn a_token_is_made_looked_up_renewed_and_revoked() -> Result<(), BoxError> {
    for place in Place::all() {
        let root = place.root()?;
        let mut wanted = CreateTokenRequest::builder();
        wanted
            .ttl("1h")
            .policies(vec!["default".into()])
            .renewable(true);
        let made = token::new(&root, Some(&mut wanted)).await?;
        assert_eq!((made.lease_duration, made.renewable), (3_600, true));
        assert_eq!(made.policies, ["default"]);
        let own = place.client(&made.client_token)?;
        let shown = token::lookup_self(&own).await?;
        assert_eq!(
            (shown.accessor.as_str(), shown.creation_ttl),
            (made.accessor.as_str(), 3_600)
        );
        assert!(shown.ttl <= 3_600 && shown.renewable == Some(true) && shown.expire_time.is_some());
        let renewed = token::renew_self(&own, Some("2h")).await?;
        assert_eq!(renewed.lease_duration, 7_200);
        let other = token::lookup_accessor(&root, &made.accessor).await?;
        assert_eq!(other.id, "");
        let all = place.admin.list("auth/token/accessors").await?;
        let all = all["data"]["keys"].as_array().cloned().unwrap_or_default();
        assert!(all.contains(&json!(made.accessor)));
        token::revoke_self(&own).await?;
        let gone = token::lookup_self(&own).await;
        let Err(ClientError::APIError { code, errors }) = gone else {
            panic!("a revoked token is known");
        };
        assert_eq!(code, 403);
        assert!(errors[0].contains("permission denied"), "{errors:?}");
        place.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn limits_of_a_token_hold() -> Result<(), BoxError> {
    for place in Place::all() {
        let admin = &place.admin;
        for (wanted, increment, expected) in [
            (
                json!({ "ttl": "10m", "explicit_max_ttl": "20m" }),
                "1h",
                1_200,
            ),
            (json!({ "period": "5m" }), "1h", 300),
            (json!({ "ttl": "10m" }), "15m", 900),
        ] {
            let mut wanted = wanted;
            wanted["policies"] = json!(["default"]);
            let made = admin.write("auth/token/create", wanted.clone()).await?;
            let own = admin.with_token(made["auth"]["client_token"].as_str().unwrap_or_default());
            let increment = json!({ "increment": increment });
            let renewed = own.write("auth/token/renew-self", increment).await?;
            let ttl = renewed["auth"]["lease_duration"]
                .as_u64()
                .unwrap_or_default();
            assert!((expected - 2..=expected).contains(&ttl), "{wanted}: {ttl}");
        }
        let wanted = json!({ "num_uses": 2, "policies": ["default"], "ttl": "1m" });
        let made = admin.write("auth/token/create", wanted).await?;
        let own = admin.with_token(made["auth"]["client_token"].as_str().unwrap_or_default());
        for status in [200, 200, 403] {
            let looked = own
                .send("GET", "auth/token/lookup-self", Value::Null)
                .await?;
            assert_eq!(looked.status, status);
        }
        place.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_policy_says_what_a_token_may() -> Result<(), BoxError> {
    for place in Place::all() {
        let (mount, admin) = (place.mount("kv-v2").await?, &place.admin);
        for key in ["app", "other"] {
            let value = json!({ "data": { "a": 1 } });
            admin.write(&format!("{mount}/data/{key}"), value).await?;
        }
        let rules = format!(
            r#"path "{mount}/data/app" {{ capabilities = ["read", "update"] }}
            path "{mount}/metadata/*" {{ capabilities = ["list"] }}"#
        );
        let policy = place.policy(&rules).await?;
        let read = sys::policy::read(&place.root()?, &policy).await?;
        assert_eq!(read.rules, rules);
        let wanted = json!({ "policies": [policy], "ttl": "1m" });
        let made = admin.write("auth/token/create", wanted).await?;
        let own = admin.with_token(made["auth"]["client_token"].as_str().unwrap_or_default());
        let value = json!({ "data": { "a": 2 } });
        for (method, path, body, status) in [
            ("GET", "data/app", Value::Null, 200),
            ("POST", "data/app", value.clone(), 200),
            ("DELETE", "data/app", Value::Null, 403),
            ("GET", "data/other", Value::Null, 403),
            ("POST", "data/new", value, 403),
            ("LIST", "metadata", Value::Null, 200),
            ("GET", "metadata/app", Value::Null, 403),
        ] {
            let answer = own.send(method, &format!("{mount}/{path}"), body).await?;
            assert_eq!(answer.status, status, "{method} {path}");
        }
        let internal = |path: &str| format!("sys/internal/ui/mounts/{path}");
        let (known, none) = (
            internal(&format!("{mount}/data/app")),
            internal("cubbyhole-none/app"),
        );
        let shown = own.read(&known).await?;
        assert_eq!(shown["data"]["options"]["version"], "2");
        let refused = own.send("GET", &none, Value::Null).await?;
        assert_eq!(refused.status, 403);
        assert!(
            refused
                .text("/errors/0")
                .starts_with("preflight capability check returned 403")
        );
        let nobody = admin
            .with_token("")
            .send("GET", &format!("{mount}/data/app"), Value::Null)
            .await?;
        assert_eq!(nobody.status, 403);
        place.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_wrapped_answer_opens_once() -> Result<(), BoxError> {
    for place in Place::all() {
        let (mount, root) = (place.mount("kv").await?, place.root()?);
        place
            .admin
            .write(&format!("{mount}/app"), json!({ "a": "b" }))
            .await?;
        let endpoint = GetSecretRequest::builder()
            .mount(mount.as_str())
            .path("app")
            .build()?;
        let wrapped = endpoint.wrap(&root).await?;
        assert_eq!(wrapped.info.ttl, 600);
        assert_eq!(wrapped.info.creation_path, format!("{mount}/app"));
        let shown = sys::wrapping::lookup(&root, &wrapped.info.token).await?;
        assert_eq!(shown.creation_ttl, 600);
        let opened: Value = sys::wrapping::unwrap(&root, Some(&wrapped.info.token)).await?;
        assert_eq!(opened, json!({ "a": "b" }));
        let again: Result<Value, _> = sys::wrapping::unwrap(&root, Some(&wrapped.info.token)).await;
        assert!(
            matches!(again, Err(ClientError::APIError { code: 400, .. })),
            "{again:?}"
        );
        let endpoint = GetSecretRequest::builder()
            .mount(mount.as_str())
            .path("app")
            .build()?;
        let wrapped = endpoint.wrap(&root).await?;
        let bearer = place.client(&wrapped.info.token)?;
        let opened: Value = sys::wrapping::unwrap(&bearer, None).await?;
        assert_eq!(opened, json!({ "a": "b" }));
        let own = place
            .admin
            .send("POST", "sys/wrapping/unwrap", Value::Null)
            .await?;
        assert_eq!(own.status, 400);
        place.admin.read("auth/token/lookup-self").await?;
        place.close().await?;
    }
    Ok(())
}
