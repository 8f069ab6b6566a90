//! Database credentials and certificates.
use crate::place::Place;
use detectviz_core::error::BoxError;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use serde_json::{Value, json};
use vaultrs::{
    api::{
        database::requests::{
            PostgreSQLConnectionRequest, SetRoleRequest as DatabaseRole, SetStaticRoleRequest,
        },
        pki::requests::{GenerateCertificateRequest, GenerateRootRequest, SetRoleRequest},
    },
    database, pki,
};

/// The places with a database that the engine can reach: ours alone.
fn with_databases() -> impl Iterator<Item = Place> {
    Place::all().into_iter().filter(|place| {
        let ours = place.server.is_some();
        if !ours {
            #[expect(
                clippy::print_stderr,
                reason = "the report of the test names what it skips"
            )]
            {
                eprintln!(
                    "skipped on the real server, which has no database: database credentials"
                );
            }
        }
        ours
    })
}

#[tokio::test]
async fn database_users_are_there_for_as_long_as_their_lease() -> Result<(), BoxError> {
    for place in with_databases() {
        let (mount, root, admin) = (place.mount("database").await?, place.root()?, &place.admin);
        let valid = |user: &str, password: &str| {
            place
                .server
                .as_ref()
                .is_some_and(|server| server.is_valid(user, password))
        };
        let mut connection = PostgreSQLConnectionRequest::builder();
        connection
            .connection_url("postgresql://{{username}}@db/app")
            .username("admin");
        connection
            .plugin_name("postgresql-database-plugin")
            .allowed_roles(vec!["app".into(), "fixed".into()]);
        database::connection::postgres(&root, &mount, "db", Some(&mut connection)).await?;
        let shown = database::connection::read(&root, &mount, "db").await?;
        assert_eq!(shown.connection_details.username, "admin");
        let mut role = DatabaseRole::builder();
        role.db_name("db");
        role.default_ttl("20m")
            .max_ttl("1h")
            .creation_statements(vec!["CREATE ROLE".into()]);
        database::role::set(&root, &mount, "app", Some(&mut role)).await?;
        assert_eq!(
            database::role::read(&root, &mount, "app")
                .await?
                .default_ttl,
            1_200
        );
        let creds = database::role::creds(&root, &mount, "app").await?;
        assert!(
            creds.username.starts_with("v-root-app-"),
            "{}",
            creds.username
        );
        assert!(valid(&creds.username, &creds.password));
        assert!(!valid(&creds.username, "wrong"));

        let lent = admin.read(&format!("{mount}/creds/app")).await?;
        let id = lent["lease_id"].as_str().unwrap_or_default().to_owned();
        let lookup = admin
            .write("sys/leases/lookup", json!({ "lease_id": id }))
            .await?;
        assert_eq!(lookup["data"]["renewable"], true);
        let renew = json!({ "lease_id": id, "increment": 600 });
        let renewed = admin.write("sys/leases/renew", renew).await?;
        assert_eq!(
            (&renewed["lease_id"], &renewed["lease_duration"]),
            (&json!(id), &json!(600))
        );
        let (user, password) = (
            lent["data"]["username"].as_str(),
            lent["data"]["password"].as_str(),
        );
        let (user, password) = (user.unwrap_or_default(), password.unwrap_or_default());
        assert!(valid(user, password));
        for (sync, status) in [(false, 202), (true, 204)] {
            let revoke = json!({ "lease_id": id, "sync": sync });
            let revoked = admin.send("POST", "sys/leases/revoke", revoke).await?;
            assert_eq!(revoked.status, status);
        }
        assert!(!valid(user, password));
        let gone = admin
            .send("POST", "sys/leases/lookup", json!({ "lease_id": id }))
            .await?;
        assert_eq!(
            (gone.status, gone.text("/errors/0")),
            (400, "invalid lease".into())
        );
        let prefix = format!("sys/leases/revoke-prefix/{mount}/creds");
        admin.write(&prefix, Value::Null).await?;
        assert!(!valid(&creds.username, &creds.password));
        let unknown = admin
            .send("GET", &format!("{mount}/creds/none"), Value::Null)
            .await?;
        assert_eq!(
            (unknown.status, unknown.text("/errors/0")),
            (400, "unknown role: none".into())
        );
        place.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_static_role_has_one_user_and_a_password_that_rotates() -> Result<(), BoxError> {
    for place in with_databases() {
        let (mount, root, admin) = (place.mount("database").await?, place.root()?, &place.admin);
        let config = json!({ "plugin_name": "postgresql-database-plugin", "allowed_roles": "*" });
        admin.write(&format!("{mount}/config/db"), config).await?;
        let mut role = SetStaticRoleRequest::builder();
        role.db_name("db").username("orders");
        role.rotation_period("1h");
        database::static_role::set(&root, &mount, "app", Some(&mut role)).await?;
        let first = database::static_role::creds(&root, &mount, "app").await?;
        assert_eq!(
            (first.username.as_str(), first.rotation_period),
            ("orders", 3_600)
        );
        assert!(first.ttl <= 3_600 && first.ttl > 3_500);
        database::static_role::rotate(&root, &mount, "app").await?;
        let second = database::static_role::creds(&root, &mount, "app").await?;
        assert_ne!(first.password, second.password);
        let server = place.server.as_ref().ok_or("ours")?;
        assert!(!server.is_valid("orders", &first.password));
        assert!(server.is_valid("orders", &second.password));
        assert_eq!(
            database::static_role::list(&root, &mount).await?.keys,
            ["app"]
        );
        place.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn certificates_are_real_and_signed_by_the_root() -> Result<(), BoxError> {
    for place in Place::all() {
        let (mount, root, admin) = (place.mount("pki").await?, place.root()?, &place.admin);
        let mut wanted = GenerateRootRequest::builder();
        wanted.common_name("root").ttl("24h");
        let ca = pki::cert::ca::generate(&root, &mount, "internal", Some(&mut wanted)).await?;
        let ca = ca.ok_or("a root")?;
        let mut role = SetRoleRequest::builder();
        role.allowed_domains(vec!["shop.svc".into()])
            .allow_subdomains(true)
            .key_type("ec")
            .key_bits(256_u64);
        role.max_ttl("1h").generate_lease(true);
        pki::role::set(&root, &mount, "orders", Some(&mut role)).await?;
        assert_eq!(
            pki::role::read(&root, &mount, "orders").await?.max_ttl,
            3_600
        );
        let mut wanted = GenerateCertificateRequest::builder();
        wanted.common_name("orders.shop.svc").ttl("10m");
        let leaf = pki::cert::generate(&root, &mount, "orders", Some(&mut wanted)).await?;
        assert_eq!(leaf.issuing_ca.trim(), ca.certificate.trim());
        assert_eq!(leaf.private_key_type, "ec");
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ca.certificate.as_bytes())?)?;
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
        let own = CertificateDer::from_pem_slice(leaf.certificate.as_bytes())?;
        let now = rustls_pki_types::UnixTime::now();
        builder.build()?.verify_client_cert(&own, &[], now)?;
        let path = format!("{mount}/issue/orders");
        let lent = admin
            .write(&path, json!({ "common_name": "a.shop.svc", "ttl": "10m" }))
            .await?;
        assert_ne!(lent["lease_id"], "");
        assert_eq!(lent["renewable"], false);
        let refused = admin
            .send("POST", &path, json!({ "common_name": "other" }))
            .await?;
        assert_eq!(refused.status, 400);
        assert!(
            pki::cert::list(&root, &mount)
                .await?
                .contains(&leaf.serial_number)
        );
        let revoked = pki::cert::revoke(&root, &mount, &leaf.serial_number).await?;
        assert!(revoked.revocation_time > 0);
        assert!(
            pki::cert::read(&root, &mount, &leaf.serial_number)
                .await?
                .revocation_time
                > 0
        );
        place.close().await?;
    }
    Ok(())
}
