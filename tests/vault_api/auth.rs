//! Auth methods.
use crate::place::{Place, client};
use detectviz_core::error::BoxError;
use detectviz_tests::vault::{
    Authority, ClientCertificates, TlsOptions, VaultAdmin, VaultOptions, VaultServer,
};
use serde_json::{Value, json};
use vaultrs::{
    api::auth::{
        approle::requests::{GenerateNewSecretIDRequest, SetAppRoleRequest},
        userpass::requests::CreateUserRequest,
    },
    auth::{approle, cert, kubernetes, userpass},
    error::ClientError,
    token,
};

fn code<T>(result: &Result<T, ClientError>) -> Option<u16> {
    match result {
        Err(ClientError::APIError { code, .. }) => Some(*code),
        _ => None,
    }
}

#[tokio::test]
async fn approle_lets_in_who_has_both_ids() -> Result<(), BoxError> {
    for place in Place::all() {
        let (mount, root) = (place.auth("approle").await?, place.root()?);
        let mut wanted = SetAppRoleRequest::builder();
        wanted
            .token_ttl("20m")
            .token_max_ttl("1h")
            .secret_id_num_uses(2_u64);
        wanted
            .secret_id_ttl("10m")
            .token_policies(vec!["default".into()]);
        approle::role::set(&root, &mount, "app", Some(&mut wanted)).await?;
        let role = approle::role::read(&root, &mount, "app").await?;
        assert_eq!((role.token_ttl, role.token_max_ttl), (1_200, 3_600));
        let id = approle::role::read_id(&root, &mount, "app").await?.role_id;
        let mut wanted = GenerateNewSecretIDRequest::builder();
        wanted.metadata(r#"{"pod":"a"}"#);
        let secret =
            approle::role::secret::generate(&root, &mount, "app", Some(&mut wanted)).await?;
        assert_eq!(secret.secret_id_ttl, 600);
        let nobody = place.client("")?;
        for _ in 0..2 {
            let auth = approle::login(&nobody, &mount, &id, &secret.secret_id).await?;
            assert_eq!((auth.lease_duration, auth.orphan), (1_200, true));
            assert_eq!(
                auth.metadata.as_ref().map(|meta| meta["pod"].as_str()),
                Some("a")
            );
            assert_eq!(
                auth.metadata.map(|meta| meta["role_name"].clone()),
                Some("app".into())
            );
        }
        let spent = approle::login(&nobody, &mount, &id, &secret.secret_id).await;
        assert_eq!(code(&spent), Some(400));
        let wrong = approle::login(&nobody, &mount, "nobody", &secret.secret_id).await;
        assert_eq!(code(&wrong), Some(400));
        assert_eq!(approle::role::list(&root, &mount).await?.keys, ["app"]);
        approle::role::delete(&root, &mount, "app").await?;
        place.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn userpass_lets_in_who_knows_the_password() -> Result<(), BoxError> {
    for place in Place::all() {
        let (mount, root) = (place.auth("userpass").await?, place.root()?);
        let mut wanted = CreateUserRequest::builder();
        wanted
            .token_ttl("15m")
            .token_policies(vec!["default".into()]);
        userpass::user::set(&root, &mount, "app", "right", Some(&mut wanted)).await?;
        let nobody = place.client("")?;
        let auth = userpass::login(&nobody, &mount, "app", "right").await?;
        assert_eq!((auth.lease_duration, auth.renewable), (900, true));
        let own = token::lookup_self(&place.client(&auth.client_token)?).await?;
        assert_eq!(own.path, format!("auth/{mount}/login/app"));
        for (user, password) in [("app", "wrong"), ("nobody", "right")] {
            let refused = userpass::login(&nobody, &mount, user, password).await;
            assert_eq!(code(&refused), Some(400));
        }
        userpass::user::update_password(&root, &mount, "app", "new").await?;
        userpass::login(&nobody, &mount, "app", "new").await?;
        assert_eq!(
            userpass::user::read(&root, &mount, "app").await?.token_ttl,
            900
        );
        assert_eq!(userpass::user::list(&root, &mount).await?.keys, ["app"]);
        place.close().await?;
    }
    Ok(())
}

/// A JWT of the service account `name`, whose signature nobody looks at.
fn jwt(name: &str, audience: &str, expires: u64) -> String {
    let claims = json!({
        "aud": [audience], "exp": expires, "sub": format!("system:serviceaccount:shop:{name}"),
        "kubernetes.io": { "serviceaccount": { "name": name, "uid": "u" }, "namespace": "shop" },
    });
    let parts = [json!({ "alg": "RS256" }), claims, json!("signature")];
    parts
        .map(|part| base64url(part.to_string().as_bytes()))
        .join(".")
}

fn base64url(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digits = bytes.chunks(3).flat_map(|chunk| {
        let byte = |at: usize| chunk.get(at).map_or(0, |byte| u32::from(*byte));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let digit = move |at: usize| alphabet[(bits >> (18 - 6 * at) & 63) as usize];
        (0..=chunk.len()).map(digit)
    });
    String::from_utf8_lossy(&digits.collect::<Vec<u8>>()).into_owned()
}

#[tokio::test]
async fn kubernetes_lets_in_the_bound_service_account() -> Result<(), BoxError> {
    // Ours alone: a real Vault asks a real API server.
    let server = VaultServer::start(VaultOptions::default().unix(1_800_000_000));
    let root = client(&server.address(), &server.root_token())?;
    let admin = VaultAdmin::new(server.address(), server.root_token());
    admin.enable_auth("kubernetes", "kubernetes").await?;
    kubernetes::configure(&root, "kubernetes", "https://10.0.0.1", None).await?;
    let config = kubernetes::read_config(&root, "kubernetes").await?;
    assert_eq!(config.kubernetes_host, "https://10.0.0.1");
    let role = json!({
        "bound_service_account_names": "orders", "bound_service_account_namespaces": ["shop"],
        "audience": "vault", "token_ttl": "10m", "token_policies": ["default"],
    });
    admin.write("auth/kubernetes/role/orders", role).await?;
    assert_eq!(
        kubernetes::role::list(&root, "kubernetes").await?.keys,
        ["orders"]
    );
    assert_eq!(
        kubernetes::role::read(&root, "kubernetes", "orders")
            .await?
            .token_ttl,
        600
    );
    let nobody = client(&server.address(), "")?;
    for (role, jwt, status) in [
        ("orders", jwt("orders", "vault", 1_800_000_600), None),
        ("orders", jwt("orders", "vault", 1_799_999_999), Some(403)),
        ("orders", jwt("other", "vault", 1_800_000_600), Some(403)),
        ("orders", jwt("orders", "api", 1_800_000_600), Some(403)),
        ("orders", "no token".into(), Some(403)),
        ("other", jwt("orders", "vault", 1_800_000_600), Some(400)),
    ] {
        let login = kubernetes::login(&nobody, "kubernetes", role, &jwt).await;
        assert_eq!(code(&login), status);
        if let Ok(auth) = login {
            let meta = auth.metadata.unwrap_or_default();
            assert_eq!(meta["service_account_namespace"], "shop");
        }
    }
    server.set_unix_time(1_800_000_600);
    let late = kubernetes::login(
        &nobody,
        "kubernetes",
        "orders",
        &jwt("orders", "vault", 1_800_000_600),
    )
    .await;
    assert_eq!(code(&late), Some(403));
    Ok(())
}

#[tokio::test]
async fn a_certificate_of_the_client_lets_in() -> Result<(), BoxError> {
    let (own, foreign) = (Authority::new(), Authority::new());
    let (cert, key) = own.sign("vault");
    for demanded in [false, true] {
        let clients = match demanded {
            true => ClientCertificates::Demanded(own.pem()),
            false => ClientCertificates::Asked,
        };
        let tls = TlsOptions::new(cert.clone(), key.clone()).clients(clients);
        let server = VaultServer::start(VaultOptions::default().tls(tls));
        let connect = |identity: Option<&(String, String)>, token: &str| {
            let root = reqwest::Certificate::from_pem(own.pem().as_bytes())?;
            let mut builder = reqwest::Client::builder().no_proxy().tls_certs_only([root]);
            if let Some((cert, key)) = identity {
                let pem = format!("{cert}{key}");
                builder = builder.identity(reqwest::Identity::from_pem(pem.as_bytes())?);
            }
            let mut client = client(&server.address(), token)?;
            client.http.http = builder.build()?;
            Ok::<_, BoxError>(client)
        };
        let plain = server.without_tls();
        VaultAdmin::new(plain.address(), server.root_token())
            .enable_auth("cert", "cert")
            .await?;
        let identity = own.sign("orders");
        let root = connect(Some(&identity), &server.root_token())?;
        let mut role =
            vaultrs::api::auth::cert::requests::CreateCaCertificateRoleRequest::builder();
        role.token_ttl("5m")
            .allowed_common_names(vec!["ord*".into()]);
        cert::ca_cert_role::set(&root, "cert", "app", &own.pem(), Some(&mut role)).await?;
        let read = cert::ca_cert_role::read(&root, "cert", "app").await?;
        assert_eq!(read.token_ttl, 300);
        for (identity, expected) in [
            (Some(own.sign("orders")), Some(Ok(300))),
            (Some(own.sign("billing")), Some(Err(400))),
            (
                Some(foreign.sign("orders")),
                if demanded { None } else { Some(Err(400)) },
            ),
            (None, if demanded { None } else { Some(Err(400)) }),
        ] {
            let login = cert::login(&connect(identity.as_ref(), "")?, "cert", "app").await;
            let got = match &login {
                Ok(auth) => Some(Ok(auth.lease_duration)),
                Err(ClientError::APIError { code, .. }) => Some(Err(*code)),
                Err(_) => None,
            };
            assert_eq!(got, expected, "demanded: {demanded}, {login:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_method_that_is_not_there_is_a_denied_path() -> Result<(), BoxError> {
    for place in Place::all() {
        let nobody = place.admin.with_token("");
        let body = json!({ "role": "app", "jwt": "x" });
        let answer = nobody.send("POST", "auth/nowhere/login", body).await?;
        assert_eq!(answer.status, 403);
        let answer = place.admin.send("GET", "nowhere/app", Value::Null).await?;
        assert_eq!(answer.status, 404);
        assert!(
            answer.text("/errors/0").starts_with("no handler for route"),
            "{answer:?}"
        );
        place.close().await?;
    }
    Ok(())
}
