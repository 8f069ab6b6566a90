//! Seal, health, mounts and namespaces.
use crate::place::{Place, client};
use detectviz_core::error::BoxError;
use detectviz_tests::vault::{VaultAdmin, VaultOptions, VaultServer};
use serde_json::{Value, json};
use vaultrs::{client::Client, sys};

#[tokio::test]
async fn health_mounts_and_policies_are_shown() -> Result<(), BoxError> {
    for place in Place::all() {
        let root = place.root()?;
        let health = sys::health(&root).await?;
        assert!(health.initialized && !health.sealed && !health.standby);
        assert!(matches!(root.status().await?, sys::ServerStatus::OK));
        let (mount, auth) = (place.mount("kv-v2").await?, place.auth("approle").await?);
        let mounts = sys::mount::list(&root).await?;
        let own = &mounts[&format!("{mount}/")];
        assert_eq!(own.mount_type, "kv");
        assert_eq!(
            own.options
                .as_ref()
                .map(|options| options["version"].as_str()),
            Some("2")
        );
        assert_eq!(
            sys::auth::list(&root).await?[&format!("{auth}/")].mount_type,
            "approle"
        );
        sys::mount::get_configuration_of_a_secret_engine(&root, &mount).await?;
        let internal = place
            .admin
            .read(&format!("sys/internal/ui/mounts/{mount}/data/app"))
            .await?;
        assert_eq!(internal["data"]["options"]["version"], "2");
        assert_eq!(internal["data"]["path"], format!("{mount}/"));
        let policy = place
            .policy(r#"path "a" { capabilities = ["read"] }"#)
            .await?;
        assert!(sys::policy::list(&root).await?.policies.contains(&policy));
        place.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_new_server_is_initialized_unsealed_and_sealed() -> Result<(), BoxError> {
    let server = VaultServer::start(VaultOptions::default().uninitialized(true));
    let nobody = client(&server.address(), "")?;
    assert!(matches!(
        nobody.status().await?,
        sys::ServerStatus::UNINITIALIZED
    ));
    let keys = sys::start_initialization(&nobody, 1, 1, None).await?;
    assert!(matches!(nobody.status().await?, sys::ServerStatus::SEALED));
    let open = sys::unseal(&nobody, Some(keys.keys[0].clone()), None, None).await?;
    assert!(!open.sealed);
    let root = client(&server.address(), &keys.root_token)?;
    assert!(matches!(root.status().await?, sys::ServerStatus::OK));
    sys::seal(&root).await?;
    let admin = VaultAdmin::new(server.address(), keys.root_token.clone());
    let sealed = admin.send("GET", "sys/mounts", Value::Null).await?;
    assert_eq!(
        (sealed.status, sealed.text("/errors/0")),
        (503, "Vault is sealed".into())
    );
    assert_eq!(admin.read("sys/seal-status").await?["sealed"], true);
    Ok(())
}

#[tokio::test]
async fn a_namespace_has_its_own_mounts_and_tokens() -> Result<(), BoxError> {
    // Ours alone: a real one has namespaces only as Enterprise or OpenBao.
    let server = VaultServer::start(VaultOptions::default());
    let admin = VaultAdmin::new(server.address(), server.root_token());
    admin.write("sys/namespaces/team", Value::Null).await?;
    let team = admin.with_namespace("team");
    team.enable_mount("kv", "kv-v2").await?;
    team.write("kv/data/app", json!({ "data": { "a": 1 } }))
        .await?;
    assert_eq!(
        admin.read("team/kv/data/app").await?["data"]["data"]["a"],
        1
    );
    assert_eq!(
        admin.send("GET", "kv/data/app", Value::Null).await?.status,
        404
    );
    team.put_policy("app", r#"path "kv/data/*" { capabilities = ["read"] }"#)
        .await?;
    team.enable_auth("userpass", "userpass").await?;
    let user = json!({ "password": "p", "token_policies": "app" });
    team.write("auth/userpass/users/u", user).await?;
    let body = json!({ "password": "p" });
    let made = team
        .with_token("")
        .write("auth/userpass/login/u", body)
        .await?;
    let token = made["auth"]["client_token"].as_str().unwrap_or_default();
    assert_eq!(
        team.with_token(token).read("kv/data/app").await?["data"]["data"]["a"],
        1
    );
    let outside = admin
        .with_token(token)
        .send("GET", "kv/data/app", Value::Null)
        .await?;
    assert_eq!(outside.status, 403);
    let nowhere = admin
        .with_namespace("none")
        .send("GET", "kv/data/app", Value::Null)
        .await?;
    assert_eq!(nowhere.status, 404);
    Ok(())
}
