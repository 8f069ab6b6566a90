//! What no other file of these checks asks for.
use crate::place::Place;
use detectviz_core::error::BoxError;
use serde_json::{Value, json};
use std::collections::HashMap;
use vaultrs::{auth::approle::role, cubbyhole, sys, token};

#[tokio::test]
async fn tokens_are_renewed_and_revoked_by_accessor_and_orphans_stay() -> Result<(), BoxError> {
    for place in Place::all() {
        let root = place.root()?;
        let wanted = json!({ "policies": ["default"], "ttl": "10m" });
        let orphan = token::new_orphan(&root, None).await?;
        assert!(orphan.orphan);
        token::revoke(&root, &orphan.client_token).await?;
        let made = place.admin.write("auth/token/create", wanted).await?;
        let accessor = made["auth"]["accessor"].as_str().unwrap_or_default();
        let renewed = token::renew_accessor(&root, accessor, Some("20m")).await?;
        assert_eq!(
            (renewed.lease_duration, renewed.client_token.as_str()),
            (1_200, "")
        );
        token::revoke_accessor(&root, accessor).await?;
        assert!(token::lookup_accessor(&root, accessor).await.is_err());
        place.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_cubbyhole_belongs_to_its_token() -> Result<(), BoxError> {
    for place in Place::all() {
        let wanted = json!({ "policies": ["default"], "ttl": "10m" });
        let made = place.admin.write("auth/token/create", wanted).await?;
        let own = place.client(made["auth"]["client_token"].as_str().unwrap_or_default())?;
        let value = HashMap::from([("a", "b")]);
        cubbyhole::set(&own, "cubbyhole", "mine", &value).await?;
        let read: HashMap<String, String> = cubbyhole::get(&own, "cubbyhole", "mine").await?;
        assert_eq!(read["a"], "b");
        let other = place
            .admin
            .send("GET", "cubbyhole/mine", Value::Null)
            .await?;
        assert_eq!(other.status, 404);
        cubbyhole::delete(&own, "cubbyhole", "mine").await?;
        place.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn secret_ids_are_looked_up_and_destroyed() -> Result<(), BoxError> {
    for place in Place::all() {
        let (mount, root) = (place.auth("approle").await?, place.root()?);
        role::set(&root, &mount, "app", None).await?;
        role::update_id(&root, &mount, "app", "chosen").await?;
        assert_eq!(role::read_id(&root, &mount, "app").await?.role_id, "chosen");
        let custom = role::secret::custom(&root, &mount, "app", "mine", None).await?;
        assert_eq!(custom.secret_id, "mine");
        let shown = role::secret::read(&root, &mount, "app", "mine").await?;
        assert_eq!(shown.secret_id_accessor, custom.secret_id_accessor);
        let accessor = custom.secret_id_accessor.as_str();
        role::secret::read_accessor(&root, &mount, "app", accessor).await?;
        assert_eq!(
            role::secret::list(&root, &mount, "app").await?.keys,
            [accessor]
        );
        let made = role::secret::generate(&root, &mount, "app", None).await?;
        role::secret::delete(&root, &mount, "app", &made.secret_id).await?;
        role::secret::delete_accessor(&root, &mount, "app", accessor).await?;
        assert!(role::secret::list(&root, &mount, "app").await.is_err());
        place.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_ttl_of_a_mount_limits_its_tokens() -> Result<(), BoxError> {
    for place in Place::all() {
        let (mount, admin) = (place.auth("userpass").await?, &place.admin);
        let tune = format!("sys/auth/{mount}/tune");
        admin
            .write(
                &tune,
                json!({ "default_lease_ttl": "5m", "max_lease_ttl": "10m" }),
            )
            .await?;
        assert_eq!(admin.read(&tune).await?["data"]["max_lease_ttl"], 600);
        for (user, ttl, expected) in [("short", 0, 300), ("long", 3_600, 600)] {
            let body = json!({ "password": "p", "token_ttl": ttl });
            admin
                .write(&format!("auth/{mount}/users/{user}"), body)
                .await?;
            let login = format!("auth/{mount}/login/{user}");
            let made = admin
                .with_token("")
                .write(&login, json!({ "password": "p" }))
                .await?;
            assert_eq!(made["auth"]["lease_duration"], expected);
            assert_eq!(made["warnings"].is_array(), ttl > 0, "{made}");
        }
        place.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn capabilities_are_shown_and_wrapping_asks_for_its_header() -> Result<(), BoxError> {
    for place in Place::all() {
        let (mount, admin) = (place.mount("kv-v2").await?, &place.admin);
        let (data, wrap) = (format!("{mount}/data/app"), "sys/wrapping/wrap");
        admin
            .write(&data, json!({ "data": { "a": 1, "b": 2 } }))
            .await?;
        let policy = place
            .policy(&format!(r#"path "{data}" {{ capabilities = ["read"] }}"#))
            .await?;
        let made = admin
            .write("auth/token/create", json!({ "policies": [policy] }))
            .await?;
        let own = admin.with_token(made["auth"]["client_token"].as_str().unwrap_or_default());
        let asked = json!({ "paths": [data, "sys/mounts"] });
        let shown = own.write("sys/capabilities-self", asked).await?;
        assert_eq!(shown["data"][&data], json!(["read"]));
        assert_eq!(shown["data"]["sys/mounts"], json!(["deny"]));
        let unwrapped = admin.send("POST", wrap, json!({ "a": 1 })).await?;
        assert_eq!(unwrapped.status, 400);
        token::revoke(&place.root()?, &own.token).await?;
        sys::mount::disable(&place.root()?, &mount).await?;
        assert_eq!(admin.send("GET", &data, Value::Null).await?.status, 404);
        place.close().await?;
    }
    Ok(())
}
