//! KV, both versions.
use crate::place::Place;
use detectviz_core::error::BoxError;
use serde_json::{Value, json};
use std::collections::HashMap;
use vaultrs::{
    api::kv2::requests::{SetSecretMetadataRequest, SetSecretRequestOptions},
    error::ClientError,
    kv1, kv2,
};

#[tokio::test]
async fn version_1_keeps_values() -> Result<(), BoxError> {
    for place in Place::all() {
        let (mount, client) = (place.mount("kv").await?, place.root()?);
        let value = HashMap::from([("password", "p"), ("user", "u")]);
        kv1::set(&client, &mount, "team/app", &value).await?;
        let read: HashMap<String, String> = kv1::get(&client, &mount, "team/app").await?;
        assert_eq!(read["password"], "p");
        let raw = kv1::get_raw(&client, &mount, "team/app").await?;
        assert_eq!((raw.lease_id.as_str(), raw.renewable), ("", false));
        assert!(raw.lease_duration > 0);
        assert_eq!(kv1::list(&client, &mount, "team").await?.data.keys, ["app"]);
        kv1::delete(&client, &mount, "team/app").await?;
        let gone = kv1::get_raw(&client, &mount, "team/app").await;
        assert!(
            matches!(gone, Err(ClientError::APIError { code: 404, .. })),
            "{gone:?}"
        );
        place.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn version_2_keeps_versions() -> Result<(), BoxError> {
    for place in Place::all() {
        let (mount, client) = (place.mount("kv-v2").await?, place.root()?);
        for version in 1..=3 {
            let value = json!({ "version": version });
            let made = kv2::set(&client, &mount, "app", &value).await?;
            assert_eq!((made.version, made.destroyed), (version, false));
        }
        let latest: Value = kv2::read(&client, &mount, "app").await?;
        assert_eq!(latest["version"], 3);
        let first: Value = kv2::read_version(&client, &mount, "app", 1).await?;
        assert_eq!(first["version"], 1);
        kv2::delete_latest(&client, &mount, "app").await?;
        kv2::destroy_versions(&client, &mount, "app", vec![1]).await?;
        let metadata = kv2::read_metadata(&client, &mount, "app").await?;
        assert_eq!((metadata.current_version, metadata.versions.len()), (3, 3));
        assert!(metadata.versions["1"].destroyed);
        assert!(!metadata.versions["3"].deletion_time.is_empty());
        kv2::undelete_versions(&client, &mount, "app", vec![3]).await?;
        let back: Value = kv2::read(&client, &mount, "app").await?;
        assert_eq!(back["version"], 3);
        kv2::delete_versions(&client, &mount, "app", vec![3]).await?;
        assert_eq!(kv2::list(&client, &mount, "").await?, ["app"]);
        kv2::delete_metadata(&client, &mount, "app").await?;
        let gone: Result<Value, _> = kv2::read(&client, &mount, "app").await;
        assert!(
            matches!(gone, Err(ClientError::APIError { code: 404, .. })),
            "{gone:?}"
        );
        place.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_deleted_version_is_a_404_that_says_when() -> Result<(), BoxError> {
    for place in Place::all() {
        let (mount, admin) = (place.mount("kv-v2").await?, &place.admin);
        let data = format!("{mount}/data/app");
        admin.write(&data, json!({ "data": { "a": 1 } })).await?;
        let absent = admin
            .send("GET", &format!("{mount}/data/none"), Value::Null)
            .await?;
        assert_eq!((absent.status, absent.at("/errors")), (404, json!([])));
        admin.delete(&data).await?;
        let deleted = admin.send("GET", &data, Value::Null).await?;
        assert_eq!(
            (deleted.status, deleted.at("/data/data")),
            (404, Value::Null)
        );
        assert_ne!(deleted.text("/data/metadata/deletion_time"), "");
        assert_eq!(deleted.at("/data/metadata/destroyed"), false);
        let versions = json!({ "versions": [1] });
        admin
            .write(&format!("{mount}/destroy/app"), versions)
            .await?;
        let destroyed = admin.send("GET", &data, Value::Null).await?;
        assert_eq!(destroyed.status, 404);
        assert_eq!(destroyed.at("/data/metadata/destroyed"), true);
        let unversioned = admin
            .send("GET", &format!("{mount}/app"), Value::Null)
            .await?;
        assert_eq!(unversioned.status, 404);
        assert!(
            unversioned
                .text("/warnings/0")
                .starts_with("Invalid path for a versioned K/V")
        );
        place.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn check_and_set_and_limits_hold() -> Result<(), BoxError> {
    for place in Place::all() {
        let (mount, client) = (place.mount("kv-v2").await?, place.root()?);
        let value = json!({ "a": 1 });
        for (cas, refused) in [(1, true), (0, false), (0, true), (1, false)] {
            let options = SetSecretRequestOptions { cas };
            let set = kv2::set_with_options(&client, &mount, "app", &value, options).await;
            assert_eq!(
                matches!(set, Err(ClientError::APIError { code: 400, .. })),
                refused,
                "{set:?}"
            );
        }
        let mut rules = SetSecretMetadataRequest::builder();
        rules.max_versions(2_u64).cas_required(true);
        kv2::set_metadata(&client, &mount, "app", Some(&mut rules)).await?;
        let refused = kv2::set(&client, &mount, "app", &value).await;
        assert!(
            matches!(refused, Err(ClientError::APIError { code: 400, .. })),
            "{refused:?}"
        );
        for cas in 2..4 {
            let options = SetSecretRequestOptions { cas };
            kv2::set_with_options(&client, &mount, "app", &value, options).await?;
        }
        let metadata = kv2::read_metadata(&client, &mount, "app").await?;
        assert_eq!((metadata.current_version, metadata.versions.len()), (4, 2));
        let config = kv2::config::read(&client, &mount).await?;
        assert_eq!((config.max_versions, config.cas_required), (0, false));
        place.close().await?;
    }
    Ok(())
}
