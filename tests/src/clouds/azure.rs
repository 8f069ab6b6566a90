//! Azure Key Vault (*REST: Get Secret*, *Authentication, requests and responses*, *Service limits*), the token endpoint of
//! Microsoft Entra (*OAuth 2.0 client credentials flow*), and the identity endpoint of the instance metadata service
//! (*How to use managed identities to acquire an access token*).
use super::{Api, Call, Reply, lock};
use http::Method;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// What tokens for Key Vault are for, in the public cloud.
pub const RESOURCE: &str = "https://vault.azure.net";

/// What a vault knows.
#[derive(Debug, Default)]
pub struct Vault {
    /// The token that is accepted.
    pub token: String,
    /// What it asks for a token for; [`RESOURCE`] where it is empty.
    pub resource: String,
    /// The versions of each secret: id, value and attributes, the last one being current.
    pub secrets: BTreeMap<&'static str, Vec<(&'static str, String, Value)>>,
    /// A refusal of every access: the status, its code and the inner one.
    pub refusal: Option<(u16, &'static str, &'static str)>,
}

/// A vault, and what it knows.
#[must_use]
pub fn key_vault(vault: Vault) -> (Api, Arc<Mutex<Vault>>) {
    let vault = Arc::new(Mutex::new(vault));
    let known = Arc::clone(&vault);
    (
        Api::start(move |call: &Call| access(&lock(&known), call)),
        vault,
    )
}

fn access(vault: &Vault, call: &Call) -> Reply {
    let token = call.header("authorization").strip_prefix("Bearer ");
    if token.is_none_or(|token| token != vault.token) {
        let resource = if vault.resource.is_empty() {
            RESOURCE
        } else {
            &vault.resource
        };
        let wrong = if token.is_some() {
            r#", error="invalid_token""#
        } else {
            ""
        };
        let challenge = format!(
            r#"Bearer authorization="https://login.microsoftonline.com/tenant", resource="{resource}"{wrong}"#
        );
        return refusal(401, "Unauthorized", "").header("www-authenticate", challenge);
    }
    if let Some((status, code, inner)) = vault.refusal {
        let reply = refusal(status, code, inner);
        return if status == 429 {
            reply.header("retry-after", "7")
        } else {
            reply
        };
    }
    let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
    let path = path
        .strip_prefix("/secrets/")
        .filter(|_| call.method == Method::GET);
    let Some(path) = path.filter(|_| query.starts_with("api-version=7.")) else {
        return refusal(400, "BadParameter", "");
    };
    let (name, version) = path.split_once('/').unwrap_or((path, ""));
    let versions = vault
        .secrets
        .get(name)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let found = match version {
        "" => versions.last(),
        version => versions.iter().find(|(id, ..)| *id == version),
    };
    match found {
        None => refusal(404, "SecretNotFound", ""),
        Some((.., attributes)) if attributes["enabled"] == false => {
            refusal(403, "Forbidden", "SecretDisabled")
        }
        Some((id, value, attributes)) => {
            let id = format!("https://orders.vault.azure.net/secrets/{name}/{id}");
            Reply::json(
                200,
                &json!({"value": value, "id": id, "attributes": attributes}),
            )
        }
    }
}

fn refusal(status: u16, code: &str, inner: &str) -> Reply {
    let inner = (!inner.is_empty()).then(|| json!({"code": inner}));
    let error = json!({"code": code, "message": "…", "innererror": inner});
    Reply::json(status, &json!({"error": error}))
}

/// The token endpoint of the tenant `tenant`: gives `token` to the application `client` that proves itself with `proof`, a
/// client secret or an assertion.
#[must_use]
pub fn entra(proof: &'static str, token: &'static str) -> Api {
    Api::start(move |call: &Call| {
        let refused = |status, code: u32, error: &str| {
            let said = format!("AADSTS{code}: …");
            Reply::json(
                status,
                &json!({"error": error, "error_description": said, "error_codes": [code]}),
            )
        };
        if call.path != "/tenant/oauth2/v2.0/token" {
            return refused(400, 90_002, "invalid_request");
        }
        if call.form("client_id") != "client" || call.form("grant_type") != "client_credentials" {
            return refused(400, 700_016, "unauthorized_client");
        }
        if call.form("scope") != "https%3A%2F%2Fvault.azure.net%2F.default" {
            return refused(400, 500_011, "invalid_resource");
        }
        let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        let assertion =
            call.form("client_assertion_type") == kind && call.form("client_assertion") == proof;
        if assertion || call.form("client_secret") == proof {
            let given = json!({"token_type": "Bearer", "expires_in": 3_599, "access_token": token});
            return Reply::json(200, &given);
        }
        match call.form("client_secret") {
            "" => refused(400, 700_213, "invalid_request"),
            _ => refused(401, 7_000_215, "invalid_client"),
        }
    })
}

/// The identity endpoint of the instance metadata service, which gives `token` to the identity `client` or, without one,
/// to that of the system.
#[must_use]
pub fn imds(client: Option<&'static str>, token: &'static str) -> Api {
    Api::start(move |call: &Call| {
        if call.header("metadata") != "true" {
            return Reply::json(400, &json!({"error": "bad_request_102"}));
        }
        let path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net";
        let wanted = match client {
            Some(client) => format!("{path}&client_id={client}"),
            None => path.to_owned(),
        };
        if call.path != wanted {
            let said =
                json!({"error": "invalid_request", "error_description": "Identity not found"});
            return Reply::json(400, &said);
        }
        let given = json!({
            "access_token": token, "client_id": client, "expires_in": "86399", "expires_on": "4070908800",
            "resource": RESOURCE, "token_type": "Bearer",
        });
        Reply::json(200, &given)
    })
}
