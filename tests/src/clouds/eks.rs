//! The EKS Pod Identity agent, after *How EKS Pod Identity works* and *Container credential provider* (AWS SDKs and Tools
//! Reference Guide): `GET /v1/credentials` with the projected token in `Authorization`.
use super::{Api, Call, Reply, lock};
use http::Method;
use serde_json::json;
use std::sync::{Arc, Mutex};

/// What the agent knows.
#[derive(Clone, Debug)]
pub struct Pod {
    /// The token of the pod.
    pub token: String,
    /// The keys that it is given, and until when (RFC 3339).
    pub keys: (String, String),
    /// The end of the keys.
    pub expiration: String,
}

/// The agent, and what it knows.
#[must_use]
pub fn agent(pod: Pod) -> (Api, Arc<Mutex<Pod>>) {
    let pod = Arc::new(Mutex::new(pod));
    let known = Arc::clone(&pod);
    let api = Api::start(move |call: &Call| {
        let pod = lock(&known);
        if call.method != Method::GET || call.path != "/v1/credentials" {
            return Reply::new(404, "404 page not found");
        }
        if call.header("authorization") != pod.token {
            return Reply::new(401, "Service account token cannot be empty or is not valid");
        }
        let (id, secret) = &pod.keys;
        let given = json!({
            "AccessKeyId": id, "SecretAccessKey": secret, "Token": "session", "AccountId": "123456789012",
            "Expiration": pod.expiration,
        });
        Reply::json(200, &given)
    });
    (api, pod)
}
